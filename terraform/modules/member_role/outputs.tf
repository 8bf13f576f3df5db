output "role_arn" {
  description = "For member_role_arns of the scanner's configuration, and role_arn of its jobs."
  value       = aws_iam_role.this.arn
}
