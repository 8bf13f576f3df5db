"""Terraform where it is installed: skipped, and said so, where it is not (also in CI: nobody needs it for the rest).

The AWS provider is taken from the folder that ``TF_PLUGIN_DIR`` names, from one found by its name a few levels below
the root, or from where Terraform itself looks: its own folders of plugins, or the registry.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
#: The provider within a folder of plugins, as Terraform lays them out.
PROVIDER = "registry.terraform.io/hashicorp/aws"
#: Folders of the root that hold no files of a disk.
NO_DISK = {"proc", "sys", "dev", "run"}


def find_mirror() -> Path | None:
    """A folder of plugins that holds the AWS provider, a few levels below the root; None where there is none."""
    named = os.environ.get("TF_PLUGIN_DIR")
    if named:
        return Path(named)
    tops = [top for top in sorted(Path(ROOT.anchor).iterdir()) if top.name not in NO_DISK and not top.is_symlink()]
    for level in ("", "*/", "*/*/"):
        for top in tops:
            for found in sorted(top.glob(f"{level}{PROVIDER}")):
                return found.parents[2]
    return None


@dataclass(frozen=True)
class Terraform:
    """The command, in one folder of the configuration, with its working data outside of it."""

    folder: Path
    data: Path

    def environment(self) -> dict[str, str]:
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE") if name in os.environ
        }
        loopback = {"NO_PROXY": "*", "no_proxy": "*"}
        return {**kept, **loopback, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_DATA_DIR": str(self.data)}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", f"-chdir={self.folder}", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment() | more,
        )

    def init(self) -> None:
        """Skips the test where the provider cannot be had."""
        mirror = find_mirror()
        options = [f"-plugin-dir={mirror}"] if mirror else []
        done = self.run("init", "-input=false", "-no-color", *options)
        if done.returncode:
            pytest.skip(f"SKIPPED: Terraform's AWS provider is not available: {done.stderr.strip()[:500]}")


def copy_of(folder: Path, target: Path) -> Path:
    """The repository's parts that Terraform reads, so that nothing is written into the checkout."""
    for part in ("terraform", "stepfunctions"):
        shutil.copytree(
            ROOT / part, target / part, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*", "__pycache__")
        )
    return target / folder.relative_to(ROOT)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the configuration."""
    if shutil.which("terraform") is None:
        pytest.skip("SKIPPED: Terraform is not installed; the configuration is not checked.")
    target = tmp_path_factory.mktemp("terraform")
    copy_of(TERRAFORM, target)
    return target


@pytest.fixture(scope="session")
def root(workspace: Path) -> Terraform:
    """The root module, initialised."""
    terraform = Terraform(workspace / "terraform", workspace / "data")
    terraform.init()
    return terraform


def resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """Every resource of a module and those in it."""
    found = list(module.get("resources", ()))
    for child in module.get("child_modules", ()):
        found += resources(child)
    return found


@dataclass(frozen=True)
class Applied:
    """What the mocked apply of the defaults made."""

    found: list[dict[str, Any]]

    def of(self, kind: str, module: str = "") -> list[dict[str, Any]]:
        """Values of the resources of a kind."""
        return [
            resource["values"]
            for resource in self.found
            if resource["type"] == kind
            and resource["address"].startswith(module)
            and resource.get("mode", "managed") == "managed"
        ]

    def one(self, kind: str, module: str = "", **values: str) -> dict[str, Any]:
        """The only one with these values."""
        (only,) = [v for v in self.of(kind, module) if all(v.get(name) == value for name, value in values.items())]
        return only

    def policies(self) -> dict[str, dict[str, Any]]:
        """Policy document of each role by the address of the resource that attaches it."""
        return {
            resource["address"]: json.loads(resource["values"]["policy"])
            for resource in self.found
            if resource["type"] == "aws_iam_role_policy"
        }


@pytest.fixture(scope="session")
def applied(root: Terraform) -> Applied:
    """The state after `terraform test` has applied the defaults with a mocked AWS."""
    done = root.run("test", "-json", "-verbose", "-filter=tests/defaults.tftest.hcl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, [line.get("diagnostic", line.get("@message")) for line in lines]
    (state,) = [line["test_state"] for line in lines if line["type"] == "test_state"]
    return Applied(resources(state["root_module"]))
