################################################################################
# PostgreSQL
################################################################################

locals {
  database = "s3scan"
  owner    = "s3scan"       # the application's user: owns the schema, nothing else
  master   = "s3scan_admin" # makes that user, once (make migrate)
  port     = 5432
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids

  tags = var.tags
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${var.engine_version}"
  description = "TLS only; a statement or a lock that hangs ends by itself"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # docs/postgres.md: the ledger's tables change fast.
  parameter {
    name  = "autovacuum_vacuum_cost_limit"
    value = "2000"
  }

  # A session that stays idle in a transaction keeps rows from vacuum, and partitions from being dropped.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "300000"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # Slow statements by their duration; parameters are not logged, since rows hold object keys.
  parameter {
    name  = "log_min_duration_statement"
    value = "5000"
  }

  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  tags = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = local.database

  # checkov:skip=CKV_AWS_161:Clients sign in to RDS Proxy with IAM; the proxy itself uses the secret below.
  # checkov:skip=CKV_AWS_157:Multi-AZ comes with the presets of 10 million objects and more.
  # checkov:skip=CKV_AWS_293:On by default; switched off by the variable deletion_protection only.
  username                      = local.master
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  port                   = local.port
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = var.max_storage_gb
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  backup_retention_period         = var.backup_days
  copy_tags_to_snapshot           = true
  auto_minor_version_upgrade      = true
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = var.deletion_protection ? "${var.name}-last" : null
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn

  tags = var.tags
}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-rds-monitoring"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "monitoring" {
  name = "write"
  role = aws_iam_role.monitoring.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Group"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
        Resource = local.monitoring_group_arn
      },
      {
        Sid      = "Streams"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "logs:GetLogEvents"]
        Resource = "${local.monitoring_group_arn}:log-stream:*"
      },
    ]
  })
}

data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # RDS names it, whatever the instance.
  monitoring_group_arn = "arn:${data.aws_partition.this.partition}:logs:${data.aws_region.this.name}:*:log-group:RDSOSMetrics"
}

################################################################################
# The application's user: its password is put in after the apply (s3scan ops fill-secrets), so that no state file has it
################################################################################

resource "aws_secretsmanager_secret" "owner" {
  # checkov:skip=CKV2_AWS_57:Rotated by operators with `s3scan ops fill-secrets --renew` and `make migrate`; a rotation function would need the master's password.
  name                    = "${var.name}/database"
  description             = "User and password of the application in PostgreSQL, for RDS Proxy"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days

  tags = var.tags
}

################################################################################
# RDS Proxy: IAM and TLS towards clients
################################################################################

resource "aws_db_proxy" "this" {
  name                   = var.name
  engine_family          = "POSTGRESQL"
  require_tls            = true
  idle_client_timeout    = var.idle_client_timeout_s
  role_arn               = aws_iam_role.proxy.arn
  vpc_subnet_ids         = var.subnet_ids
  vpc_security_group_ids = [aws_security_group.proxy.id]

  auth {
    auth_scheme               = "SECRETS"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
    iam_auth                  = "REQUIRED"
    secret_arn                = aws_secretsmanager_secret.owner.arn
  }

  tags = var.tags
}

resource "aws_db_proxy_default_target_group" "this" {
  db_proxy_name = aws_db_proxy.this.name

  connection_pool_config {
    max_connections_percent      = var.max_connections_percent
    max_idle_connections_percent = floor(var.max_connections_percent / 2)
    connection_borrow_timeout    = 30
  }
}

resource "aws_db_proxy_target" "this" {
  db_proxy_name          = aws_db_proxy.this.name
  target_group_name      = aws_db_proxy_default_target_group.this.name
  db_instance_identifier = aws_db_instance.this.identifier
}

resource "aws_iam_role" "proxy" {
  name = "${var.name}-rds-proxy"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "rds.amazonaws.com" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "proxy" {
  name = "read-secret"
  role = aws_iam_role.proxy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Secret"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = aws_secretsmanager_secret.owner.arn
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${data.aws_region.this.name}.amazonaws.com" } }
      },
    ]
  })
}

################################################################################
# Security groups: application → proxy → database; migrations → database
################################################################################

resource "aws_security_group" "proxy" {
  # checkov:skip=CKV2_AWS_5:Attached to aws_db_proxy.this, which the check does not know.
  name        = "${var.name}-proxy"
  description = "RDS Proxy: PostgreSQL from the application, to the database"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-proxy" })
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL: from RDS Proxy and from migrations, out to nobody"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-database" })
}

resource "aws_security_group" "migration" {
  # checkov:skip=CKV2_AWS_5:Attached to the one-off tasks of `make migrate` when they run, and to the bastion.
  name        = "${var.name}-migration"
  description = "One-off tasks that reach the database itself"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-migration" })
}

locals {
  ways = {
    app-proxy          = { from = var.app_security_group_id, to = aws_security_group.proxy.id }
    proxy-database     = { from = aws_security_group.proxy.id, to = aws_security_group.database.id }
    migration-database = { from = aws_security_group.migration.id, to = aws_security_group.database.id }
  }
}

resource "aws_vpc_security_group_egress_rule" "postgres" {
  for_each = local.ways

  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  description                  = "PostgreSQL, ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  for_each = local.ways

  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  description                  = "PostgreSQL, ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port

  tags = var.tags
}
