################################################################################
# What is scanned
################################################################################

variable "buckets" {
  description = "Buckets of this account that may be scanned; workers and functions can read no others."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for bucket in var.buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "Each is a bucket's name, without s3:// and without *; for every bucket of the account set all_buckets."
  }
}

variable "actions" {
  description = <<-TEXT
    Acting on findings (docs/acting.md): a queue, a role and a service of its own; null is off.
    buckets: those that are acted on; targets: those that quarantine and redacted copies go to; allowed: which of tag, quarantine,
    redact, block_public the role may; tasks: workers of that queue, 0 for none (start them when a plan is run).
  TEXT
  type = object({
    buckets = list(string)
    targets = optional(list(string), [])
    allowed = optional(list(string), ["tag", "quarantine", "redact", "block_public"])
    tasks   = optional(number, 1)
  })
  default = null

  validation {
    condition     = alltrue([for bucket in try(concat(var.actions.buckets, var.actions.targets), []) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "actions: each bucket and target is a bucket's name, without s3:// and without *."
  }

  validation {
    condition     = length(setsubtract(try(var.actions.allowed, []), ["tag", "quarantine", "redact", "block_public"])) == 0
    error_message = "actions: allowed takes tag, quarantine, redact and block_public."
  }

  validation {
    condition     = length(setintersection(try(var.actions.allowed, []), ["quarantine", "redact"])) == 0 || length(try(var.actions.targets, [])) > 0
    error_message = "actions: quarantine and redact need targets, or leave them out of allowed."
  }
}

variable "watched_buckets" {
  description = "Buckets of this account and Region whose events may come to the queue scan-object-events (s3scan watches add; docs/continuous.md)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for bucket in var.watched_buckets : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", bucket))])
    error_message = "Each is a bucket's name, without s3:// and without *."
  }
}

variable "eventbridge" {
  description = "Events of watched buckets come by a rule of EventBridge (which each bucket must be told to send to), not by notifications to the queue."
  type        = bool
  default     = false

  validation {
    condition     = !var.eventbridge || length(var.watched_buckets) > 0
    error_message = "eventbridge needs watched_buckets: the buckets whose events the rule shall send."
  }
}

variable "all_buckets" {
  description = "Allow every bucket, whatever its name. Bucket policies still have their say."
  type        = bool
  default     = false
}

variable "look_around" {
  description = "Let the API see the account's buckets: names, tags, Region, encryption, whether public (GET /buckets, and jobs that name buckets by pattern or tag)."
  type        = bool
  default     = false
}

variable "rights" {
  description = "Who may do what with the API: roles on buckets for IAM principals (docs/authorisation.md). Null: every caller whom IAM lets through is admin. Once set, a caller without a grant may do nothing."
  type = object({
    grants = list(object({
      principals = list(string)
      role       = string
      buckets    = optional(list(string))
    }))
  })
  default = null

  validation {
    condition     = var.rights == null ? true : alltrue([for grant in var.rights.grants : contains(["viewer", "reviewer", "scanner", "operator", "admin"], grant.role)])
    error_message = "A role is viewer, reviewer, scanner, operator or admin."
  }

  validation {
    condition     = var.rights == null ? true : alltrue(flatten([for grant in var.rights.grants : [for arn in grant.principals : arn == "*" || can(regex("^arn:aws[a-z-]*:(iam|sts)::([0-9]{12}|\\*):(root|user/|role/|assumed-role/|federated-user/).*$", arn))]]))
    error_message = "A principal is the ARN of an IAM role, a user or a session, or *."
  }

  validation {
    condition     = var.rights == null ? true : length(jsonencode(var.rights)) <= 2500
    error_message = "A function's environment holds 4 KB: use patterns, at most 2,500 characters in all."
  }
}

variable "kms_key_arns" {
  description = "KMS keys that encrypt objects of these buckets (SSE-KMS)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "Name each key by the ARN of the key itself; an alias is not enough for IAM."
  }
}

variable "rule_objects" {
  description = "Packs of rules in S3 (s3://bucket/key) that every process reads (S3SCAN_RULES)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.rule_objects : can(regex("^s3://[a-z0-9.-]+/.+$", url))])
    error_message = "Each is s3://bucket/key."
  }
}

variable "member_role_arns" {
  description = "Roles in other accounts that jobs may name as role_arn (modules/member_role makes one)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.member_role_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "Each is the ARN of a role; * is not accepted."
  }
}

variable "other_regions" {
  description = "Other Regions whose buckets are scanned. Needs nat: the gateway endpoint serves the deployment's own Region only."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.other_regions) == 0 || var.nat
    error_message = "Buckets of other Regions (other_regions) are reached by NAT only: set nat = true, or deploy the scanner in their Region."
  }
}

