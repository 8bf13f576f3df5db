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

variable "timeout_s" {
  description = "Seconds of one call at most; below the queue's visibility timeout."
  type        = number
}

variable "statements" {
  description = "Statements of the function's policy."
  type        = any
}

variable "queue_arn" {
  description = "The queue of S3's events."
  type        = string
}

variable "buckets" {
  description = "Watched buckets; without any, the queue is not polled."
  type        = list(string)
}

variable "eventbridge" {
  description = "Send their events by a rule of EventBridge."
  type        = bool

  validation {
    condition     = !var.eventbridge || length(var.buckets) > 0
    error_message = "EventBridge needs the buckets by name: give watched_buckets."
  }
}

variable "batch_size" {
  description = "Messages of one call at most."
  type        = number
}

variable "batching_window_s" {
  description = "Seconds for which SQS gathers messages."
  type        = number
}
