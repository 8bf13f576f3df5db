output "api_url" {
  description = "Where the API answers; sign requests for the service execute-api."
  value       = module.api.url
}

output "api_invoke_policy" {
  description = "Policy document for whoever may use the whole API."
  value       = module.api.invoke_policy
}

output "api_read_policy" {
  description = "Policy document for whoever may only read."
  value       = module.api.read_policy
}

output "queue_url_prefix" {
  description = "S3SCAN_QUEUE_URL_PREFIX."
  value       = module.sqs.url_prefix
}

output "lane_names" {
  description = "The lanes."
  value       = module.sqs.lane_names
}

output "object_events_queue_arn" {
  description = "Where notifications of watched buckets go."
  value       = module.sqs.object_events_arn
}

output "state_machine_arn" {
  description = "S3SCAN_STATE_MACHINE_ARN."
  value       = module.step_functions.state_machine_arn
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.ecs.cluster_name
}

output "service_name" {
  description = "The workers' service."
  value       = module.ecs.service_name
}

output "repository_url" {
  description = "Where make image pushes to."
  value       = module.ecs.repository_url
}

output "migration" {
  description = "What make migrate runs, and where."
  value = {
    tasks           = module.ecs.one_off_tasks
    subnets         = module.vpc.private_subnet_ids
    security_groups = [module.vpc.app_security_group_id, module.rds.migration_security_group_id]
    log_group       = module.ecs.log_group
  }
}

output "secrets" {
  description = "Secrets that `s3scan ops fill-secrets` gives a value: kind → ARN."
  value = merge(
    {
      database    = module.rds.owner_secret_arn
      fingerprint = aws_secretsmanager_secret.fingerprint_key.arn
    },
    { for flower in module.flower : "flower" => flower.login_secret_arn },
  )
}

output "scanner_role_arns" {
  description = "Roles that read buckets: what scanner_role_arns of modules/member_role wants in a member account."
  value       = [module.api.role_arn, module.step_functions.feed_role_arn, module.ecs.worker_role_arn, module.refresh_lambda.schedules_role_arn]
}

output "flower" {
  description = "Address of the dashboard inside of the VPC, or null."
  value       = one([for flower in module.flower : "${flower.host}:${flower.port}"])
}

output "bastion_instance_id" {
  description = "Target of aws ssm start-session, or null."
  value       = one([for bastion in module.bastion : bastion.instance_id])
}

output "database_address" {
  description = "Host name of the database itself, for port forwarding."
  value       = module.rds.database_address
}

output "alarm_topic_arn" {
  description = "Topic of the alarms."
  value       = module.alarms.topic_arn
}

output "runbook_parts" {
  description = "Parts of docs/runbook.md that alarms name."
  value       = module.alarms.runbook_parts
}

output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = module.alarms.dashboard_name
}