variable "allowed_endpoints" {
  description = "Other S3 stores (R2, MinIO) that jobs may name as endpoint_url, each with a profile of the credentials files or \"\". Needs nat."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.allowed_endpoints) == 0 || var.nat
    error_message = "Other S3 stores (allowed_endpoints) are reached by NAT only: set nat = true."
  }
}

variable "webhooks" {
  description = "Findings are sent to webhooks. Needs nat."
  type        = bool
  default     = false

  validation {
    condition     = !var.webhooks || var.nat
    error_message = "Webhooks are reached by NAT only: set nat = true."
  }
}

################################################################################
# How large
################################################################################

variable "scale" {
  description = "Preset by the number of objects: small (< 1 million), medium (1-10), large (10-50), huge (50 and more); see presets.json. Variables below win over it."
  type        = string
  default     = "small"

  validation {
    condition     = contains(["small", "medium", "large", "huge"], var.scale)
    error_message = "Give small, medium, large or huge."
  }
}

variable "min_tasks" {
  description = "Workers at least; 0 scales to zero when idle, and the first batch then waits for about three minutes."
  type        = number
  default     = 1

  validation {
    condition     = var.min_tasks >= 0 && floor(var.min_tasks) == var.min_tasks
    error_message = "Give 0 or more."
  }
}

variable "max_tasks" {
  description = "Workers at most; null takes the preset's."
  type        = number
  default     = null

  validation {
    condition     = var.max_tasks == null ? true : var.max_tasks >= max(var.min_tasks, 1)
    error_message = "max_tasks must be 1 or more, and not below min_tasks."
  }
}

variable "spot_percent" {
  description = "Share of the workers beyond the first on Fargate Spot: cheaper, and taken away with two minutes' notice, after which batches are given back."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "Give 0 to 100."
  }
}

variable "worker_cpu" {
  description = "CPU units of a worker (1024 = one vCPU); one vCPU is best used, more workers beat larger ones."
  type        = number
  default     = 1024
}

variable "worker_memory_mb" {
  description = "Memory of a worker."
  type        = number
  default     = 2048
}

variable "worker_disk_gb" {
  description = "Disk of a worker, for formats that are not read from front to back."
  type        = number
  default     = 21
}

variable "max_workers" {
  description = "Threads of a worker that wait for S3 (Celery's concurrency, MAX_WORKERS)."
  type        = number
  default     = 20

  validation {
    condition     = var.max_workers >= 1 && var.max_workers <= 100
    error_message = "Give 1 to 100."
  }
}

variable "scaling" {
  description = "Autoscaling: batches of the backlog for each running task, cooldowns, and tasks that start at once from zero. docs/SCALING.md shows what they do."
  type = object({
    backlog_per_task     = optional(number, 100)
    scale_out_cooldown_s = optional(number, 300)
    scale_in_cooldown_s  = optional(number, 300)
    step_from_zero       = optional(number, 2)
  })
  default = {}

  validation {
    condition     = var.scaling.backlog_per_task >= 1 && var.scaling.scale_out_cooldown_s >= 0 && var.scaling.scale_in_cooldown_s >= 0 && var.scaling.step_from_zero >= 1
    error_message = "backlog_per_task and step_from_zero are 1 or more, cooldowns 0 or more."
  }
}

variable "architecture" {
  description = "x86_64 or arm64, of the image and the packages alike (make image, make package)."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "Give x86_64 or arm64."
  }
}

################################################################################
# Queues: the promises of the queues, as variables
################################################################################

variable "lane_count" {
  description = "Number of lanes scan-0 … ."
  type        = number
  default     = 8
}

variable "dedicated_lanes" {
  description = "Lanes kept for named buckets: {bucket = \"scan-7\"}."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for lane in values(var.dedicated_lanes) : contains([for n in range(var.lane_count) : "scan-${n}"], lane)])
    error_message = "Each names one of the lanes scan-0 … scan-(lane_count - 1)."
  }
}

variable "visibility_timeout_s" {
  description = "Visibility timeout of the lanes."
  type        = number
  default     = 300
}

variable "max_receives" {
  description = "Receives without success before a message is a dead letter."
  type        = number
  default     = 3
}

variable "lane_retention_days" {
  description = "Days that a lane keeps a message."
  type        = number
  default     = 4
}

variable "dlq_retention_days" {
  description = "Days that the dead letter queue keeps a message; more than the lanes."
  type        = number
  default     = 14
}

################################################################################
# Code
################################################################################

variable "package_dir" {
  description = "Folder with lambda.zip and detect.zip (make package)."
  type        = string
}

variable "image" {
  description = "Worker's image, best by digest; null takes image_tag of the repository made here (make image)."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "Tag in the repository made here."
  type        = string
  default     = "0.1.0"
}

