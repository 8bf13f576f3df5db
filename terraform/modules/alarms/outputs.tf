output "topic_arn" {
  description = "Topic that alarms go to."
  value       = aws_sns_topic.this.arn
}

output "alarm_names" {
  description = "Every alarm for people."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}

output "runbook_parts" {
  description = "Parts of docs/runbook.md that the alarms name."
  value       = distinct([for alarm in local.alarms : alarm.runbook])
}

output "dashboard_name" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
