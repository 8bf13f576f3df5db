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

variable "state_machine_arn" {
  description = "ARN that the state machine will have: its functions' settings name it before it is there."
  type        = string
}

variable "definition_file" {
  description = "Path of the state machine's definition."
  type        = string
}

variable "feed_timeout_s" {
  description = "Seconds of one Feed turn at most; above S3SCAN_FEED_TURN_S, equal to the definition's TimeoutSeconds."
  type        = number

  validation {
    condition     = var.feed_timeout_s >= 60 && var.feed_timeout_s <= 900
    error_message = "Lambda allows 900 seconds; a turn wants a minute at least."
  }
}

variable "feed_statements" {
  description = "Statements of the Feed function's policy."
  type        = any
}

variable "failed_statements" {
  description = "Statements of the policy of the function that marks a job failed."
  type        = any
}
