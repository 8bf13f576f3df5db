output "lane_names" {
  description = "The lanes in order."
  value       = local.lanes
}

output "lane_arns" {
  description = "ARNs of the lanes, in order."
  value       = [for name in local.lanes : aws_sqs_queue.lane[name].arn]
}

output "actions_arn" {
  description = "ARN of the queue of actions on findings, or null."
  value       = one([for name, queue in aws_sqs_queue.lane : queue.arn if name == "actions"])
}

output "dead_letters_name" {
  description = "The dead letter queue."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letters_arn" {
  description = "ARN of the dead letter queue."
  value       = aws_sqs_queue.dead_letters.arn
}

output "object_events_arn" {
  description = "ARN of the queue of S3's events."
  value       = aws_sqs_queue.object_events.arn
}

output "object_events_policy" {
  description = "Who may send to it."
  value       = aws_sqs_queue_policy.this["scan-object-events"].policy
}

output "object_events_name" {
  description = "The queue of S3's events."
  value       = aws_sqs_queue.object_events.name
}

output "events_arn" {
  description = "ARN of Flower's queue."
  value       = aws_sqs_queue.events.arn
}

output "url_prefix" {
  description = "What the names follow in the queues' URLs (S3SCAN_QUEUE_URL_PREFIX)."
  value       = trimsuffix(aws_sqs_queue.dead_letters.id, aws_sqs_queue.dead_letters.name)
}
