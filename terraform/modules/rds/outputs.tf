output "proxy_url" {
  description = "DATABASE_URL of workers and functions: by RDS Proxy, without a password (IAM)."
  value       = "postgresql+psycopg2://${local.owner}@${aws_db_proxy.this.endpoint}:${local.port}/${local.database}"
}

output "owner_url" {
  description = "DATABASE_URL of migrations: the database's own endpoint as the application's user; PGPASSWORD beside it."
  value       = "postgresql+psycopg2://${local.owner}@${aws_db_instance.this.address}:${local.port}/${local.database}"
}

output "master_url" {
  description = "DATABASE_URL of `s3scan db create-owner`: the database's own endpoint as the master; PGPASSWORD beside it."
  value       = "postgresql+psycopg2://${local.master}@${aws_db_instance.this.address}:${local.port}/${local.database}"
}

output "owner_secret_arn" {
  description = "Secret of the application's user."
  value       = aws_secretsmanager_secret.owner.arn
}

output "master_secret_arn" {
  description = "Secret of the master, kept by RDS."
  value       = one(aws_db_instance.this.master_user_secret[*].secret_arn)
}

output "owner_user" {
  description = "Name of the application's user."
  value       = local.owner
}

output "connect_arn" {
  description = "Resource of rds-db:connect: the application's user at the proxy."
  value       = "${replace(replace(aws_db_proxy.this.arn, ":rds:", ":rds-db:"), ":db-proxy:", ":dbuser:")}/${local.owner}"
}

output "proxy_name" {
  description = "Name of the proxy, for alarms."
  value       = aws_db_proxy.this.name
}

output "instance_identifier" {
  description = "Identifier of the instance, for the dashboard."
  value       = aws_db_instance.this.identifier
}

output "database_address" {
  description = "Host name of the database itself, for the bastion's port forwarding."
  value       = aws_db_instance.this.address
}

output "migration_security_group_id" {
  description = "Group of tasks that reach the database itself."
  value       = aws_security_group.migration.id
}
