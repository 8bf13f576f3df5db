output "host" {
  description = "Its name inside of the VPC."
  value       = "flower.${aws_service_discovery_private_dns_namespace.this.name}"
}

output "port" {
  description = "Its port."
  value       = local.port
}

output "login_secret_arn" {
  description = "Secret with user:password."
  value       = aws_secretsmanager_secret.login.arn
}
