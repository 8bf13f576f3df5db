# The whole configuration against an emulator of AWS on this machine. README.md beside this file says what is left out.

variable "endpoint_url" {
  description = "Where the emulator answers."
  type        = string
}

variable "database_url" {
  description = "A PostgreSQL of this machine."
  type        = string
}

variable "package_dir" {
  description = "Folder with the zips of make package."
  type        = string
}

variable "buckets" {
  description = "Buckets that may be scanned."
  type        = list(string)
}

variable "lambda_runtime" {
  description = "Runtime whose Python the packages were built for."
  type        = string
  default     = "python3.11"
}

variable "settings" {
  description = "Further settings of the scanner."
  type        = map(string)
  default     = {}
}

variable "member_role_arns" {
  description = "Roles of the emulator's other accounts that jobs may name."
  type        = list(string)
  default     = []
}

variable "access_key" {
  description = "Key that the emulator takes for the account's own."
  type        = string
  default     = "test"
}

variable "secret_key" {
  description = "Its secret."
  type        = string
  default     = "test"
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = var.access_key
  secret_key                  = var.secret_key
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true

  endpoints {
    apigatewayv2     = var.endpoint_url
    appautoscaling   = var.endpoint_url
    cloudwatch       = var.endpoint_url
    cloudwatchevents = var.endpoint_url
    cloudwatchlogs   = var.endpoint_url
    ec2              = var.endpoint_url
    ecr              = var.endpoint_url
    ecs              = var.endpoint_url
    iam              = var.endpoint_url
    kms              = var.endpoint_url
    lambda           = var.endpoint_url
    rds              = var.endpoint_url
    s3               = var.endpoint_url
    secretsmanager   = var.endpoint_url
    servicediscovery = var.endpoint_url
    sfn              = var.endpoint_url
    sns              = var.endpoint_url
    sqs              = var.endpoint_url
    sts              = var.endpoint_url
  }
}

module "s3scan" {
  source = "../.."

  buckets             = var.buckets
  package_dir         = var.package_dir
  lambda_runtime      = var.lambda_runtime
  settings            = var.settings
  member_role_arns    = var.member_role_arns
  account_id          = "000000000000"
  availability_zones  = ["us-east-1a", "us-east-1b"]
  deletion_protection = false
  emulator = {
    endpoint_url = var.endpoint_url
    database_url = var.database_url
  }
}

output "s3scan" {
  description = "What the tests need."
  value       = module.s3scan
}
