output "instance_id" {
  description = "Target of `aws ssm start-session`."
  value       = aws_instance.this.id
}

output "security_group_id" {
  description = "Its group, for those that let it in."
  value       = aws_security_group.this.id
}
