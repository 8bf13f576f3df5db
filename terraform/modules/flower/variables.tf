variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "Region, for the log driver."
  type        = string
}

variable "account_id" {
  description = "Account, for the history bucket's name."
  type        = string
}

variable "cluster_arn" {
  description = "ECS cluster that it runs in."
  type        = string
}

variable "image" {
  description = "The workers' image."
  type        = string
}

variable "repository_arn" {
  description = "Repository of that image."
  type        = string
}

variable "architecture" {
  description = "X86_64 or ARM64."
  type        = string
}

variable "environment" {
  description = "Settings of the scanner (docs/settings.md); without the database's."
  type        = map(string)
}

variable "queues" {
  description = "ARNs of the queues whose depth it shows, and of the events queue that it reads."
  type = object({
    shown  = list(string)
    events = string
  })
}

variable "vpc_id" {
  description = "VPC, for the private name."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "app_security_group_id" {
  description = "Group with the ways to endpoints and S3."
  type        = string
}

variable "client_security_group_ids" {
  description = "Groups whose members may open it: the bastion's."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "Key of the secret, the log and the history."
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

variable "force_delete" {
  description = "Delete the history bucket with what is in it."
  type        = bool
}

variable "discovery" {
  description = "Give it a name inside of the VPC; off only where there is no service discovery (the emulator)."
  type        = bool
}

variable "permissions_boundary" {
  description = "Boundary of the roles, or null."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
