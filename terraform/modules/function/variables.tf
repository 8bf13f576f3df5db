variable "name" {
  description = "Name of the function, its role and its log group."
  type        = string
}

variable "description" {
  description = "One line about it."
  type        = string
}

variable "handler" {
  description = "module.function."
  type        = string
}

variable "package" {
  description = "Path of the zip file (make package)."
  type        = string
}

variable "runtime" {
  description = "Lambda's runtime; the Python that the package was built for."
  type        = string
}

variable "architecture" {
  description = "x86_64 or arm64; what the package was built for."
  type        = string
}

variable "timeout_s" {
  description = "Seconds after which Lambda ends a call."
  type        = number
}

variable "memory_mb" {
  description = "Memory, and with it processor."
  type        = number
}

variable "environment" {
  description = "Variables."
  type        = map(string)
}

variable "statements" {
  description = "Statements of its role's policy, beside logs, network and tracing. None names an action by a wildcard."
  type        = any
}

variable "subnet_ids" {
  description = "Subnets; empty keeps the function out of the VPC."
  type        = list(string)
}

variable "subnet_arns" {
  description = "The same as ARNs."
  type        = list(string)
}

variable "security_group_id" {
  description = "Its group in the VPC."
  type        = string
}

variable "security_group_arn" {
  description = "The same as ARN."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of its variables and its log."
  type        = string
}

variable "log_retention_days" {
  description = "Days that its log is kept."
  type        = number
}

variable "permissions_boundary" {
  description = "Boundary of its role, or null."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
