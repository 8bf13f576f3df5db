# Runs in a member account: lets the scanner of another account read two buckets here.

variable "external_id" {
  description = "Text that the scanner gives as external_id of a job."
  type        = string
  sensitive   = true
}

provider "aws" {}

module "s3scan_reader" {
  source = "../../modules/member_role"

  scanner_role_arns = [
    "arn:aws:iam::111122223333:role/s3scan-api",
    "arn:aws:iam::111122223333:role/s3scan-feed",
    "arn:aws:iam::111122223333:role/s3scan-worker",
  ]
  external_id = var.external_id
  buckets     = ["member-bucket", "member-logs"]
}

output "role_arn" {
  description = "For member_role_arns over there."
  value       = module.s3scan_reader.role_arn
}
