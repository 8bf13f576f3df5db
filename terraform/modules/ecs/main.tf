################################################################################
# Images
################################################################################

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.repository_force_delete

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }

  tags = var.tags
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last twenty"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}

locals {
  image = coalesce(var.image, "${aws_ecr_repository.this.repository_url}:${var.image_tag}")
  # The only folder that may be written to.
  scratch = "/scratch"

  environment = merge(var.environment, {
    MAX_WORKERS            = tostring(var.max_workers)
    S3SCAN_STOP_TIMEOUT_S  = tostring(var.stop_timeout_s)
    S3SCAN_LIVENESS_FILE   = "${local.scratch}/worker.alive"
    S3SCAN_SPOOL_DIRECTORY = local.scratch
    TMPDIR                 = local.scratch
    HOME                   = local.scratch
  })

  log = {
    for stream in ["worker", "actions", "migrate", "create-owner"] : stream => {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = var.region
        "awslogs-stream-prefix" = stream
        # A worker never waits for its log.
        "mode"            = "non-blocking"
        "max-buffer-size" = "4m"
      }
    }
  }

  # What every container of ours has in common.
  container = {
    image                  = local.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    privileged             = false
    mountPoints            = [{ sourceVolume = "scratch", containerPath = local.scratch, readOnly = false }]
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338:Kept as long as the operator asks (log_retention_days).
  name              = "/${var.name}/workers"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

################################################################################
# Cluster and worker
################################################################################

resource "aws_ecs_cluster" "this" {
  name = var.name

  # RunningTaskCount, which the scaling divides by, comes from Container Insights.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  tags = var.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mb
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.worker.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  ephemeral_storage {
    size_in_gib = var.ephemeral_storage_gb
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([merge(local.container, {
    name             = "worker"
    environment      = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    secrets          = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
    logConfiguration = local.log.worker
    stopTimeout      = var.stop_timeout_s
    healthCheck = {
      command     = ["CMD", "s3scan", "worker", "health"]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 120
    }
  })])

  tags = var.tags
}

resource "aws_ecs_service" "worker" {
  name                               = "worker"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.worker.arn
  desired_count                      = var.min_tasks
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  enable_execute_command             = false

  # The first task stays on Fargate where there are others; Spot takes its share of what is beyond.
  dynamic "capacity_provider_strategy" {
    for_each = var.spot_percent < 100 ? [true] : []

    content {
      capacity_provider = "FARGATE"
      weight            = 100 - var.spot_percent
      base              = 1
    }
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot_percent > 0 ? [true] : []

    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = var.spot_percent
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  tags = var.tags

  lifecycle {
    # Autoscaling's business.
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.worker, aws_iam_role_policy.execution]
}

################################################################################
# One-off tasks of `make migrate`, on the database's own endpoint
################################################################################

locals {
  one_off = {
    # Makes the application's user; the only task that sees the master's password.
    create-owner = {
      command = ["s3scan", "db", "create-owner"]
      environment = {
        DATABASE_URL            = var.database.master_url
        S3SCAN_DATABASE_CA_FILE = var.database.ca_file
        S3SCAN_OWNER            = var.database.owner_user
      }
      secrets = {
        PGPASSWORD            = "${var.database.master_secret_arn}:password::"
        S3SCAN_OWNER_PASSWORD = "${var.database.owner_secret_arn}:password::"
      }
    }
    migrate = {
      command = ["s3scan", "db", "upgrade"]
      environment = {
        DATABASE_URL            = var.database.owner_url
        S3SCAN_DATABASE_CA_FILE = var.database.ca_file
      }
      secrets = { PGPASSWORD = "${var.database.owner_secret_arn}:password::" }
    }
  }
}

resource "aws_ecs_task_definition" "one_off" {
  for_each = local.one_off

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.one_off.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([merge(local.container, {
    name             = each.key
    command          = each.value.command
    environment      = [for name in sort(keys(each.value.environment)) : { name = name, value = each.value.environment[name] }]
    secrets          = [for name in sort(keys(each.value.secrets)) : { name = name, valueFrom = each.value.secrets[name] }]
    logConfiguration = local.log[each.key]
  })])

  tags = var.tags
}
