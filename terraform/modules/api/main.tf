################################################################################
# Functions
################################################################################

module "api" {
  source = "../function"

  name                 = "${var.name}-api"
  description          = "The HTTP API: starts jobs, reads and judges what they found"
  handler              = "api_lambda.handler.handler"
  package              = var.function.package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = 29 # API Gateway gives up after 30
  memory_mb            = var.memory_mb
  environment          = var.environment
  statements           = var.api_statements
  subnet_ids           = var.function.subnet_ids
  subnet_arns          = var.function.subnet_arns
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

# A function of its own: the engine would slow the start of every other request. Outside of the VPC, since it needs
# neither the database nor a bucket.
module "detect" {
  source = "../function"
  count  = var.detect_package == null ? 0 : 1

  name                 = "${var.name}-detect"
  description          = "POST /detect: finds values in a text that the caller sends"
  handler              = "api_lambda.detect_handler.handler"
  package              = var.detect_package
  runtime              = var.function.runtime
  architecture         = var.function.architecture
  timeout_s            = 29
  memory_mb            = var.detect_memory_mb
  environment          = { for name, value in var.environment : name => value if !contains(["DATABASE_URL", "S3SCAN_DATABASE_IAM", "S3SCAN_TRACE_SHARE"], name) }
  statements           = var.detect_statements
  subnet_ids           = []
  subnet_arns          = []
  security_group_id    = var.function.security_group_id
  security_group_arn   = var.function.security_group_arn
  kms_key_arn          = var.function.kms_key_arn
  log_retention_days   = var.function.log_retention_days
  permissions_boundary = var.function.permissions_boundary
  tags                 = var.tags
}

################################################################################
# HTTP API: every route is signed (AWS_IAM)
################################################################################

locals {
  functions = merge({ api = module.api }, { for detect in module.detect : "detect" => detect })
  # Of the security group's ARN, so that nothing is asked of AWS: arn:aws:ec2:REGION:ACCOUNT:…
  parts         = split(":", var.function.security_group_arn)
  execution_arn = "arn:${local.parts[1]}:execute-api:${local.parts[3]}:${local.parts[4]}:${aws_apigatewayv2_api.this.id}"
  routes        = merge({ "$default" = "api" }, { for detect in module.detect : "POST /detect" => "detect" })
}

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  description                  = "Finds personal, financial and secret data in S3"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = false

  tags = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = toset(values(local.routes))

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = local.functions[each.key].invoke_arn
  integration_method     = "POST"
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = "AWS_IAM"
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value].id}"
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338:Kept as long as the operator asks (log_retention_days).
  name              = "/${var.name}/api-access"
  retention_in_days = var.function.log_retention_days
  kms_key_id        = var.function.kms_key_arn

  tags = var.tags
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.throttle_rate
    throttling_burst_limit   = var.throttle_burst
    detailed_metrics_enabled = true
  }

  # Who asked what, and what was answered. No query: it holds object keys.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      request_id  = "$context.requestId"
      at          = "$context.requestTime"
      caller      = "$context.identity.userArn"
      source_ip   = "$context.identity.sourceIp"
      method      = "$context.httpMethod"
      route       = "$context.routeKey"
      status      = "$context.status"
      latency_ms  = "$context.responseLatency"
      integration = "$context.integrationErrorMessage"
      bytes       = "$context.responseLength"
    })
  }

  tags = var.tags
}

resource "aws_lambda_permission" "this" {
  for_each = local.functions

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = each.value.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${local.execution_arn}/*"
}
