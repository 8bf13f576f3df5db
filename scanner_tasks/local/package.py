"""Builds the zip files of the Lambda functions, byte for byte the same from the same sources: ``make package``.

``python -m scanner_tasks.local.package [--out dist] [--python 3.13] [--arch x86_64|arm64]`` makes

- ``lambda.zip``: the API, Feed, and settle; neither Celery nor Hyperscan is in it, so that it starts fast;
- ``detect.zip``: the same with Hyperscan, for POST /detect;

Where this machine has that Python, the code is compiled: Lambda cannot keep what it compiles, and a start takes three
times as long. It prints of each its size, its hash, and how long a first import of its handlers takes here. Libraries
are those of requirements/image.txt, by their hashes, as builds for Amazon Linux; an installer is needed (uv, or pip
in a Python of this machine), and the package index for what is not in its cache.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "image.txt"
#: Lambda's limit for a zip file that is uploaded with the request (50 MiB), and unpacked with its layers (250 MiB).
MAX_ZIP_BYTES, MAX_UNPACKED_BYTES = 50 * 1024**2, 250 * 1024**2

#: What the functions import, with what that needs; tests/terraform proves that nothing is missing.
LIBRARIES = (
    "annotated-types",
    "aws-lambda-powertools",
    "boto3",
    "botocore",
    "cronsim",
    "google-re2",
    "jmespath",
    "psycopg2-binary",
    "pydantic",
    "pydantic-core",
    "pydantic-settings",
    "python-dateutil",
    "python-dotenv",
    "pyyaml",
    "s3transfer",
    "six",
    "sqlalchemy",
    "structlog",
    "typing-extensions",
    "typing-inspection",
    "tzdata",
    "urllib3",
)
#: Imported only where S3SCAN_TRACE_SHARE asks for it.
TRACING = (
    "certifi",
    "charset-normalizer",
    "googleapis-common-protos",
    "idna",
    "opentelemetry-api",
    "opentelemetry-exporter-http-transport",
    "opentelemetry-exporter-otlp-common",
    "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry-proto",
    "opentelemetry-sdk",
    "opentelemetry-semantic-conventions",
    "protobuf",
    "requests",
)
#: Packages of ours that no function imports: not in the zip.
_NOT_OURS = ("scanner_tasks/cli", "scanner_tasks/local", "scanner_tasks/sqs", "scanner_tasks/app.py")
_OURS = ("scanner_tasks", "api_lambda", "stepfunctions")
#: Of botocore's descriptions of 400 services those that are called.
_SERVICES = frozenset({"cloudwatch", "rds", "s3", "sqs", "stepfunctions", "sts"})
#: Files that no import reads.
_IDLE = re.compile(
    r"(__pycache__|\.pyi$|\.pyx$|\.pxd$|\.c$|/tests?/|^bin/|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url))"
)


@dataclass(frozen=True, kw_only=True)
class Package:
    """One zip file."""

    name: str
    libraries: tuple[str, ...]
    #: Modules whose first import is timed.
    handlers: tuple[str, ...]


PACKAGES = (
    Package(
        name="lambda",
        libraries=(*LIBRARIES, *TRACING),
        handlers=(
            "api_lambda.handler",
            *(f"stepfunctions.{name}" for name in ("feed", "object_events", "schedules", "settle")),
        ),
    ),
    Package(name="detect", libraries=(*LIBRARIES, "hyperscan"), handlers=("api_lambda.detect_handler",)),
)


class PackageFailed(RuntimeError):
    """A zip file could not be made; the message says why."""


def locked(names: Sequence[str], lock: str) -> str:
    r"""Of a lock file the entries of these libraries, hashes included.

    Examples:
        >>> locked(["b"], "a==1 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:11\n")
        'b==2 \\\n    --hash=sha256:11\n'
    """
    entries = {
        match.group(1).lower(): match.group(0)
        for match in re.finditer(r"^([A-Za-z0-9._-]+)==.*\n(?:[ \t]+.*\n?)*", lock, re.MULTILINE)
    }
    missing = sorted(set(names) - set(entries))
    if missing:
        raise PackageFailed(f"{', '.join(missing)}: not in the lock file; run `make lock`.")
    return "".join(entries[name] for name in sorted(names))


def is_kept(path: str) -> bool:
    """Whether a file of an installed library goes into the zip; ``path`` is relative to the installation.

    Examples:
        >>> is_kept("botocore/data/sqs/2012-11-05/service-2.json.gz"), is_kept("botocore/data/ec2/2016-11-15/x.json.gz")
        (True, False)
        >>> is_kept("botocore/data/endpoints.json"), is_kept("six.py"), is_kept("boto3/examples/s3.rst")
        (True, True, False)
    """
    if _IDLE.search(path) or path.startswith(("boto3/examples/", "boto3/data/")):
        return path.startswith("boto3/data/s3/")
    parts = path.split("/")
    if parts[:2] == ["botocore", "data"] and len(parts) > 3:  # noqa: PLR2004 (botocore/data/SERVICE/…)
        return parts[2] in _SERVICES
    return True


def write_zip(target: Path, files: Sequence[tuple[str, Path]]) -> None:
    """These files under these names: sorted, one date, one mode, so that equal contents are equal bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, also where it is made elsewhere
            entry.external_attr = (0o755 if ".so" in path.suffixes else 0o644) << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def our_files() -> Iterator[tuple[str, Path]]:
    """Our code as the functions need it, by its name in the zip."""
    for package in _OURS:
        for path in sorted((ROOT / package).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and not name.startswith(_NOT_OURS):
                yield name, path


def build(package: Package, out: Path, *, python: str, arch: str) -> Path:
    """Make one zip file in ``out``; its path. Raises PackageFailed."""
    with tempfile.TemporaryDirectory(prefix="s3scan-package-") as folder:
        site = Path(folder) / "site"
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(locked(package.libraries, LOCK.read_text()))
        _install(requirements, site, python=python, arch=arch)
        for path in sorted(site.rglob("*"), reverse=True):
            if path.is_file() and not is_kept(path.relative_to(site).as_posix()):
                path.unlink()
        for name, path in our_files():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, site / name)
        _compile(site, python)
        out.mkdir(parents=True, exist_ok=True)
        target = out / f"{package.name}.zip"
        write_zip(target, [(path.relative_to(site).as_posix(), path) for path in site.rglob("*") if path.is_file()])
    unpacked = unpacked_bytes(target)
    if target.stat().st_size > MAX_ZIP_BYTES or unpacked > MAX_UNPACKED_BYTES:
        raise PackageFailed(
            f"{target.name} is too large for Lambda: {target.stat().st_size:,} bytes, {unpacked:,} unpacked."
        )
    return target


