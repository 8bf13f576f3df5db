output "function_name" {
  description = "The settle function."
  value       = module.settle.name
}

output "role_arn" {
  description = "Its role."
  value       = module.settle.role_arn
}
