"""The zips of the Lambda functions: same sources, same bytes; nothing that is too much, nothing that is missing."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from scanner_tasks.local import package


def test_same_files_are_the_same_bytes_whenever_and_by_whom_they_were_written(tmp_path: Path) -> None:
    zips = []
    for name, mode, age_s in (("one", 0o600, 0), ("two", 0o755, 100_000)):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("b.py", "a.py") if age_s else ("a.py", "b.py"):
            (folder / file).write_text(f"# {file}\n")
            (folder / file).chmod(mode)
            os.utime(folder / file, (time.time() - age_s,) * 2)
        target = tmp_path / f"{name}.zip"
        package.write_zip(target, [(file.name, file) for file in folder.iterdir()])
        zips.append(target.read_bytes())
    assert zips[0] == zips[1]


def test_our_code_is_in_without_celery_and_the_command_line() -> None:
    names = {name for name, _ in package.our_files()}
    assert {
        "api_lambda/handler.py",
        "stepfunctions/state_machine.asl.json",
        "scanner_tasks/rules/identity.toml",
    } <= names
    assert not [
        name for name in names if "/sqs/" in name or "/cli/" in name or "/local/" in name or "__pycache__" in name
    ]


def test_a_library_that_is_not_locked_is_refused_by_name() -> None:
    with pytest.raises(package.PackageFailed, match="no-such-library"):
        package.locked(["boto3", "no-such-library"], package.LOCK.read_text())


@pytest.mark.slow
@pytest.mark.timeout(900)  # four builds
def test_handlers_can_be_imported_from_the_zips_alone(tmp_path: Path) -> None:
    version, arch = "3.11", "x86_64"
    for made in package.PACKAGES:
        try:
            target = package.build(made, tmp_path, python=version, arch=arch)
        except package.PackageFailed as error:
            pytest.skip(f"SKIPPED: {error}")
        before = target.read_bytes()
        assert package.build(made, tmp_path, python=version, arch=arch).read_bytes() == before
        package.cold_import_s(target, made.handlers, python=version, arch=arch, rounds=1)  # raises where one is missing
        if made.name == "lambda":
            traces = ("opentelemetry.sdk.trace.export", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
            package.cold_import_s(target, traces, python=version, arch=arch, rounds=1)
        names = zipfile.ZipFile(target).namelist()
        assert not [name for name in names if name.startswith(("celery/", "kombu/", "pyarrow/", "flower/"))]
        assert any(name.startswith("hyperscan/") for name in names) == (made.name == "detect")
