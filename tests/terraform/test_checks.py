"""Terraform's own checks, and checkov's where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT, TERRAFORM, Terraform

EXAMPLES = sorted(path.name for path in (TERRAFORM / "examples").iterdir() if path.is_dir())


def test_formatted(root: Terraform) -> None:
    done = root.run("fmt", "-check", "-recursive")
    assert done.stdout == "", "terraform fmt -recursive terraform"


@pytest.mark.slow
def test_refusals_presets_and_switches(root: Terraform) -> None:
    done = root.run("test", "-no-color", "-filter=tests/variables.tftest.hcl")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(root: Terraform, workspace: Path, example: str) -> None:
    del root  # the provider can be had
    terraform = Terraform(workspace / "terraform" / "examples" / example, workspace / f"data-{example}")
    terraform.init()
    done = terraform.run("validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


#: No call is made: everything that a plan would ask AWS for is given.
OFFLINE = """
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "made-up"
  secret_key                  = "made-up"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

module "s3scan" {
  source = "../.."

  account_id         = "111122223333"
  availability_zones = ["us-east-1a", "us-east-1b"]
  buckets            = ["my-bucket"]
  package_dir        = "../../tests/mocks"
  min_tasks          = 0
  bastion            = true
  nat                = true
}
"""


@pytest.mark.slow
def test_plan_without_aws_has_every_part(root: Terraform, workspace: Path) -> None:
    folder = workspace / "terraform" / "examples" / "offline"
    folder.mkdir()
    (folder / "main.tf").write_text(OFFLINE)
    shutil.copy(root.folder / "versions.tf", folder)
    terraform = Terraform(folder, workspace / "data-offline")
    terraform.init()
    planned = terraform.run("plan", "-input=false", "-no-color", "-out=plan")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(terraform.run("show", "-json", "plan").stdout)
    made = [change for change in plan["resource_changes"] if change["mode"] == "managed"]
    assert {change["change"]["actions"][0] for change in made} == {"create"}
    modules = {
        change["address"].split(".")[3].partition("[")[0]
        for change in made
        if change["address"].startswith("module.s3scan.module.")
    }
    assert modules == {
        "vpc",
        "rds",
        "sqs",
        "ecs",
        "api",
        "step_functions",
        "refresh_lambda",
        "object_events",
        "flower",
        "bastion",
        "alarms",
    }
    kinds = {change["type"] for change in made}
    assert {"aws_nat_gateway", "aws_instance", "aws_appautoscaling_policy", "aws_cloudwatch_dashboard"} <= kinds


def checkov() -> str | None:
    """The command, from PATH or the variable CHECKOV; it is no dependency (Apache-2.0, some 300 MB)."""
    return os.environ.get("CHECKOV") or shutil.which("checkov")


@pytest.mark.slow
def test_checkov_finds_nothing_that_is_not_justified_beside_it() -> None:
    command = checkov()
    if command is None:
        pytest.skip("SKIPPED: checkov is not installed (uv tool install checkov, or CHECKOV=/path).")
    done = subprocess.run(
        [
            command,
            "-d",
            str(TERRAFORM),
            "--framework",
            "terraform",
            "--quiet",
            "--compact",
            "--skip-download",
            "-o",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    report = json.loads(done.stdout)
    assert [(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]] == []
    assert report["summary"]["passed"] > 300
