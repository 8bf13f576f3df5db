output "function_name" {
  description = "The settle function."
  value       = module.settle.name
}

output "role_arn" {
  description = "Its role."
  value       = module.settle.role_arn
}

output "schedules_role_arn" {
  description = "Role of the function that looks at schedules: it asks whether buckets can be listed."
  value       = module.schedules.role_arn
}
