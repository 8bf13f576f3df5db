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

variable "detect_package" {
  description = "Zip file of the detect function, or null without it."
  type        = string
}

variable "detect_memory_mb" {
  description = "Memory of the detect function; it holds the compiled rules."
  type        = number
}

variable "throttle_rate" {
  description = "Requests a second at the stage."
  type        = number
}

variable "throttle_burst" {
  description = "Requests at once at the stage."
  type        = number
}

variable "api_statements" {
  description = "Statements of the API function's policy."
  type        = any
}

variable "detect_statements" {
  description = "Statements of the detect function's policy."
  type        = any
}
