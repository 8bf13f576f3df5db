################################################################################
# Settle: sweep, dead letters, completion, REFRESH MATERIALIZED VIEW job_progress, the backlog metric; each minute
################################################################################

module "settle" {
  source = "../function"

  name                 = "${var.name}-settle"
  description          = "Each minute: refreshes job_progress, returns expired leases, takes dead letters, publishes the backlog"
  handler              = "stepfunctions.settle.handler"
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

# A run that failed is not tried again: the next one, a minute later, does its work.
resource "aws_lambda_function_event_invoke_config" "settle" {
  function_name                = module.settle.name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_cloudwatch_event_rule" "minute" {
  name                = "${var.name}-settle"
  description         = "Settle, each minute"
  schedule_expression = var.schedule

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "settle" {
  rule = aws_cloudwatch_event_rule.minute.name
  arn  = module.settle.arn
}

resource "aws_lambda_permission" "minute" {
  statement_id  = "minute"
  action        = "lambda:InvokeFunction"
  function_name = module.settle.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.minute.arn
}

################################################################################
# Schedules: begins the jobs that are due; each minute, beside settle and without its rights
################################################################################

module "schedules" {
  source = "../function"

  name                 = "${var.name}-schedules"
  description          = "Each minute: begins the jobs that schedules have due"
  handler              = "stepfunctions.schedules.handler"
  package              = var.function.package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = var.schedules_timeout_s
  memory_mb            = var.memory_mb
  environment          = var.environment
  statements           = var.schedules_statements
  subnet_ids           = var.function.subnet_ids
  subnet_arns          = var.function.subnet_arns
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

resource "aws_lambda_function_event_invoke_config" "schedules" {
  function_name                = module.schedules.name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_cloudwatch_event_target" "schedules" {
  rule = aws_cloudwatch_event_rule.minute.name
  arn  = module.schedules.arn
}

resource "aws_lambda_permission" "schedules" {
  statement_id  = "minute"
  action        = "lambda:InvokeFunction"
  function_name = module.schedules.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.minute.arn
}
