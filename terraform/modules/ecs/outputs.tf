output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "service_name" {
  description = "The workers' service."
  value       = aws_ecs_service.worker.name
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "ARN of the repository."
  value       = aws_ecr_repository.this.arn
}

output "image" {
  description = "The image that tasks run."
  value       = local.image
}

output "worker_role_arn" {
  description = "The workers' role, for the trust policies of member accounts."
  value       = aws_iam_role.worker.arn
}

output "actions_policy" {
  description = "What the role that acts on findings may; null where there is none."
  value       = one(aws_iam_role_policy.actions[*].policy)
}

output "one_off_tasks" {
  description = "Task definitions of `make migrate`, in order."
  value       = [for name in ["create-owner", "migrate"] : aws_ecs_task_definition.one_off[name].family]
}

output "log_group" {
  description = "Log of workers and one-off tasks."
  value       = aws_cloudwatch_log_group.this.name
}
