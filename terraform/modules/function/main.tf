################################################################################
# A Lambda function with a role, a policy and a log group of its own
################################################################################

locals {
  # arn:aws:ec2:REGION:ACCOUNT:subnet/ID
  parts     = split(":", var.security_group_arn)
  account   = local.parts[4]
  region    = local.parts[3]
  self      = "arn:${local.parts[1]}:lambda:${local.region}:${local.account}:function:${var.name}"
  is_inside = length(var.subnet_ids) > 0
  eni       = "arn:${local.parts[1]}:ec2:${local.region}:${local.account}:network-interface/*"

  network = [
    {
      # Describing has no resources in EC2's grammar.
      Sid      = "NetworkDescribe"
      Effect   = "Allow"
      Action   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
      Resource = "*"
    },
    {
      Sid      = "Network"
      Effect   = "Allow"
      Action   = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
      Resource = concat([local.eni, var.security_group_arn], var.subnet_arns)
    },
    {
      # Lambda itself attaches the function to the VPC; the function's code has no use for it.
      Sid      = "NetworkNotForCode"
      Effect   = "Deny"
      Action   = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
      Resource = "*"
      Condition = {
        ArnEquals = { "lambda:SourceFunctionArn" = local.self }
      }
    },
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:Kept as long as the operator asks (log_retention_days); findings are in the database, not here.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Of the function ${var.name}"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "this" {
  name = "only"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${aws_cloudwatch_log_group.this.arn}:*"
        },
        {
          # X-Ray knows no resources.
          Sid      = "Trace"
          Effect   = "Allow"
          Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          Resource = "*"
        },
      ],
      [for statement in local.network : statement if local.is_inside],
      var.statements,
    )
  })
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_115:A new account has ten concurrent calls in all; what is reserved here is missing elsewhere. The API is throttled at its stage.
  # checkov:skip=CKV_AWS_116:A failed call is told to its caller, or made up for: API, state machine, next minute's settle.
  # checkov:skip=CKV_AWS_117:detect reads neither database nor bucket; the others are in the VPC.
  # checkov:skip=CKV_AWS_272:The package is built by its operator from this repository, byte for byte the same (make package).
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = var.runtime
  architectures    = [var.architecture]
  handler          = var.handler
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  timeout          = var.timeout_s
  memory_size      = var.memory_mb
  kms_key_arn      = var.kms_key_arn

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = length(var.subnet_ids) == 0 ? [] : [true]

    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = [var.security_group_id]
    }
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.this]
}
