# Everything on: member accounts, another Region, an S3 store elsewhere, scale to zero on Spot, bastion, alarms by mail.

variable "region" {
  description = "Region of the deployment."
  type        = string
  default     = "us-east-1"
}

variable "account_id" {
  description = "Account of the deployment; null asks AWS."
  type        = string
  default     = null
}

variable "availability_zones" {
  description = "Zones; null asks AWS."
  type        = list(string)
  default     = null
}

variable "package_dir" {
  description = "Folder with the zips of make package."
  type        = string
  default     = "../../../dist"
}

provider "aws" {
  region = var.region
}

module "s3scan" {
  source = "../.."

  # What is scanned
  buckets          = ["my-bucket", "my-logs"]
  kms_key_arns     = ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
  rule_objects     = ["s3://my-rules/our.toml"]
  look_around      = true
  watched_buckets  = ["my-bucket"]
  actions          = { buckets = ["my-bucket"], targets = ["my-quarantine"] }
  eventbridge      = true
  member_role_arns = ["arn:aws:iam::444455556666:role/s3scan"]

  # Needs NAT
  nat               = true
  other_regions     = ["eu-west-1"]
  allowed_endpoints = { "https://store.example:9000" = "" }

  # How large
  scale        = "large"
  min_tasks    = 0
  spot_percent = 80
  architecture = "arm64"
  scaling      = { backlog_per_task = 100, scale_in_cooldown_s = 300 }
  settings     = { S3SCAN_RETENTION_DAYS = "365", S3SCAN_LOG_LEVEL = "INFO" }

  # Operation
  package_dir     = var.package_dir
  image_tag       = "0.1.0"
  bastion         = true
  alarm_email     = "security@example.com"
  tracing         = { endpoint = "https://collector.example", share = 0.01 }
  runbook_url     = "https://wiki.example.com/s3scan/runbook.md"
  dedicated_lanes = { my-logs = "scan-7" }
  tags            = { Owner = "security" }

  account_id         = var.account_id
  availability_zones = var.availability_zones
}

output "s3scan" {
  description = "Everything that scripts need."
  value       = module.s3scan
}
