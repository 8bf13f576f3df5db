"""`s3scan report`: a job as a page, beside an earlier one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from scanner_tasks.cli import program
from tests.flow.conftest import System

SSN = b"name,ssn\nJane Roe,512-44-1234\n"


def test_job_is_a_page_with_what_changed(system: System, tmp_path: Path, capsys) -> None:
    system.put(
        {"moves.csv": SSN, "stays.csv": SSN.replace(b"1234", b"1299"), "broken.zip": b"PK\x03\x04" + b"\xff" * 60}
    )
    first = system.start()
    system.run(first)
    system.objects.buckets[system.bucket]["elsewhere.csv"] = system.objects.buckets[system.bucket].pop("moves.csv")
    second = system.start()
    system.run(second)
    out = tmp_path / "report.html"
    assert program.run(["report", str(second), "-o", str(out), "--against", str(first), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == 2
    text = out.read_text()
    assert "0 new, 0 fixed, 1 moved, 0 with another count, 1 the same" in text
    assert f"s3://{system.bucket}/broken.zip" in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text).group(1))
    assert sorted(row[2] for row in data["rows"]) == ["elsewhere.csv", "stays.csv"]
    assert any("Why not higher" in line for line in data["explanations"][0])
    assert "512-44-1234" not in text
