variable "name" {
  description = "Name of the role; its ARN goes into member_role_arns of the scanner's own configuration."
  type        = string
  default     = "s3scan"
}

variable "scanner_role_arns" {
  description = "Roles of the scanner that may take this one: the output scanner_role_arns over there."
  type        = list(string)

  validation {
    condition     = length(var.scanner_role_arns) > 0 && alltrue([for arn in var.scanner_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "Name each role by its ARN, as the scanner's output scanner_role_arns gives them; a whole account is not accepted."
  }
}

variable "external_id" {
  description = "Text that the scanner must give with each request (external_id of a job): keeps others from using the scanner to get in here."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.external_id) >= 16 && can(regex("^[A-Za-z0-9+=,.@:/_-]+$", var.external_id))
    error_message = "Give 16 characters or more out of letters, digits and +=,.@:/_-."
  }
}

variable "buckets" {
  description = "Buckets of this account that the scanner may read."
  type        = list(string)

  validation {
    condition     = length(var.buckets) > 0 && alltrue([for bucket in var.buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "Name each bucket; * is not accepted here."
  }
}

variable "kms_key_arns" {
  description = "Keys that encrypt objects of these buckets (SSE-KMS)."
  type        = list(string)
  default     = []
}

variable "permissions_boundary" {
  description = "Boundary of the role, or null."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of the role."
  type        = map(string)
  default     = {}
}
