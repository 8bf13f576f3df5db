output "state_machine_arn" {
  description = "The listing state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "feed_function_name" {
  description = "The Feed function."
  value       = module.feed.name
}

output "feed_role_arn" {
  description = "Role of the Feed function, for the trust policies of member accounts."
  value       = module.feed.role_arn
}

output "function_names" {
  description = "Both functions."
  value       = [module.feed.name, module.failed.name]
}
