# The defaults, with a mocked AWS: terraform test (make checks run it where Terraform is installed).
# tests/terraform/ reads the same run as JSON and compares it with the Python settings.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account_id         = "111122223333"
  availability_zones = ["us-east-1a", "us-east-1b"]
  buckets            = ["my-bucket"]
  package_dir        = "tests/mocks"
}

run "defaults" {
  assert {
    condition     = output.lane_names == [for n in range(8) : "scan-${n}"]
    error_message = "The lanes are scan-0 to scan-7."
  }

  assert {
    condition     = length(output.scanner_role_arns) == 4
    error_message = "API, Feed, workers and schedules ask about buckets."
  }

  assert {
    condition     = output.bastion_instance_id == null
    error_message = "There is no bastion unless it is asked for."
  }

  assert {
    condition     = output.flower == "flower.s3scan.internal:5555"
    error_message = "Flower has a name inside of the VPC."
  }
}