variable "lambda_runtime" {
  description = "Runtime of the functions; the Python that the packages were built for."
  type        = string
  default     = "python3.13"

  validation {
    condition     = can(regex("^python3\\.1[1-4]$", var.lambda_runtime))
    error_message = "The scanner runs on python3.11 to python3.14."
  }
}

variable "lambda_memory_mb" {
  description = "Memory of the functions; processor comes with it."
  type        = number
  default     = 1024
}

variable "detect" {
  description = "Deploy POST /detect."
  type        = bool
  default     = true
}

variable "settings" {
  description = "Further settings of the scanner for all of its processes (docs/settings.md), by their variable's name."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^S3SCAN_[A-Z0-9_]+$", name)) && !can(regex("KEY$|KEYS$", name))])
    error_message = "Only S3SCAN_… variables, and no secrets: those live in Secrets Manager (s3scan ops fill-secrets)."
  }
}

################################################################################
# Network, database, operation
################################################################################

variable "name" {
  description = "Prefix of names; the queues' names are fixed, so that one account and Region holds one deployment."
  type        = string
  default     = "s3scan"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,20}$", var.name))
    error_message = "Small letters, digits and -, 2 to 21 characters, a letter first."
  }
}

variable "account_id" {
  description = "Account that is deployed to; null asks AWS. Given, a plan can be made without AWS."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null ? true : can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account's number has twelve digits."
  }
}

variable "availability_zones" {
  description = "Zones; null takes the Region's first two."
  type        = list(string)
  default     = null
}

variable "vpc_cidr" {
  description = "Address range of the VPC."
  type        = string
  default     = "10.42.0.0/20"
}

variable "nat" {
  description = "Add a NAT gateway, for other Regions, other S3 stores and webhooks."
  type        = bool
  default     = false
}

variable "flow_logs" {
  description = "Keep the VPC's flow logs."
  type        = bool
  default     = true
}

variable "postgres_version" {
  description = "Major version of PostgreSQL."
  type        = string
  default     = "17"
}

variable "instance_class" {
  description = "Database's class; null takes the preset's."
  type        = string
  default     = null
}

variable "multi_az" {
  description = "Database with a standby; null takes the preset's."
  type        = bool
  default     = null
}

variable "storage_gb" {
  description = "Database's storage at first; null takes the preset's."
  type        = number
  default     = null
}

variable "max_storage_gb" {
  description = "Database's storage at most; null takes the preset's."
  type        = number
  default     = null
}

variable "backup_days" {
  description = "Days that the database's backups are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "RDS keeps backups for 1 to 35 days."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete what holds data: database, images, history, secrets. Set false, apply, then destroy."
  type        = bool
  default     = true
}

variable "api_throttle" {
  description = "Requests a second, and at once, that the API takes."
  type        = object({ rate = optional(number, 50), burst = optional(number, 100) })
  default     = {}
}

variable "flower" {
  description = "Run the dashboard."
  type        = bool
  default     = true
}

variable "bastion" {
  description = "Run an instance for port forwarding by Session Manager: to Flower and to the database."
  type        = bool
  default     = false
}

variable "bastion_instance_type" {
  description = "Type of that instance; an ARM one."
  type        = string
  default     = "t4g.nano"
}

variable "alarm_email" {
  description = "Address that gets the alarms."
  type        = string
  default     = null
}

variable "oldest_message_s" {
  description = "Age of a lane's oldest message that is an alarm. Windows keep a minute's work in a lane."
  type        = number
  default     = 1800
}

variable "runbook_url" {
  description = "Where your people read docs/runbook.md."
  type        = string
  default     = "docs/runbook.md"
}

variable "tracing" {
  description = "Send traces to an OpenTelemetry collector (docs/tracing.md): http://host:port in the VPC, or https:// elsewhere, which needs nat; and the share of batches, turns and requests that are traced."
  type = object({
    endpoint = string
    share    = optional(number, 0.01)
  })
  default = null

  validation {
    condition     = var.tracing == null ? true : can(regex("^(http://[a-z0-9.-]+:[0-9]+|https://[a-z0-9.-]+(:[0-9]+)?)$", var.tracing.endpoint)) && var.tracing.share > 0 && var.tracing.share <= 1
    error_message = "Give endpoint as http://host:port (in the VPC) or https://host, without a path, and share above 0 and up to 1."
  }

  validation {
    condition     = var.tracing == null ? true : startswith(var.tracing.endpoint, "http://") || var.nat
    error_message = "A collector outside of the VPC (tracing) is reached by NAT only: set nat = true, or run a collector in the VPC."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 … days."
  }
}

variable "permissions_boundary" {
  description = "ARN of a boundary for every role; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}

################################################################################
# Proof without AWS
################################################################################

variable "emulator" {
  description = "For examples/emulator only: endpoint and database of a local emulator. Leaves out what emulators lack (see examples/emulator/README.md)."
  type = object({
    endpoint_url = string
    database_url = string
  })
  default = null
}
