################################################################################
# Where
################################################################################

data "aws_partition" "this" {}
data "aws_region" "this" {}

data "aws_caller_identity" "this" {
  count = var.account_id == null ? 1 : 0
}

data "aws_availability_zones" "this" {
  # checkov:skip=CKV_AWS_394:The first two by name are taken; a zone that AWS adds behind them changes nothing.
  count = var.availability_zones == null ? 1 : 0

  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.name
  account_id = var.account_id != null ? var.account_id : data.aws_caller_identity.this[0].account_id
  zones      = var.availability_zones != null ? var.availability_zones : slice(data.aws_availability_zones.this[0].names, 0, 2)
  tags       = merge({ Project = var.name }, var.tags)

  preset         = jsondecode(file("${path.module}/presets.json"))[var.scale]
  max_tasks      = coalesce(var.max_tasks, local.preset.max_tasks)
  instance_class = coalesce(var.instance_class, local.preset.instance_class)
  multi_az       = coalesce(var.multi_az, local.preset.multi_az)
  storage_gb     = coalesce(var.storage_gb, local.preset.storage_gb)
  max_storage_gb = coalesce(var.max_storage_gb, local.preset.max_storage_gb)

  interface_endpoints = concat(
    ["sqs", "states", "logs", "monitoring", "secretsmanager", "kms", "sts", "events", "ecr.api", "ecr.dkr"],
    var.bastion ? ["ssm", "ssmmessages", "ec2messages"] : [],
  )

  recovery_window_days = var.deletion_protection ? 30 : 0
  is_emulated          = var.emulator != null
  acts                 = var.actions != null
}

################################################################################
# One key for everything that is kept
################################################################################

