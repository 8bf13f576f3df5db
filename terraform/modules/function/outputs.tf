output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "ARN by which API Gateway calls it."
  value       = aws_lambda_function.this.invoke_arn
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "Its role, for the trust policies of member accounts."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of its role."
  value       = aws_iam_role.this.name
}
