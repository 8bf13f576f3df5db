output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of the zones."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "private_subnet_arns" {
  description = "The same as ARNs, for policies."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].arn]
}

output "app_security_group_id" {
  description = "Group of workers and functions."
  value       = aws_security_group.app.id
}

output "app_security_group_arn" {
  description = "The same as ARN, for policies."
  value       = aws_security_group.app.arn
}

output "endpoint_security_group_id" {
  description = "Group of the interface endpoints."
  value       = aws_security_group.endpoints.id
}