resource "aws_kms_key" "this" {
  description             = "${var.name}: queues, database, logs, secrets, images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Of this key only; AWS's own first statement, without which IAM policies would not count for it.
        Sid       = "AccountDecidesByIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = {
          ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:*" }
        }
      },
      {
        Sid       = "AlarmsToTheTopic"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
      {
        Sid       = "EventsToTheQueue"
        Effect    = "Allow"
        Principal = { Service = ["s3.amazonaws.com", "events.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })

  tags = local.tags
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Secret of the value fingerprints; put in after the apply (s3scan ops fill-secrets), so that no state file has it.
resource "aws_secretsmanager_secret" "fingerprint_key" {
  # checkov:skip=CKV2_AWS_57:A rotation changes every fingerprint; docs/settings.md (S3SCAN_FORMER_FINGERPRINT_KEYS) says how it is done by hand.
  name                    = "${var.name}/fingerprint-key"
  description             = "Secret of the value fingerprints"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = local.recovery_window_days

  tags = local.tags
}

################################################################################
# Settings that all processes share
################################################################################

locals {
  state_machine_arn = "arn:${local.partition}:states:${local.region}:${local.account_id}:stateMachine:${var.name}-listing"

  # RDS Proxy shows a certificate of Amazon's public authority; botocore's bundle, which is in package and image, has it.
  ca_file = {
    lambda = "/var/task/botocore/cacert.pem"
    worker = "/app/certificates/public.pem"
    direct = "/app/certificates/rds.pem"
  }

  endpoints = local.is_emulated ? { AWS_ENDPOINT_URL = var.emulator.endpoint_url } : {}
  database = local.is_emulated ? { DATABASE_URL = var.emulator.database_url } : {
    DATABASE_URL        = module.rds.proxy_url
    S3SCAN_DATABASE_IAM = "true"
  }

  tracing = var.tracing == null ? {} : {
    S3SCAN_TRACE_SHARE          = tostring(var.tracing.share)
    OTEL_EXPORTER_OTLP_ENDPOINT = var.tracing.endpoint
  }

  # For the monthly floor of estimates.
  deployment = {
    interface_endpoints = length(local.interface_endpoints)
    zones               = length(local.zones)
    database            = local.instance_class
    multi_az            = local.multi_az
    storage_gb          = local.storage_gb
    min_tasks           = var.min_tasks
    lanes               = var.lane_count
    secrets             = var.flower ? 4 : 3 # fingerprints, the application's user, RDS's own, Flower's login
    nat                 = var.nat
    flower              = var.flower
    watches             = length(var.watched_buckets) > 0
    vcpu                = var.worker_cpu / 1024
    memory_gb           = var.worker_memory_mb / 1024
  }

  shared = merge({ S3SCAN_DEPLOYMENT = jsonencode(local.deployment) }, var.settings, {
    S3SCAN_QUEUE_URL_PREFIX     = module.sqs.url_prefix
    S3SCAN_STATE_MACHINE_ARN    = local.state_machine_arn
    S3SCAN_LANE_COUNT           = tostring(var.lane_count)
    S3SCAN_VISIBILITY_TIMEOUT_S = tostring(var.visibility_timeout_s)
    S3SCAN_DEDICATED_LANES      = jsonencode(var.dedicated_lanes)
    S3SCAN_ALLOWED_ROLES        = jsonencode(var.member_role_arns)
    S3SCAN_ALLOWED_ENDPOINTS    = jsonencode(var.allowed_endpoints)
    S3SCAN_RULES                = jsonencode(var.rule_objects)
  }, local.acts ? { S3SCAN_ACTIONS = "true" } : {}, local.database, local.endpoints, local.tracing)

  # Only the API's functions ask who calls. Fields that were left out are left out here too.
  rights = var.rights == null ? {} : {
    S3SCAN_RIGHTS = jsonencode({
      grants = [for grant in var.rights.grants : { for name, value in grant : name => value if value != null }]
    })
  }

  lambda_environment = merge(local.shared, local.is_emulated ? {} : { S3SCAN_DATABASE_CA_FILE = local.ca_file.lambda })
  worker_environment = merge(local.shared, { AWS_REGION = local.region }, local.is_emulated ? {} : { S3SCAN_DATABASE_CA_FILE = local.ca_file.worker })

  function = {
    package              = "${var.package_dir}/lambda.zip"
    runtime              = var.lambda_runtime
    architecture         = var.architecture
    subnet_ids           = module.vpc.private_subnet_ids
    subnet_arns          = module.vpc.private_subnet_arns
    security_group_id    = module.vpc.app_security_group_id
    security_group_arn   = module.vpc.app_security_group_arn
    kms_key_arn          = aws_kms_key.this.arn
    log_retention_days   = var.log_retention_days
    permissions_boundary = var.permissions_boundary
  }
}

################################################################################
# Parts
################################################################################

module "vpc" {
  source = "./modules/vpc"

  name                = var.name
  cidr                = var.vpc_cidr
  availability_zones  = local.zones
  region              = local.region
  interface_endpoints = toset(local.interface_endpoints)
  nat                 = var.nat
  # A collector in the VPC; one elsewhere is behind NAT, whose way is HTTPS.
  collector_port     = var.tracing == null ? null : try(tonumber(regex("^http://.*:([0-9]+)$", var.tracing.endpoint)[0]), null)
  flow_logs          = var.flow_logs
  log_retention_days = var.log_retention_days
  kms_key_arn        = aws_kms_key.this.arn
  tags               = local.tags
}

module "rds" {
  source = "./modules/rds"

  name                    = var.name
  vpc_id                  = module.vpc.vpc_id
  subnet_ids              = module.vpc.private_subnet_ids
  app_security_group_id   = module.vpc.app_security_group_id
  engine_version          = var.postgres_version
  instance_class          = local.instance_class
  multi_az                = local.multi_az
  storage_gb              = local.storage_gb
  max_storage_gb          = local.max_storage_gb
  backup_days             = var.backup_days
  deletion_protection     = var.deletion_protection
  max_connections_percent = 80
  idle_client_timeout_s   = 1800
  kms_key_arn             = aws_kms_key.this.arn
  log_retention_days      = var.log_retention_days
  recovery_window_days    = local.recovery_window_days
  tags                    = local.tags
}

module "sqs" {
  source = "./modules/sqs"

  lane_count           = var.lane_count
  actions              = local.acts
  visibility_timeout_s = var.visibility_timeout_s
  max_receives         = var.max_receives
  lane_retention_s     = var.lane_retention_days * 86400
  dlq_retention_s      = var.dlq_retention_days * 86400
  events_retention_s   = 300
  events_visibility_s  = 10
  long_poll_s          = 20
  tls_only             = !local.is_emulated
  kms_key_arn          = aws_kms_key.this.arn
  tags                 = local.tags

  object_events_visibility_s = 90
  object_events_max_receives = 100
  event_sender               = var.eventbridge ? "EventBridgeSends" : "S3Sends"
  event_sender_arns = (
    var.eventbridge
    ? ["arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${var.name}-object-events"]
    : [for bucket in var.watched_buckets : "arn:${local.partition}:s3:::${bucket}"]
  )
}

module "object_events" {
  source = "./modules/object_events"

  name              = var.name
  function          = local.function
  environment       = local.lambda_environment
  memory_mb         = var.lambda_memory_mb
  timeout_s         = 60
  statements        = local.object_events_statements
  queue_arn         = module.sqs.object_events_arn
  buckets           = var.watched_buckets
  eventbridge       = var.eventbridge
  batch_size        = 1000
  batching_window_s = 1
  tags              = local.tags
}

module "step_functions" {
  source = "./modules/step_functions"

  name              = var.name
  function          = local.function
  environment       = local.lambda_environment
  memory_mb         = max(var.lambda_memory_mb, 1769) # one vCPU: parsing pages is what bounds the listing
  state_machine_arn = local.state_machine_arn
  definition_file   = "${path.module}/../stepfunctions/state_machine.asl.json"
  feed_timeout_s    = 300
  feed_statements   = local.feed_statements
  failed_statements = local.failed_statements
  tags              = local.tags
}

module "refresh_lambda" {
  source = "./modules/refresh_lambda"

  name        = var.name
  function    = local.function
  environment = local.lambda_environment
  memory_mb   = var.lambda_memory_mb
  schedule    = "rate(1 minute)"
  timeout_s   = 60
  statements  = local.settle_statements
  tags        = local.tags

  schedules_timeout_s  = 120
  schedules_statements = local.schedules_statements
}

module "api" {
  source = "./modules/api"

  name              = var.name
  function          = local.function
  environment       = merge(local.lambda_environment, local.rights)
  memory_mb         = var.lambda_memory_mb
  detect_package    = var.detect ? "${var.package_dir}/detect.zip" : null
  detect_memory_mb  = 3008 # its start compiles the rules: memory brings processor
  throttle_rate     = var.api_throttle.rate
  throttle_burst    = var.api_throttle.burst
  api_statements    = local.api_statements
  detect_statements = local.rules_statements
  tags              = local.tags
}

module "ecs" {
  source = "./modules/ecs"

  name                    = var.name
  region                  = local.region
  image                   = var.image
  image_tag               = var.image_tag
  repository_force_delete = !var.deletion_protection
  architecture            = var.architecture == "arm64" ? "ARM64" : "X86_64"
  cpu                     = var.worker_cpu
  memory_mb               = var.worker_memory_mb
  ephemeral_storage_gb    = var.worker_disk_gb
  max_workers             = var.max_workers
  stop_timeout_s          = 120
  min_tasks               = var.min_tasks
  max_tasks               = local.max_tasks
  spot_percent            = var.spot_percent
  scaling                 = var.scaling
  autoscaling             = !local.is_emulated
  metrics_namespace       = lookup(var.settings, "S3SCAN_METRICS_NAMESPACE", "S3Scan")
  environment             = local.worker_environment
  secrets                 = { S3SCAN_FINGERPRINT_KEY = aws_secretsmanager_secret.fingerprint_key.arn }
  worker_statements       = local.worker_statements
  actions                 = local.acts ? { statements = local.action_statements, tasks = var.actions.tasks } : null
  database = {
    owner_url        = module.rds.owner_url
    owner_user       = module.rds.owner_user
    owner_secret_arn = module.rds.owner_secret_arn
    master_url       = module.rds.master_url
    # The emulator keeps no password for the master.
    master_secret_arn = local.is_emulated ? module.rds.owner_secret_arn : module.rds.master_secret_arn
    security_group_id = module.rds.migration_security_group_id
    ca_file           = local.ca_file.direct
  }
  subnet_ids           = module.vpc.private_subnet_ids
  security_group_id    = module.vpc.app_security_group_id
  kms_key_arn          = aws_kms_key.this.arn
  log_retention_days   = var.log_retention_days
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags
}

module "flower" {
  source = "./modules/flower"
  count  = var.flower ? 1 : 0

  name           = var.name
  region         = local.region
  account_id     = local.account_id
  cluster_arn    = module.ecs.cluster_arn
  image          = module.ecs.image
  repository_arn = module.ecs.repository_arn
  architecture   = var.architecture == "arm64" ? "ARM64" : "X86_64"
  environment    = { for name, value in local.worker_environment : name => value if !startswith(name, "DATABASE") && !startswith(name, "S3SCAN_DATABASE") }
  queues = {
    shown  = concat(module.sqs.lane_arns, local.action_queue_arns, [module.sqs.dead_letters_arn])
    events = module.sqs.events_arn
  }
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = module.vpc.private_subnet_ids
  app_security_group_id     = module.vpc.app_security_group_id
  client_security_group_ids = { for bastion in module.bastion : "bastion" => bastion.security_group_id }
  kms_key_arn               = aws_kms_key.this.arn
  log_retention_days        = var.log_retention_days
  recovery_window_days      = local.recovery_window_days
  force_delete              = !var.deletion_protection
  discovery                 = !local.is_emulated
  permissions_boundary      = var.permissions_boundary
  tags                      = local.tags
}

module "bastion" {
  source = "./modules/bastion"
  count  = var.bastion ? 1 : 0

  name                        = var.name
  vpc_id                      = module.vpc.vpc_id
  subnet_id                   = module.vpc.private_subnet_ids[0]
  endpoint_security_group_id  = module.vpc.endpoint_security_group_id
  migration_security_group_id = module.rds.migration_security_group_id
  instance_type               = var.bastion_instance_type
  kms_key_arn                 = aws_kms_key.this.arn
  permissions_boundary        = var.permissions_boundary
  tags                        = local.tags
}

module "alarms" {
  source = "./modules/alarms"

  name                 = var.name
  region               = local.region
  account_id           = local.account_id
  email                = var.alarm_email
  lane_names           = module.sqs.lane_names
  dead_letters_name    = module.sqs.dead_letters_name
  object_events_name   = module.sqs.object_events_name
  oldest_message_s     = var.oldest_message_s
  state_machine_arn    = module.step_functions.state_machine_arn
  settle_function_name = module.refresh_lambda.function_name
  api_id               = module.api.api_id
  proxy_name           = module.rds.proxy_name
  instance_identifier  = module.rds.instance_identifier
  free_storage_gb      = 10
  cluster_name         = module.ecs.cluster_name
  service_name         = module.ecs.service_name
  metrics_namespace    = lookup(var.settings, "S3SCAN_METRICS_NAMESPACE", "S3Scan")
  runbook_url          = var.runbook_url
  kms_key_arn          = aws_kms_key.this.arn
  tags                 = local.tags
}
