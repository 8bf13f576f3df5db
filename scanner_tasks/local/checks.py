"""Every check of the project, once: what ``make lint``, ``make test`` and ``python3 demo.py test`` run.

``python -m scanner_tasks.local.checks [lint] [fast] [test] [docs] [bench]``; without a name: lint, then test. The exit
status is that of the first group that fails; pytest's closing line is the last thing that ``test`` prints.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_IMPORT_LINTER = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
#: Name and arguments of the interpreter; they run at the same time, as none changes a file.
LINTERS: dict[str, list[str]] = {
    "ruff check": ["-m", "ruff", "check", "--quiet"],
    "ruff format": ["-m", "ruff", "format", "--check", "--quiet"],
    "mypy": ["-m", "mypy", "--no-error-summary"],
    "import-linter": ["-c", _IMPORT_LINTER, "--no-cache"],
}
#: Pure code with its doctests and the rules: folders that exist are taken.
FAST = ("tests/unit", "tests/rules")
DOCTESTED = (
    *("scanner_tasks/core", "scanner_tasks/detect", "scanner_tasks/extract", "scanner_tasks/__init__.py"),
    *("scanner_tasks/cli/watch_job.py", "api_lambda/permissions.py", "api_lambda/callers.py"),
)
TEST = [
    *("-m", "pytest", "-n", "2", "--dist", "loadfile", "-m", "not slow", "--durations", "10"),
    *("--doctest-modules", "--ignore", "tests/sqs/sample_app.py", "tests", *DOCTESTED),
]


def lint() -> int:
    """All linters at once; prints what each has to say, in order; the first failing status."""
    with ThreadPoolExecutor(len(LINTERS)) as pool:
        results = list(pool.map(_timed, LINTERS.values()))
    status = 0
    for name, (done, seconds) in zip(LINTERS, results, strict=True):
        print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'} ({seconds:.1f} s)", flush=True)
        if done.returncode:
            print(done.stdout, flush=True)
            status = status or done.returncode
    return status


def fast() -> int:
    """Pure tests, rules and doctests."""
    folders = [folder for folder in FAST if (ROOT / folder).exists()]
    return _pytest(["-m", "pytest", "-q", "-m", "not slow", "--doctest-modules", *folders, *DOCTESTED])


def test() -> int:
    """Every test but long storms, doctests too."""
    return _pytest(TEST)


def docs() -> int:
    """The documents' own tests."""
    return _pytest(["-m", "pytest", "-q", "tests/docs"])


def bench() -> int:
    """Each benchmark in turn; stops at the first that fails."""
    scripts = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    if not scripts:
        print("There are no benchmarks yet.")
    for script in scripts:
        print(f"benchmarks.{script.stem}", flush=True)
        status = _pytest(["-m", f"benchmarks.{script.stem}"])
        if status:
            return status
    return 0


GROUPS = {"lint": lint, "fast": fast, "test": test, "docs": docs, "bench": bench}


def main(names: list[str]) -> int:
    """Run the named groups in order, up to the first that fails; its status."""
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    for name in names or ["lint", "test"]:
        status = GROUPS[name]()
        if status:
            return status
    return 0


def _timed(arguments: list[str]) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done, time.monotonic() - began


def _pytest(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
