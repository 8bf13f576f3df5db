"""Where the stack puts its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner_tasks.local.postgres import is_open_to_all
from scanner_tasks.local.stack import Stack


def test_a_folder_below_a_private_one_is_not_open_to_all(scratch: Path) -> None:
    private = scratch / "private"
    inner = private / "inner"
    inner.mkdir(parents=True)
    private.chmod(0o700)
    inner.chmod(0o755)
    assert is_open_to_all(scratch)
    assert not is_open_to_all(inner)


def test_the_folder_is_made_fresh_and_keeps_nothing_of_the_last_run(scratch: Path) -> None:
    folder = scratch / "stack"
    folder.mkdir()
    (folder / "old.log").write_text("old")
    stack = Stack(folder, say=lambda line: None)
    assert sorted(path.name for path in folder.iterdir()) == ["logs"]
    stack.stop()


def test_as_root_the_database_goes_where_another_user_may_enter(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = scratch / "root-home"
    private.mkdir(mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    stack = Stack(private / "demo", say=lambda line: None)
    database = stack.postgres.folder.parent
    assert not database.is_relative_to(private)
    assert is_open_to_all(database)
    stack.stop()
    assert not database.exists()


def test_packs_of_rules_reach_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3SCAN_RULES", raising=False)
    stack = Stack(tmp_path / "demo", say=lambda line: None)
    assert "S3SCAN_RULES" not in stack.settings
    monkeypatch.setenv("S3SCAN_RULES", "/etc/ours.toml")
    assert stack.settings["S3SCAN_RULES"] == "/etc/ours.toml"
    stack.stop()
