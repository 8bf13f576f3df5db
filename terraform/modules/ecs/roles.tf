################################################################################
# Who may be these roles: tasks of this account only
################################################################################

locals {
  account = split(":", aws_ecr_repository.this.arn)[4]
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
  # Secrets without the key of a field.
  secret_arns = distinct([
    for arn in concat(values(var.secrets), [var.database.owner_secret_arn, var.database.master_secret_arn]) :
    join(":", slice(split(":", arn), 0, 7))
  ])
}

################################################################################
# ECS itself: pulls the image, reads the secrets, writes the log
################################################################################

resource "aws_iam_role" "execution" {
  name                 = "${var.name}-ecs-execution"
  description          = "ECS for our tasks: image, secrets, log"
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
        Resource = aws_ecr_repository.this.arn
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
      {
        Sid      = "Secrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = local.secret_arns
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

################################################################################
# The worker
################################################################################

resource "aws_iam_role" "worker" {
  name                 = "${var.name}-worker"
  description          = "Workers: read objects, lanes and the ledger"
  assume_role_policy   = local.trust
  permissions_boundary = var.permissions_boundary

  tags = var.tags
}

resource "aws_iam_role_policy" "worker" {
  name = "only"
  role = aws_iam_role.worker.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(var.worker_statements, [{
      Sid       = "Protection"
      Effect    = "Allow"
      Action    = "ecs:UpdateTaskProtection"
      Resource  = "${replace(aws_ecs_cluster.this.arn, ":cluster/", ":task/")}/*"
      Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
    }])
  })
}

################################################################################
# Migrations: nothing of AWS
################################################################################

resource "aws_iam_role" "one_off" {
  name                 = "${var.name}-migration"
  description          = "Migrations: no permission at all, the database is reached by password"
  assume_role_policy   = local.trust
  permissions_boundary = var.permissions_boundary

  tags = var.tags
}
