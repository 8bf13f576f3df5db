variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "vpc_id" {
  description = "VPC."
  type        = string
}

variable "subnet_id" {
  description = "Private subnet."
  type        = string
}

variable "endpoint_security_group_id" {
  description = "Group of the interface endpoints (ssm, ssmmessages, ec2messages)."
  type        = string
}

variable "migration_security_group_id" {
  description = "Group whose members reach the database itself."
  type        = string
}

variable "instance_type" {
  description = "Type of the instance; an ARM one."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of its disk."
  type        = string
}

variable "permissions_boundary" {
  description = "Boundary of its role, or null."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
