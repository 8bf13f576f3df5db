"""The documents name only what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scanner_tasks import settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_source_file_that_is_named_exists(document: Path) -> None:
    named = set(
        re.findall(
            r"`((?:scanner_tasks|tests|requirements|stepfunctions|api_lambda)/[\w/.]+\.\w+)`", document.read_text()
        )
    )
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_every_python_block_runs(document: Path) -> None:
    """Blocks of one document share their names; a block that needs a running stack is only compiled."""
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
        code = compile(block, ids(document), "exec")
        if not block.startswith("# with a running stack"):
            exec(code, names)


def test_the_index_lists_every_document() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    expected = [d for d in DOCUMENTS if d.parent == ROOT / "docs" and d.name != "index.md"]
    assert [d.name for d in expected if f"({d.name})" not in index] == []


def test_every_target_of_the_makefile_is_explained_and_phony() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) == TARGETS
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony.group(1).split()) == TARGETS


def test_the_table_of_settings_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings.table(), (
        "python -m scanner_tasks.settings > docs/settings.md"
    )
