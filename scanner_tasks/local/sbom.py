"""A bill of materials of the Python environment and the system that this runs in: CycloneDX 1.5, as JSON on stdout.

``python -m scanner_tasks.local.sbom`` runs while the image is built; the result is /app/sbom.cdx.json in it. It has
no date and no serial number, so that equal images have equal bills.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

#: A licence's name is shorter than this, its text longer.
_NAME_CHARS = 60
#: Where Debian and its kin keep what is installed.
DPKG_STATUS = Path("/var/lib/dpkg/status")


def bill(dpkg_status: Path = DPKG_STATUS) -> dict[str, Any]:
    """The bill: a component for each distribution of this environment and each package of the system."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "s3scan"}},
        "components": [*_python(), *_system(dpkg_status)],
    }


def _python() -> list[dict[str, Any]]:
    found = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d for d in metadata.distributions()}
    return [
        {
            "type": "library",
            "name": name,
            "version": found[name].version,
            "purl": f"pkg:pypi/{name}@{found[name].version}",
            **_licence(found[name].metadata),
        }
        for name in sorted(found)
    ]


def _licence(told: Any) -> dict[str, Any]:
    expression = told.get("License-Expression")
    if expression:
        return {"licenses": [{"expression": expression}]}
    classifiers = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or () if c.startswith("License ::")]
    # An old field, in which some put a name and some the whole text.
    field = told.get("License") or ""
    names = classifiers or ([field] if 0 < len(field) < _NAME_CHARS and "\n" not in field else [])
    return {"licenses": [{"license": {"name": name}} for name in names]} if names else {}


def _system(status: Path) -> list[dict[str, Any]]:
    if not status.exists():
        return []
    packages = []
    for entry in status.read_text(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Status): (.*)$", entry, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            packages.append(
                {"type": "library", "name": name, "version": version, "purl": f"pkg:deb/debian/{name}@{version}"}
            )
    return sorted(packages, key=lambda package: package["name"])


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
