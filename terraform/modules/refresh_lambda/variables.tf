variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "function" {
  description = "What all functions have in common: package, runtime, architecture, network, log, key."
  type = object({
    package              = string
    runtime              = string
    architecture         = string
    subnet_ids           = list(string)
    subnet_arns          = list(string)
    security_group_id    = string
    security_group_arn   = string
    kms_key_arn          = string
    log_retention_days   = number
    permissions_boundary = string
  })
}

variable "environment" {
  description = "Settings of the scanner (docs/settings.md)."
  type        = map(string)
}

variable "memory_mb" {
  description = "Memory of each function."
  type        = number
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}

variable "schedule" {
  description = "How often settle runs."
  type        = string
}

variable "timeout_s" {
  description = "Seconds of one run at most."
  type        = number
}

variable "statements" {
  description = "Statements of the function's policy."
  type        = any
}

variable "schedules_timeout_s" {
  description = "Seconds of one look at the schedules at most."
  type        = number
}

variable "schedules_statements" {
  description = "Statements of the policy of the function that looks at schedules."
  type        = any
}
