variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region, for the log driver."
  type        = string
}

variable "image" {
  description = "Image of the worker, by tag or digest; null takes the repository made here with image_tag."
  type        = string
}

variable "image_tag" {
  description = "Tag in the repository made here."
  type        = string
}

variable "repository_force_delete" {
  description = "Delete the repository with the images in it."
  type        = bool
}

variable "architecture" {
  description = "X86_64 or ARM64."
  type        = string

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "Give X86_64 or ARM64."
  }
}

variable "cpu" {
  description = "CPU units of a worker (1024 = one vCPU)."
  type        = number

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate knows 256, 512, 1024, 2048, 4096, 8192 and 16384."
  }
}

variable "memory_mb" {
  description = "Memory of a worker."
  type        = number
}

variable "ephemeral_storage_gb" {
  description = "Disk of a worker; S3SCAN_SPOOL_VOLUME_BYTES (8 GB) must fit."
  type        = number

  validation {
    condition     = var.ephemeral_storage_gb >= 21 && var.ephemeral_storage_gb <= 200
    error_message = "Fargate takes 21 to 200 GB."
  }
}

variable "max_workers" {
  description = "Threads of a worker that wait for S3 (MAX_WORKERS)."
  type        = number
}

variable "stop_timeout_s" {
  description = "Seconds from SIGTERM to SIGKILL (S3SCAN_STOP_TIMEOUT_S)."
  type        = number

  validation {
    condition     = var.stop_timeout_s >= 30 && var.stop_timeout_s <= 120
    error_message = "Fargate takes 120 seconds at most; a worker wants 30 at least."
  }
}

variable "min_tasks" {
  description = "Workers at least; 0 scales to zero when idle."
  type        = number
}

variable "max_tasks" {
  description = "Workers at most."
  type        = number
}

variable "spot_percent" {
  description = "Share of the workers on Fargate Spot."
  type        = number
}

variable "scaling" {
  description = "Numbers of the autoscaling policies."
  type = object({
    backlog_per_task     = number
    scale_out_cooldown_s = number
    scale_in_cooldown_s  = number
    step_from_zero       = number
  })
}

variable "autoscaling" {
  description = "Make the scaling policies; off only where there is no Application Auto Scaling (the emulator)."
  type        = bool
}

variable "metrics_namespace" {
  description = "Namespace of BacklogBatches (S3SCAN_METRICS_NAMESPACE)."
  type        = string
}

variable "environment" {
  description = "Settings of the scanner (docs/settings.md)."
  type        = map(string)
}

variable "secrets" {
  description = "Variables whose values ECS reads from Secrets Manager at the start: name → ARN, perhaps with :key::."
  type        = map(string)
}

variable "worker_statements" {
  description = "Statements of the worker's task role."
  type        = any
}

variable "actions" {
  description = "Statements of the role that acts on findings, and tasks of its service; null is off (docs/acting.md)."
  type        = any
}

variable "database" {
  description = "What the one-off tasks of migrations need."
  type = object({
    owner_url         = string
    owner_user        = string
    owner_secret_arn  = string
    master_url        = string
    master_secret_arn = string
    security_group_id = string
    ca_file           = string
  })
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of workers."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of the images, the logs and the secrets."
  type        = string
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
}

variable "permissions_boundary" {
  description = "Boundary of the roles, or null."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
