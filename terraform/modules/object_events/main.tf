################################################################################
# Events of watched buckets: SQS calls the function, a second's worth at a time
################################################################################

module "object_events" {
  source = "../function"

  name                 = "${var.name}-object-events"
  description          = "Gives objects that S3's events name to the open job of their bucket"
  handler              = "stepfunctions.object_events.handler"
  package              = var.function.package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = var.timeout_s
  memory_mb            = var.memory_mb
  environment          = var.environment
  statements           = var.statements
  subnet_ids           = var.function.subnet_ids
  subnet_arns          = var.function.subnet_arns
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn                   = var.queue_arn
  function_name                      = module.object_events.arn
  enabled                            = length(var.buckets) > 0
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batching_window_s
  function_response_types            = ["ReportBatchItemFailures"]

  # Events of one bucket wait for one another in the database: more calls at a time would only wait.
  scaling_config {
    maximum_concurrency = 5
  }
}

################################################################################
# By EventBridge, where it is asked for
################################################################################

resource "aws_cloudwatch_event_rule" "objects" {
  count = var.eventbridge ? 1 : 0

  name        = "${var.name}-object-events"
  description = "Objects of watched buckets: written, restored, deleted"
  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Restore Completed", "Object Deleted"]
    detail      = { bucket = { name = var.buckets } }
  })

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "queue" {
  count = var.eventbridge ? 1 : 0

  rule = aws_cloudwatch_event_rule.objects[0].name
  arn  = var.queue_arn
}
