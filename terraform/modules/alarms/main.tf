################################################################################
# Alarms; docs/runbook.md has a part for each, by its name
################################################################################

locals {
  sqs      = "AWS/SQS"
  one      = { period = 60, evaluation_periods = 1, datapoints_to_alarm = 1 }
  for_five = { period = 60, evaluation_periods = 5, datapoints_to_alarm = 5 }

  oldest = {
    for lane in var.lane_names : "oldest-message-${lane}" => merge(local.for_five, {
      text       = "The oldest message of ${lane} waits for longer than ${var.oldest_message_s} s."
      runbook    = "oldest-message"
      namespace  = local.sqs
      metric     = "ApproximateAgeOfOldestMessage"
      statistic  = "Maximum"
      dimensions = { QueueName = lane }
      operator   = "GreaterThanThreshold"
      threshold  = var.oldest_message_s
      missing    = "notBreaching"
    })
  }

  others = {
    dead-letters = merge(local.one, {
      text       = "Messages were received three times without success; settle took them into the database."
      runbook    = "dead-letters"
      namespace  = var.metrics_namespace
      metric     = "DeadLetters"
      statistic  = "Sum"
      dimensions = {}
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
    dlq-not-emptied = merge(local.for_five, {
      text       = "Dead letters stay in the queue: settle does not take them."
      runbook    = "dlq-not-emptied"
      namespace  = local.sqs
      metric     = "ApproximateNumberOfMessagesVisible"
      statistic  = "Maximum"
      dimensions = { QueueName = var.dead_letters_name }
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
    object-events-wait = merge(local.for_five, {
      text       = "Events of S3 wait for longer than ${var.oldest_message_s} s: watched buckets are not scanned as they change."
      runbook    = "object-events-wait"
      namespace  = local.sqs
      metric     = "ApproximateAgeOfOldestMessage"
      statistic  = "Maximum"
      dimensions = { QueueName = var.object_events_name }
      operator   = "GreaterThanThreshold"
      threshold  = var.oldest_message_s
      missing    = "notBreaching"
    })
    executions-failed = merge(local.one, {
      text       = "A listing failed; its job says why in status_reason."
      runbook    = "executions-failed"
      namespace  = "AWS/States"
      metric     = "ExecutionsFailed"
      statistic  = "Sum"
      dimensions = { StateMachineArn = var.state_machine_arn }
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
    executions-timed-out = merge(local.one, {
      text       = "A listing timed out."
      runbook    = "executions-failed"
      namespace  = "AWS/States"
      metric     = "ExecutionsTimedOut"
      statistic  = "Sum"
      dimensions = { StateMachineArn = var.state_machine_arn }
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
    settle-fails = merge(local.for_five, {
      text       = "Settle failed for five minutes: progress stands still, dead letters stay, the fleet's size is not right."
      runbook    = "settle-fails"
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      statistic  = "Sum"
      dimensions = { FunctionName = var.settle_function_name }
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
    settle-silent = merge(local.for_five, {
      text       = "Settle was not called for five minutes."
      runbook    = "settle-silent"
      namespace  = "AWS/Lambda"
      metric     = "Invocations"
      statistic  = "Sum"
      dimensions = { FunctionName = var.settle_function_name }
      operator   = "LessThanThreshold"
      threshold  = 1
      missing    = "breaching"
    })
    proxy-pinning = merge(local.for_five, {
      text       = "Sessions of RDS Proxy are pinned: connections to the database will run out."
      runbook    = "proxy-pinning"
      namespace  = "AWS/RDS"
      metric     = "DatabaseConnectionsCurrentlySessionPinned"
      statistic  = "Maximum"
      dimensions = { ProxyName = var.proxy_name }
      operator   = "GreaterThanThreshold"
      threshold  = 5
      missing    = "notBreaching"
    })
    database-storage = merge(local.for_five, {
      text       = "The database has less than ${var.free_storage_gb} GB left."
      runbook    = "database-storage"
      namespace  = "AWS/RDS"
      metric     = "FreeStorageSpace"
      statistic  = "Minimum"
      dimensions = { DBInstanceIdentifier = var.instance_identifier }
      operator   = "LessThanThreshold"
      threshold  = var.free_storage_gb * 1000000000
      missing    = "notBreaching"
    })
    api-fails = merge(local.for_five, {
      text       = "The API answers with 5xx."
      runbook    = "api-fails"
      namespace  = "AWS/ApiGateway"
      metric     = "5xx"
      statistic  = "Sum"
      dimensions = { ApiId = var.api_id }
      operator   = "GreaterThanThreshold"
      threshold  = 0
      missing    = "notBreaching"
    })
  }

  alarms = merge(local.oldest, local.others)
}

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn

  tags = var.tags
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.this.arn
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = var.email
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text} ${var.runbook_url}#${each.value.runbook}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = each.value.datapoints_to_alarm
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  tags = var.tags
}

################################################################################
# Dashboard
################################################################################

locals {
  graphs = [
    { title = "Backlog (batches)", metrics = [[var.metrics_namespace, "BacklogBatches"]] },
    {
      title = "Workers"
      metrics = [
        ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
        ["ECS/ContainerInsights", "DesiredTaskCount", "ClusterName", var.cluster_name, "ServiceName", var.service_name],
      ]
    },
    { title = "Objects done, by outcome", metrics = [for name in ["ObjectsScanned", "ObjectsPartial", "ObjectsSkipped", "ObjectsFailed"] : [var.metrics_namespace, name, { stat = "Sum" }]] },
    { title = "Bytes read", metrics = [[var.metrics_namespace, "BytesRead", { stat = "Sum" }]] },
    { title = "Findings", metrics = [[var.metrics_namespace, "Findings", { stat = "Sum" }]] },
    { title = "Seconds of a batch in its lane (lag)", metrics = [for stat in ["p50", "p99"] : [var.metrics_namespace, "LagSeconds", { stat = stat }]] },
    { title = "Seconds of a batch in a worker", metrics = [for stat in ["p50", "p99"] : [var.metrics_namespace, "BatchSeconds", { stat = stat }]] },
    { title = "Batches that went back to their lane", metrics = [[var.metrics_namespace, "BatchesReleased", { stat = "Sum" }]] },
    { title = "Lanes: messages", metrics = [for lane in var.lane_names : [local.sqs, "ApproximateNumberOfMessagesVisible", "QueueName", lane]] },
    { title = "Lanes: age of the oldest message (s)", metrics = [for lane in var.lane_names : [local.sqs, "ApproximateAgeOfOldestMessage", "QueueName", lane, { stat = "Maximum" }]] },
    {
      title = "Dead letters"
      metrics = [
        [var.metrics_namespace, "DeadLetters", { stat = "Sum" }],
        [local.sqs, "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letters_name],
      ]
    },
    {
      title = "Listing"
      metrics = [for name in ["ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"] :
      ["AWS/States", name, "StateMachineArn", var.state_machine_arn, { stat = "Sum" }]]
    },
    {
      title = "Database"
      metrics = [
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.instance_identifier],
        ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.instance_identifier],
        ["AWS/RDS", "DatabaseConnectionsCurrentlySessionPinned", "ProxyName", var.proxy_name],
        ["AWS/RDS", "ClientConnections", "ProxyName", var.proxy_name],
      ]
    },
    {
      title = "API and settle"
      metrics = [
        ["AWS/ApiGateway", "Count", "ApiId", var.api_id, { stat = "Sum" }],
        ["AWS/ApiGateway", "4xx", "ApiId", var.api_id, { stat = "Sum" }],
        ["AWS/ApiGateway", "5xx", "ApiId", var.api_id, { stat = "Sum" }],
        ["AWS/Lambda", "Duration", "FunctionName", var.settle_function_name],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      x      = (index % 3) * 8
      y      = floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = graph.title
        region  = var.region
        view    = "timeSeries"
        period  = 60
        metrics = graph.metrics
      }
    }]
  })
}
