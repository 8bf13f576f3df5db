output "role_arn" {
  description = "The function's role."
  value       = module.object_events.role_arn
}
