variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "cidr" {
  description = "Address range of the VPC; /16 to /24, so that each subnet has at least 16 addresses."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 24
    error_message = "Give the VPC's range as CIDR between /16 and /24, such as 10.42.0.0/20."
  }
}

variable "availability_zones" {
  description = "Zones that get a subnet each; RDS needs two."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "Name at least two different availability zones: RDS wants them."
  }
}

variable "region" {
  description = "Region, for the names of the endpoints' services."
  type        = string
}

variable "interface_endpoints" {
  description = "AWS services that are reached by an interface endpoint in the VPC."
  type        = set(string)
}

variable "nat" {
  description = "Add a NAT gateway: needed for buckets of other Regions, other S3 stores and webhooks; costs by the hour and by the GB."
  type        = bool
}

variable "collector_port" {
  description = "Port of a collector of traces in the VPC; null for none."
  type        = number
}

variable "flow_logs" {
  description = "Keep the VPC's flow logs in CloudWatch."
  type        = bool
}

variable "log_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow logs."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
