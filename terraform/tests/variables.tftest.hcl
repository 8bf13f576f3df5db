# What is refused, and that presets and switches do what they say.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  account_id         = "111122223333"
  availability_zones = ["us-east-1a", "us-east-1b"]
  buckets            = ["my-bucket"]
  package_dir        = "tests/mocks"
}

run "other_regions_need_nat" {
  command         = plan
  expect_failures = [var.other_regions]

  variables {
    other_regions = ["eu-west-1"]
  }
}

run "other_stores_need_nat" {
  command         = plan
  expect_failures = [var.allowed_endpoints]

  variables {
    allowed_endpoints = { "https://store.example:9000" = "" }
  }
}

run "webhooks_need_nat" {
  command         = plan
  expect_failures = [var.webhooks]

  variables {
    webhooks = true
  }
}

run "collectors_elsewhere_need_nat" {
  command         = plan
  expect_failures = [var.tracing]

  variables {
    tracing = { endpoint = "https://collector.example" }
  }
}

run "a_collector_is_named_with_its_port" {
  command         = plan
  expect_failures = [var.tracing]

  variables {
    tracing = { endpoint = "http://collector.internal" }
  }
}

run "a_bucket_is_named_without_wildcards" {
  command         = plan
  expect_failures = [var.buckets]

  variables {
    buckets = ["my-*"]
  }
}

run "a_secret_is_no_setting" {
  command         = plan
  expect_failures = [var.settings]

  variables {
    settings = { S3SCAN_FINGERPRINT_KEY = "made-up-and-too-short" }
  }
}

run "a_dedicated_lane_is_one_of_the_lanes" {
  command         = plan
  expect_failures = [var.dedicated_lanes]

  variables {
    lane_count      = 2
    dedicated_lanes = { my-bucket = "scan-2" }
  }
}

run "a_role_is_one_of_five" {
  command         = plan
  expect_failures = [var.rights]

  variables {
    rights = { grants = [{ principals = ["arn:aws:iam::111122223333:role/security"], role = "root" }] }
  }
}

run "a_principal_is_an_arn" {
  command         = plan
  expect_failures = [var.rights]

  variables {
    rights = { grants = [{ principals = ["security"], role = "admin" }] }
  }
}

run "scale_is_one_of_four" {
  command         = plan
  expect_failures = [var.scale]

  variables {
    scale = "gigantic"
  }
}

run "huge_from_zero_on_spot_with_everything" {
  command = plan

  variables {
    scale             = "huge"
    min_tasks         = 0
    spot_percent      = 80
    nat               = true
    other_regions     = ["eu-west-1"]
    allowed_endpoints = { "https://store.example:9000" = "" }
    bastion           = true
    alarm_email       = "security@example.com"
    member_role_arns  = ["arn:aws:iam::444455556666:role/s3scan"]
    rule_objects      = ["s3://my-rules/our.toml"]
    rights = {
      grants = [
        { principals = ["arn:aws:iam::111122223333:role/security"], role = "admin" },
        { principals = ["arn:aws:sts::*:assumed-role/team-a/*"], role = "viewer", buckets = ["team-a-*"] },
      ]
    }
    architecture = "arm64"
    tracing      = { endpoint = "http://collector.internal:4318", share = 1 }
  }
}

run "without_flower_and_detect" {
  command = plan

  variables {
    flower    = false
    detect    = false
    flow_logs = false
  }

  assert {
    condition     = output.flower == null
    error_message = "There is no dashboard when it is not wanted."
  }
}

run "actions_need_targets" {
  command         = plan
  expect_failures = [var.actions]

  variables {
    actions = { buckets = ["my-bucket"] }
  }
}

run "acting_has_a_queue_and_a_role_of_its_own" {
  variables {
    actions = { buckets = ["my-bucket"], targets = ["my-quarantine"], allowed = ["quarantine"], tasks = 0 }
  }

  assert {
    condition     = module.sqs.actions_arn != null
    error_message = "The queue is there."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(module.ecs.actions_policy).Statement :
      !contains(statement.Action, "s3:PutObject") || alltrue([for arn in statement.Resource : can(regex("my-bucket|my-quarantine", arn))])
    ])
    error_message = "It writes to the buckets named alone."
  }

  assert {
    condition = !anytrue([
      for statement in jsondecode(module.ecs.actions_policy).Statement :
      contains(statement.Action, "s3:PutBucketPublicAccessBlock") || contains(statement.Action, "s3:PutObjectVersionTagging")
    ])
    error_message = "What is not allowed is not granted."
  }

  assert {
    condition     = !strcontains(module.ecs.actions_policy, "s3:*") && !strcontains(module.ecs.actions_policy, "sqs:*")
    error_message = "No action by a wildcard."
  }
}

run "eventbridge_needs_buckets" {
  command         = plan
  expect_failures = [var.eventbridge]

  variables {
    eventbridge = true
  }
}

run "only_watched_buckets_may_send_events" {
  variables {
    watched_buckets = ["my-bucket"]
  }

  assert {
    condition = [
      for statement in jsondecode(module.sqs.object_events_policy).Statement :
      statement.Condition.ArnEquals["aws:SourceArn"] if statement.Effect == "Allow"
    ] == [["arn:aws:s3:::my-bucket"]]
    error_message = "S3 may send for watched buckets alone."
  }
}
