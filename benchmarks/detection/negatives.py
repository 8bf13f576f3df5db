"""Text without values: what this machine holds, and tables and telemetry made by chance.

Which files there are depends on the machine; what was read is told with the figures.
"""

# ruff: noqa: E501
from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from zlib import crc32

from benchmarks.detection.chance import ALNUM, BASE64, HEX, LOWER, chars, digits
from benchmarks.detection.lookalikes import uuid
from benchmarks.detection.scoring import Finding, shape

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 200_000
#: Folders of the project that hold examples of values on purpose.
EXAMPLES = (
    "tests", "benchmarks", "docs", "README.md", "CHANGELOG.md", "scanner_tasks/rules", "scanner_tasks/local", "scanner_tasks/detect",
    "scanner_tasks/core", "scanner_tasks/cli", "scanner_tasks/extract", "api_lambda",
)  # fmt: skip
#: Only these rules are counted: names of authors and their mail are real in such files.
COUNTED = (
    "us.ssn", "payment.card", "contact.phone", "bank.iban", "aws.access_key_id", "aws.secret_access_key", "token.jwt",
    "github.token", "slack.token", "crypto.private_key",
)  # fmt: skip
#: Alarms a MB that are still fine: (in tables of random numbers, elsewhere).
LIMITS: dict[str, tuple[float, float]] = {
    "us.ssn": (1, 1), "payment.card": (250, 1), "contact.phone": (20, 20), **dict.fromkeys(COUNTED[3:], (0, 0)),
}  # fmt: skip


@dataclass
class Source:
    """What came of one kind of text."""

    characters: int = 0
    files: int = 0
    alarms: Counter[str] = field(default_factory=Counter)
    shapes: Counter[tuple[str, str]] = field(default_factory=Counter)


def files(folders: list[Path], suffixes: tuple[str, ...], names: tuple[str, ...] = ()) -> Iterator[str]:
    """Texts of files below folders, mixed by their names' hashes; what is no text is left out."""
    for folder in folders:
        for path in sorted(folder.rglob("*"), key=lambda path: crc32(str(path.relative_to(folder)).encode())):
            if (path.suffix in suffixes or path.name in names) and path.is_file() and not path.is_symlink():
                content = path.read_bytes()[:CHUNK]
                if b"\0" not in content:
                    yield content.decode("utf-8", "replace")


def git_log() -> Iterator[str]:
    """The project's history with its patches, without what holds examples of values on purpose."""
    git = shutil.which("git")
    if git is None:
        return
    left_out = [f":(exclude){name}" for name in EXAMPLES]
    done = subprocess.run(
        [git, "-C", str(ROOT), "log", "-p", "--no-color", "--stat", "--", ".", *left_out],
        capture_output=True,
        check=False,
    )
    text = done.stdout.decode("utf-8", "replace")
    yield from (text[at : at + CHUNK] for at in range(0, len(text), CHUNK))


def metadata() -> Iterator[str]:
    """Lock files of the project, RECORD and METADATA of installed packages."""
    yield from files([ROOT / "requirements"], (".txt", ".lock"))
    yield from files(
        [Path(sysconfig.get_path("purelib"))], (), ("RECORD", "METADATA", "package-lock.json", "Cargo.lock")
    )


def sources() -> Iterator[str]:
    """Python's own library and installed packages."""
    yield from files([Path(sysconfig.get_path("stdlib"))], (".py",))


def documentation() -> Iterator[str]:
    """Documents and data of installed packages."""
    yield from files([Path(sysconfig.get_path("purelib"))], (".rst", ".md", ".txt", ".json", ".html", ".js"))


def shared() -> Iterator[str]:
    """Text of the system's shared folder (XDG_DATA_DIRS)."""
    folders = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    paths = [Path(folder) for folder in folders.split(":") if Path(folder).is_dir()]
    yield from files(
        paths,
        (".txt", ".md", ".pl", ".pm", ".tab", ".xml", ".html", ".py", ".sh", ".conf", ".po", ".list"),
        ("copyright", "changelog"),
    )


def locks(seed: int) -> Iterator[str]:
    """Lock files of npm, yarn, Go, Cargo and Poetry by chance."""
    r = Random(f"locks/{seed}")
    while True:
        lines = []
        for _ in range(1500):
            name, version = (
                chars(r, LOWER, r.randrange(3, 12)),
                f"{r.randrange(20)}.{r.randrange(40)}.{r.randrange(30)}",
            )
            lines.append(
                r.choice(
                    (
                        f'    "node_modules/{name}": {{"version": "{version}", "integrity": "sha512-{chars(r, BASE64, 86)}=="}},',
                        f'{name}@^{version}:\n  resolved "https://registry.example/{name}-{version}.tgz#{chars(r, HEX, 40)}"\n  integrity sha1-{chars(r, BASE64, 27)}=',
                        f"github.com/{name}/x v{version} h1:{chars(r, BASE64, 43)}=\ngithub.com/{name}/x v0.0.0-2024061{digits(r, 7)}-{chars(r, HEX, 12)}/go.mod h1:{chars(r, BASE64, 43)}=",
                        f'[[package]]\nname = "{name}"\nversion = "{version}"\nchecksum = "{chars(r, HEX, 64)}"',
                        f'    {{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{chars(r, HEX, 64)}"}},',
                        f"{name}=={version} --hash=sha256:{chars(r, HEX, 64)}",
                    )
                )
            )
        yield "\n".join(lines)


