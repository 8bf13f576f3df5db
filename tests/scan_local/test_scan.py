"""`s3scan scan`: everything is read or said why not, and the exit status tells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from scanner_tasks import scan_local
from scanner_tasks.cli import program
from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.identity import finding_id
from scanner_tasks.flow.scan_local import files
from scanner_tasks.local.ports import wait_until

from .conftest import SSN, environment

Run = Callable[..., SimpleNamespace]
KEYS = {"object", "rule", "count", "severity", "confidence", "occurrences"}


def test_folder_is_scanned_and_nothing_is_passed_over_in_silence(folder: Path, s3scan: Run) -> None:
    done = s3scan("scan", "data", "--format", "jsonl", "--coverage", "coverage.jsonl")
    assert {(line["object"], line["rule"], line["count"]) for line in done.json} == {
        ("data/a.csv", "us.ssn", 1),
        ("data/sub/b.txt", "us.ssn", 1),
    }
    assert all(set(line) == KEYS for line in done.json)
    assert done.status == 3  # the broken archive
    assert "7 listed = 3 scanned + 3 skipped + 1 failed" in done.err
    told = {line["object"]: line for line in map(json.loads, Path("coverage.jsonl").read_text().splitlines())}
    assert {name: (one["outcome"], one["reason"]) for name, one in told.items()} == {
        "data/broken.zip": ("failed", "corrupt"),
        "data/empty": ("skipped", "empty"),
        "data/link": ("skipped", "excluded"),
        "data/pipe": ("skipped", "unsupported"),
    }
    assert "symbolic link" in told["data/link"]["detail"]
    assert "512-44-1234" not in done.out + done.err


def test_occurrences_have_mask_and_location_and_the_findings_id(folder: Path, s3scan: Run) -> None:
    done = s3scan("scan", "data/a.csv", "-f", "jsonl")
    ((place,),) = (line["occurrences"] for line in done.json)
    assert (place["masked"], place["location"]["line"], place["location"]["column"]) == ("***-**-1234", 2, 10)
    assert place["id"] == f"{finding_id('', 'data/a.csv', 'us.ssn')}/1"
    assert done.status == 0


def test_sarif_tells_what_was_not_read(folder: Path, s3scan: Run) -> None:
    s3scan("scan", "data", "-f", "sarif", "-o", "out.sarif")
    (run,) = json.loads(Path("out.sarif").read_text())["runs"]
    assert [result["guid"] for result in run["results"]] == [
        str(finding_id("", key, "us.ssn")) for key in ("data/a.csv", "data/sub/b.txt")
    ]
    told = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert [text.split(":")[0] for text in told] == ["data/broken.zip", "data/link", "data/pipe"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_standard_input_is_scanned_as_one_object(s3scan: Run) -> None:
    done = s3scan("scan", "-", "-f", "jsonl", given=SSN * 3)
    assert [(line["object"], line["count"]) for line in done.json] == [("-", 3)]


def test_named_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    script = 'exec "$0" -m scanner_tasks.cli scan <(printf "ssn: 512-44-1234") -f csv'
    done = subprocess.run(  # noqa: PLW1510 (its output tells)
        ["bash", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=60,
    )
    assert "us.ssn" in done.stdout, done.stderr


def test_threshold_decides_between_0_and_1(folder: Path, s3scan: Run) -> None:
    assert s3scan("scan", "data/a.csv", "--fail-on", "critical").status == 0
    assert s3scan("scan", "data/a.csv", "--fail-on", "high").status == 1


def test_only_what_the_baseline_does_not_have_is_new(folder: Path, s3scan: Run) -> None:
    assert s3scan("scan", "data/a.csv", "-f", "jsonl", "-o", "base.jsonl", "--quiet").err == ""
    again = ("scan", "data/a.csv", "--fail-on", "new:medium", "--baseline", "base.jsonl")
    assert s3scan(*again).status == 0
    (folder / "a.csv").write_bytes(SSN + b"John Doe,512-44-1277\n")
    assert s3scan(*again).status == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "No such file"),
        (["s3://UPPER"], "bucket: a name has"),
        (["data", "--format", "word"], "--format: one of"),
        (["data", "--fail-on", "huge"], "--fail-on: give"),
        (["data", "--fail-on", "new:high"], "--baseline"),
        (["data", "--resume"], "--state"),
        (["data", "--no-builtin"], "no rule is left"),
        (["data", "--rules", "none.toml"], "none.toml: cannot be read"),
        (["-", "--state", "x"], "cannot be read again"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_one_line_and_2(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.run(["scan", *arguments]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_own_output_in_the_folder_is_not_read(folder: Path, s3scan: Run) -> None:
    done = s3scan(
        "scan", "data", "-f", "jsonl", "-o", "data/out.jsonl", "--coverage", "data/c.jsonl", "--state", "data/s"
    )
    assert "This scan writes it" in done.err
    assert {json.loads(line)["object"] for line in (folder / "out.jsonl").read_text().splitlines()} == {
        "data/a.csv",
        "data/sub/b.txt",
    }


def test_rules_and_allow_lists_of_the_user_are_taken(folder: Path, s3scan: Run) -> None:
    Path("own.toml").write_text(
        '[[rule]]\nid = "acme.badge"\nname = "Badge"\ncategory = "custom"\nseverity = "low"\nconfidence = "high"\n'
        'pattern = \'nothing in it\'\nreferences = ["ours"]\nexamples = ["nothing in it"]\nnegative_examples = ["x"]\n'
        '[[allow]]\nname = "ours"\nrules = ["us.ssn"]\npaths = ["sub/"]\n'
    )
    done = s3scan("scan", "data", "-f", "jsonl", "--rules", "own.toml")
    assert {(line["object"], line["rule"]) for line in done.json} == {
        ("data/a.csv", "us.ssn"),
        ("data/caf\\xe9.txt", "acme.badge"),
    }, done.err


def test_stopped_scan_goes_on_where_it_was(folder: Path) -> None:
    names = ["data/a.csv", *(f"data/c{n:02}.csv" for n in range(20)), "data/sub/b.txt"]
    for name in names[1:-1]:
        Path(name).write_bytes(SSN)
    seen: list[str] = []
    first = scan_local("data", state="state", processes=2)
    for scanned in first.run():
        seen += [scanned.ref.key] if scanned.findings else []
        if len(seen) == 3:
            first.stop()
    assert len(seen) == 3
    assert first.is_incomplete
    assert Path("state").stat().st_mode & 0o077 == 0
    assert "512-44" not in Path("state").read_text()
    second = scan_local("data", state="state", resume=True)
    again = [finding.key for finding in second.findings()]
    assert set(seen) <= set(again[:5])  # told again at once, not scanned: two more may have been under way
    assert sorted(again) == names
    assert second.scan_id == first.scan_id
    assert (second.progress.listed, second.progress.scanned, second.has_ended) == (27, 23, True)
    third = scan_local("data", state="state", resume=True)
    assert sorted(finding.key for finding in third.findings()) == names
    assert third.progress == second.progress
    with pytest.raises(InvalidInput, match="another scan"):
        scan_local("data", state="state", resume=True, threshold="low")


def test_state_that_was_cut_short_is_read_up_to_there(folder: Path) -> None:
    assert len(list(scan_local("data", state="state").findings())) == 2
    whole = Path("state").read_text()
    Path("state").write_text(whole[: whole.index("sub/b")])
    scan = scan_local("data", state="state", resume=True)
    assert sorted(finding.key for finding in scan.findings()) == ["data/a.csv", "data/sub/b.txt"]
    Path("state").write_text("nonsense\n")
    with pytest.raises(InvalidInput, match="damaged"):
        scan_local("data", state="state", resume=True)


def test_ctrl_c_ends_in_order(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scanner_tasks.cli", "scan", "-", "-f", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=tmp_path,
    )
    try:
        wait_until(lambda: _catches_ctrl_c(process.pid), timeout_s=30, what="the scan to begin")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr
        said = process.stderr.read().decode()
        assert "The scan is not complete" in said
        assert "Traceback" not in said
    finally:
        process.kill()
        process.communicate()


def _catches_ctrl_c(pid: int) -> bool:
    """The handler is ours once Python's own is not the one: the thread that lists is there by then."""
    return len(list(Path(f"/proc/{pid}/task").iterdir())) > 1


def test_folder_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: bytes) -> object:
        if path.endswith(b"/sub"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(files.os, "scandir", scandir)
    (told,) = (one for one in files.walk("data") if one.ref.key.startswith("data/sub"))
    assert (str(told.outcome), told.detail) == (
        "failed(denied)",
        "The folder cannot be read: Permission denied.",
    )


def test_python_scans_too(folder: Path) -> None:
    scan = scan_local("data/sub", processes=1)
    assert [(finding.key, finding.rule_id) for finding in scan.findings()] == [("data/sub/b.txt", "us.ssn")]
    assert (scan.progress.listed, scan.is_incomplete, isinstance(scan.scan_id, UUID)) == (1, False, True)
    with pytest.raises(InvalidInput, match="scan_local"):
        scan_local("data", colour="red")
