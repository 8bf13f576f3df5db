output "host" {
  description = "Its name inside of the VPC."
  value       = "flower.${var.name}.internal"
}

output "port" {
  description = "Its port."
  value       = local.port
}

output "login_secret_arn" {
  description = "Secret with user:password."
  value       = aws_secretsmanager_secret.login.arn
}