def histories(seed: int) -> Iterator[str]:
    """`git log -p` and `git log --raw` by chance: hashes, hunks, raw dates, numbers in the code."""
    r = Random(f"histories/{seed}")
    while True:
        lines: list[str] = []
        for _ in range(700):
            now, zone = r.randrange(15 * 10**8, 175 * 10**7), r.choice(("+0000", "-0700", "+0530", "+0200"))
            lines += (
                f"commit {chars(r, HEX, 40)}\ntree {chars(r, HEX, 40)}\nparent {chars(r, HEX, 40)}\ncommitter bot {now} {zone}\n",
                f"    Fix #{r.randrange(10**5)}: handle {r.randrange(10**9)} and {digits(r, 3)}-{digits(r, 4)} (see {chars(r, HEX, 12)})\n",
                f":100644 100644 {chars(r, HEX, 10)} {chars(r, HEX, 10)} M\tsrc/{chars(r, LOWER, 8)}.c",
                f"diff --git a/{chars(r, LOWER, 6)}.c b/{chars(r, LOWER, 6)}.c\nindex {chars(r, HEX, 10)}..{chars(r, HEX, 10)} 100644",
                f"@@ -{r.randrange(9999)},{r.randrange(99)} +{r.randrange(9999)},{r.randrange(99)} @@ int {chars(r, LOWER, 5)}(void)",
                f"-\t0x{chars(r, HEX, 8)}, {digits(r, 10)}, {r.random() * 1000!r}, {digits(r, 2)}.{digits(r, 3)}.{digits(r, 4)}",
                f"+\t{{ {digits(r, 3)}, {digits(r, 3)}, {digits(r, 4)} }}, /* {r.randrange(2000, 2026)}-{r.randrange(10, 13)}-{r.randrange(10, 29)} */",
                f"+{chars(r, BASE64, 76)}\n {r.randrange(999)} files changed, {r.randrange(9999)} insertions(+), {r.randrange(9999)} deletions(-)",
            )
        yield "\n".join(lines)


def telemetry(seed: int) -> Iterator[str]:
    """Metrics, spans and events by chance."""
    r = Random(f"telemetry/{seed}")
    while True:
        lines = []
        for _ in range(1500):
            now = r.randrange(17 * 10**17, 175 * 10**16)
            lines.append(
                r.choice(
                    (
                        f'{{"traceId":"{chars(r, HEX, 32)}","spanId":"{chars(r, HEX, 16)}","startTimeUnixNano":"{now}","endTimeUnixNano":"{now + r.randrange(10**9)}","value":{r.random()}}}',
                        f"cpu,host=web-{r.randrange(99)},cpu=cpu{r.randrange(64)} usage_user={r.random() * 100},usage_idle={r.random() * 100} {now}",
                        f'http_requests_total{{code="200",path="/v1/x"}} {r.randrange(10**10)} {now // 10**6}',
                        f"{now // 10**9} {r.uniform(-90, 90):.7f} {r.uniform(-180, 180):.7f} {r.randrange(4000)} {r.randrange(10**9)}",
                        f'{{"ts":{now // 10**6},"device":"{uuid(r)}","seq":{r.randrange(10**10)},"imu":[{r.gauss(0, 1)},{r.gauss(0, 1)},{r.gauss(0, 9)}],"crc":"{chars(r, HEX, 8)}"}}',
                        f"0x{chars(r, HEX, 16)} {chars(r, HEX, 4)} {digits(r, 10)} {digits(r, 4)}:{digits(r, 2)}",
                        f"session={chars(r, ALNUM, 40)} rtt={r.randrange(999)}.{digits(r, 3)}ms bytes={r.randrange(10**9)}",
                    )
                )
            )
        yield "\n".join(lines)


def numbers(seed: int) -> Iterator[str]:
    """Tables of random numbers: 9, 10, 16 digits, decimals."""
    r = Random(f"numbers/{seed}")
    while True:
        width, glue = r.choice((5, 9, 10, 12, 16, 0)), r.choice((" ", ",", "\t", ", ", "  "))
        yield "\n".join(
            glue.join(digits(r, width) if width else f"{r.uniform(-1000, 1000)!r}" for _ in range(8))
            for _ in range(400)
        )


def kinds(seed: int) -> dict[str, tuple[float, Callable[[], Iterator[str]]]]:
    """Kind: its part of the whole, and where its text comes from."""
    return {
        "git log": (0.12, git_log),
        "git log, made": (0.08, lambda: histories(seed)),
        "lock files, metadata": (0.12, metadata),
        "lock files, made": (0.08, lambda: locks(seed)),
        "package sources": (0.18, sources),
        "documentation": (0.16, documentation),
        "shared text": (0.08, shared),
        "telemetry": (0.09, lambda: telemetry(seed)),
        "random numbers": (0.09, lambda: numbers(seed)),
    }


def measure(find: Callable[[str], list[Finding]], megabytes: float, seed: int) -> dict[str, Source]:
    """False alarms by kind of text; a kind that this machine has little of is smaller."""
    result = {}
    for kind, (part, texts) in kinds(seed).items():
        source = result[kind] = Source()
        for text in texts():
            source.files += 1
            source.characters += len(text)
            for found in find(text):
                if found["rule"] in COUNTED:
                    source.alarms[found["rule"]] += 1
                    seen = (
                        shape(text[max(0, found["start"] - 8) : found["start"]])
                        + "‹"
                        + shape(text[found["start"] : found["end"]])[:60]
                        + "›"
                    )
                    source.shapes[found["rule"], seen] += 1
            if source.characters > part * megabytes * 1e6:
                break
    return result
