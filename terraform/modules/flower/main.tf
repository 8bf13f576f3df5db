################################################################################
# The dashboard: one task, no public address, user and password, reached by the bastion's port forwarding
################################################################################

locals {
  port    = 5555
  scratch = "/scratch"
  environment = merge(var.environment, {
    FLOWER_ADDRESS = "0.0.0.0" # of a private subnet; its group lets the bastion in only
    FLOWER_PORT    = tostring(local.port)
    FLOWER_DB      = "${local.scratch}/flower"
    FLOWER_HISTORY = "s3://${aws_s3_bucket.history.bucket}/flower"
    TMPDIR         = local.scratch
    HOME           = local.scratch
  })
}

# user:password, put in after the apply (s3scan ops fill-secrets), so that no state file has it.
resource "aws_secretsmanager_secret" "login" {
  # checkov:skip=CKV2_AWS_57:Renewed by operators with `s3scan ops fill-secrets --renew`.
  name                    = "${var.name}/flower"
  description             = "user:password of Flower"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days

  tags = var.tags
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:Kept as long as the operator asks (log_retention_days).
  name              = "/${var.name}/flower"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${var.name}-flower"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.this.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([{
    name                   = "flower"
    image                  = var.image
    command                = ["python", "-m", "scanner_tasks.sqs.flower", "-A", "scanner_tasks.app"]
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    privileged             = false
    stopTimeout            = 60 # the last snapshot of its history
    mountPoints            = [{ sourceVolume = "scratch", containerPath = local.scratch, readOnly = false }]
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    portMappings           = [{ containerPort = local.port, protocol = "tcp" }]
    environment            = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets                = [{ name = "FLOWER_BASIC_AUTH", valueFrom = aws_secretsmanager_secret.login.arn }]
    healthCheck = {
      command     = ["CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:${local.port}/healthcheck', timeout=5)"]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 60
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = "flower"
      }
    }
  }])

  tags = var.tags
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  count = var.discovery ? 1 : 0

  name        = "${var.name}.internal" # and the output host
  description = "Names inside of the VPC"
  vpc         = var.vpc_id

  tags = var.tags
}

resource "aws_service_discovery_service" "this" {
  count = var.discovery ? 1 : 0

  name = "flower"

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.this[0].id

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  tags = var.tags
}

# Never two at a time: both would take the same events and write the same history.
resource "aws_ecs_service" "this" {
  name                               = "flower"
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  propagate_tags                     = "SERVICE"

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.app_security_group_id, aws_security_group.this.id]
    assign_public_ip = false
  }

  dynamic "service_registries" {
    for_each = aws_service_discovery_service.this

    content {
      registry_arn = service_registries.value.arn
    }
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.execution]
}

resource "aws_security_group" "this" {
  name        = "${var.name}-flower"
  description = "Flower: from the bastion only"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-flower" })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = each.value
  description                  = "Flower, from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = var.tags
}

resource "aws_vpc_security_group_egress_rule" "client" {
  for_each = var.client_security_group_ids

  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.this.id
  description                  = "Flower, from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = var.tags
}

################################################################################
# Its history outlives its task
################################################################################

resource "aws_s3_bucket" "history" {
  # checkov:skip=CKV_AWS_18:One object, written by one role; CloudTrail has the rest.
  # checkov:skip=CKV_AWS_144:A dashboard's history is not worth a second Region.
  # checkov:skip=CKV2_AWS_62:Nobody waits for its changes.
  bucket        = "${var.name}-flower-${var.account_id}-${var.region}"
  force_destroy = var.force_delete

  tags = var.tags
}

resource "aws_s3_bucket_public_access_block" "history" {
  bucket                  = aws_s3_bucket.history.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "history" {
  bucket = aws_s3_bucket.history.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "history" {
  bucket = aws_s3_bucket.history.id

  versioning_configuration {
    status = "Enabled"
  }
}

# A snapshot each minute: old versions go soon.
resource "aws_s3_bucket_lifecycle_configuration" "history" {
  bucket = aws_s3_bucket.history.id

  rule {
    id     = "old-snapshots"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.history]
}

################################################################################
# Roles
################################################################################

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role" "execution" {
  name                 = "${var.name}-flower-execution"
  description          = "ECS for Flower: image, login, log"
  assume_role_policy   = local.trust
  permissions_boundary = var.permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name = "only"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A token is of the account's registry: it has no resource.
        Sid      = "Registry"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "Image"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
        Resource = var.repository_arn
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      {
        Sid      = "Login"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = aws_secretsmanager_secret.login.arn
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-flower"
  description          = "Flower: reads its events, the depth of the queues, its history"
  assume_role_policy   = local.trust
  permissions_boundary = var.permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "this" {
  name = "only"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Events"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
        Resource = var.queues.events
      },
      {
        Sid      = "Depth"
        Effect   = "Allow"
        Action   = "sqs:GetQueueAttributes"
        Resource = var.queues.shown
      },
      {
        Sid      = "History"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.history.arn}/flower/*"
      },
      {
        # Without it S3 calls a missing history a forbidden one.
        Sid       = "HistoryIsMissing"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = aws_s3_bucket.history.arn
        Condition = { StringLike = { "s3:prefix" = ["flower/*"] } }
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = ["sqs.${var.region}.amazonaws.com", "s3.${var.region}.amazonaws.com"] }
        }
      },
    ]
  })
}
