################################################################################
# Acting on findings: a role that may write, a service that takes from the queue `actions` alone
################################################################################

locals {
  action_environment = merge(local.environment, { S3SCAN_WORKER_ROLE = "act" })
}

resource "aws_iam_role" "actions" {
  count = var.actions == null ? 0 : 1

  name                 = "${var.name}-actions"
  description          = "Acts on findings: tags, quarantine, redacted copies, public access"
  assume_role_policy   = local.trust
  permissions_boundary = var.permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "actions" {
  count = var.actions == null ? 0 : 1

  name = "only"
  role = aws_iam_role.actions[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = var.actions.statements
  })
}

resource "aws_ecs_task_definition" "actions" {
  count = var.actions == null ? 0 : 1

  family                   = "${var.name}-actions"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mb
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.actions[0].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([merge(local.container, {
    name             = "actions"
    environment      = [for name in sort(keys(local.action_environment)) : { name = name, value = local.action_environment[name] }]
    secrets          = [for name in sort(keys(var.secrets)) : { name = name, valueFrom = var.secrets[name] }]
    logConfiguration = local.log.actions
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

resource "aws_ecs_service" "actions" {
  count = var.actions == null ? 0 : 1

  name                               = "actions"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.actions[0].arn
  desired_count                      = var.actions.tasks
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  enable_execute_command             = false

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

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.actions, aws_iam_role_policy.execution]
}
