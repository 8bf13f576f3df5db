################################################################################
# The functions of the listing: a turn of Feed (list, cut, send), and what Catch calls
################################################################################

module "feed" {
  source = "../function"

  name                 = "${var.name}-feed"
  description          = "One turn: lists a job's bucket, cuts batches, tops up the window of its lane"
  handler              = "stepfunctions.feed.handler"
  package              = var.function.package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = var.feed_timeout_s
  memory_mb            = var.memory_mb
  environment          = var.environment
  statements           = var.feed_statements
  subnet_ids           = var.function.subnet_ids
  subnet_arns          = var.function.subnet_arns
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

module "failed" {
  source = "../function"

  name                 = "${var.name}-failed"
  description          = "Marks a job failed with the cause that the state machine caught"
  handler              = "stepfunctions.feed.failed"
  package              = var.function.package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = 60
  memory_mb            = var.memory_mb
  environment          = var.environment
  statements           = var.failed_statements
  subnet_ids           = var.function.subnet_ids
  subnet_arns          = var.function.subnet_arns
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

################################################################################
# The state machine
################################################################################

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:Kept as long as the operator asks (log_retention_days).
  name              = "/aws/vendedlogs/states/${var.name}-listing"
  retention_in_days = var.function.log_retention_days
  kms_key_id        = var.function.kms_key_arn

  tags = var.tags
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-states"
  description          = "Of the listing state machine"
  permissions_boundary = var.function.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = split(":", var.state_machine_arn)[4] } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "this" {
  name = "only"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Functions"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = [module.feed.arn, module.failed.arn]
      },
      {
        # The delivery of logs knows no resources (AWS's own documented statement).
        Sid    = "Logs"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        Resource = "*"
      },
      {
        Sid      = "Trace"
        Effect   = "Allow"
        Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
    ]
  })
}

resource "aws_sfn_state_machine" "this" {
  name     = split(":", var.state_machine_arn)[6]
  role_arn = aws_iam_role.this.arn
  type     = "STANDARD"
  definition = templatefile(var.definition_file, {
    FeedFunctionArn   = module.feed.arn
    FailedFunctionArn = module.failed.arn
  })

  logging_configuration {
    level = "ERROR"
    # Executions carry ids and turn numbers, no object names.
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.this.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.this]
}
