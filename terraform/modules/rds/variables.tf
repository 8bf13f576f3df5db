variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the database."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in two zones or more."
  type        = list(string)
}

variable "app_security_group_id" {
  description = "Group of workers and functions, which may reach the proxy, and by migrations the database itself."
  type        = string
}

variable "engine_version" {
  description = "PostgreSQL's major version."
  type        = string

  validation {
    condition     = can(regex("^1[5-9]$", var.engine_version))
    error_message = "Give a major version of PostgreSQL between 15 and 19."
  }
}

variable "instance_class" {
  description = "Class of the instance."
  type        = string

  validation {
    condition     = can(regex("^db\\.", var.instance_class))
    error_message = "Give an RDS class such as db.r6g.large."
  }
}

variable "multi_az" {
  description = "Keep a standby in another zone."
  type        = bool
}

variable "storage_gb" {
  description = "Storage at first; it grows up to max_storage_gb by itself."
  type        = number
}

variable "max_storage_gb" {
  description = "Storage at most."
  type        = number
}

variable "backup_days" {
  description = "Days that automatic backups are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the database; also keeps a last snapshot."
  type        = bool
}

variable "max_connections_percent" {
  description = "Share of the database's connections that the proxy may use."
  type        = number

  validation {
    condition     = var.max_connections_percent >= 1 && var.max_connections_percent <= 90
    error_message = "Leave migrations and operators some connections: 1 to 90."
  }
}

variable "idle_client_timeout_s" {
  description = "Seconds after which the proxy closes an idle client connection; above S3SCAN_DATABASE_POOL_RECYCLE_S."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of the storage, the secrets and the insights."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "recovery_window_days" {
  description = "Days in which a deleted secret can be brought back."
  type        = number
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