def unpacked_bytes(target: Path) -> int:
    """Size of what is in a zip file."""
    with zipfile.ZipFile(target) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def cold_import_s(target: Path, modules: Sequence[str], *, python: str, arch: str, rounds: int = 3) -> float | None:
    """Seconds of the first import in a fresh process with nothing but the zip's contents, the best of some rounds.

    None where this machine has no such Python, or is of another kind.
    """
    path = interpreter(python)
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[arch]
    if path is None or platform.machine() != machine or platform.system() != "Linux":
        return None
    with tempfile.TemporaryDirectory(prefix="s3scan-import-") as folder:
        with zipfile.ZipFile(target) as archive:
            archive.extractall(folder)
        code = (
            f"import sys, time; sys.path.insert(0, {folder!r}); began = time.perf_counter(); "
            f"import {', '.join(modules)}; print(time.perf_counter() - began)"
        )
        seconds = []
        for _ in range(rounds):
            done = subprocess.run(
                [path, "-ISB", "-c", code], capture_output=True, text=True, check=False, env={"TZ": "UTC"}
            )
            if done.returncode:
                raise PackageFailed(f"{target.name} cannot be imported:\n{done.stderr}")
            seconds.append(float(done.stdout))
    return min(seconds)


def interpreter(python: str) -> str | None:
    """This machine's Python of that version, or None."""
    path = shutil.which(f"python{python}")
    if path is None:
        return None
    asked = [path, "-IS", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # a shim may have nothing behind it
    return path if done.stdout.strip() == python else None


def _compile(site: Path, python: str) -> None:
    """Bytecode beside the sources, under the names that they have in a function, checked against nothing."""
    path = interpreter(python)
    if path is None:
        return
    command = [path, "-IS", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run([*command, "-s", str(site), "-p", "/var/task", str(site)], capture_output=True, check=False)
    if done.returncode:
        raise PackageFailed(f"The code could not be compiled:\n{done.stdout.decode(errors='replace')[-2000:]}")


def _install(requirements: Path, site: Path, *, python: str, arch: str) -> None:
    """Put the builds for Amazon Linux of this Python into ``site``."""
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[arch]
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        command += ["--target", str(site), "--python-version", python, "--python-platform", f"{machine}-manylinux_2_28"]
        command += ["--link-mode", "copy", "-r", str(requirements)]
    else:
        command = [
            _python_with_pip(),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--no-compile",
        ]
        command += ["--only-binary", ":all:", "--target", str(site), "--implementation", "cp"]
        command += ["--python-version", python, "-r", str(requirements)]
        for tag in (
            "manylinux_2_28",
            "manylinux_2_27",
            "manylinux_2_26",
            "manylinux_2_17",
            "manylinux2014",
            "manylinux_2_5",
        ):
            command += ["--platform", f"{tag}_{machine}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageFailed(f"The libraries could not be installed:\n{done.stderr.strip()}")


def _python_with_pip() -> str:
    """Any Python of this machine that has pip: which one does not matter, builds are chosen for the function."""
    for name in (sys.executable, "python3", "python"):
        path = shutil.which(name)
        if path and subprocess.run([path, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return path
    raise PackageFailed("Neither uv nor a Python with pip is here: install uv (https://docs.astral.sh/uv).")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 when every zip file is made."""
    parser = argparse.ArgumentParser(prog="python -m scanner_tasks.local.package")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the zip files")
    parser.add_argument("--python", default="3.13", help="Lambda's Python (lambda_runtime in Terraform)")
    parser.add_argument("--arch", choices=["x86_64", "arm64"], default="x86_64", help="architecture in Terraform")
    asked = parser.parse_args(argv)
    os.umask(0o022)
    for package in PACKAGES:
        try:
            target = build(package, asked.out, python=asked.python, arch=asked.arch)
            seconds = cold_import_s(target, package.handlers, python=asked.python, arch=asked.arch)
        except PackageFailed as error:
            print(f"package: {error}", file=sys.stderr)
            return 1
        shown = (
            f"first import {seconds:.2f} s" if seconds is not None else f"no Python {asked.python} here to import it"
        )
        print(
            f"{target}  {target.stat().st_size / 1e6:.1f} MB, {unpacked_bytes(target) / 1e6:.1f} MB unpacked, {shown}\n"
            f"  sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
