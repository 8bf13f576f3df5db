variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region, for the dashboard."
  type        = string
}

variable "account_id" {
  description = "Account whose alarms may be sent to the topic."
  type        = string
}

variable "email" {
  description = "Address that gets the alarms (confirm the subscription); null adds none."
  type        = string
}

variable "object_events_name" {
  description = "The queue of S3's events."
  type        = string
}

variable "lane_names" {
  description = "The lanes."
  type        = list(string)
}

variable "dead_letters_name" {
  description = "The dead letter queue."
  type        = string
}

variable "oldest_message_s" {
  description = "Age of a lane's oldest message that is an alarm."
  type        = number
}

variable "state_machine_arn" {
  description = "The listing state machine."
  type        = string
}

variable "settle_function_name" {
  description = "The settle function."
  type        = string
}

variable "api_id" {
  description = "The HTTP API."
  type        = string
}

variable "proxy_name" {
  description = "The database's proxy."
  type        = string
}

variable "instance_identifier" {
  description = "The database."
  type        = string
}

variable "free_storage_gb" {
  description = "Free storage of the database below which it is an alarm."
  type        = number
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string
}

variable "service_name" {
  description = "The workers' service."
  type        = string
}

variable "metrics_namespace" {
  description = "Namespace of the scanner's own metrics (S3SCAN_METRICS_NAMESPACE)."
  type        = string
}

variable "runbook_url" {
  description = "Where docs/runbook.md is read; each alarm's text ends with its part of it."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the topic."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
