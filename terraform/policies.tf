################################################################################
# Who may do what: one list of statements for each role, written by hand, no action by a wildcard
#
#             api  feed  failed  settle  worker  detect  object_events
# objects      x                           x             s3:GetObject
# their tags                             x             s3:GetObjectTagging, where a selection names tags
# buckets      x    x                      x             s3:ListBucket, s3:ListBucketVersions
# lanes send   x    x                      x             (dead letters go back; requests to the job's lane)
# lanes take                               x
# events of S3 x                                                       x       api sends, the function takes
# depth                          x         x             sqs:GetQueueAttributes
# dlq take                       x
# events send                              x
# listing      x    x            x         x             states:StartExecution; api stops too
# database     x    x     x      x         x             rds-db:connect as the application's user
# metrics                        x                       cloudwatch:PutMetricData in one namespace
# actions send x                                                 the only role that writes to S3 takes: action_statements
# rules        x    x            x         x        x    s3:GetObject on the named packs
#
# The function of schedules has what feed has without a lane, and looks at the account where the API may.
################################################################################

locals {
  # AWS authorises a batch as its single call; the emulator wants its name as well.
  batches = local.is_emulated ? ["sqs:SendMessageBatch", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch"] : []
  send    = concat(["sqs:SendMessage"], [for action in local.batches : action if startswith(action, "sqs:Send")])
  take    = concat(["sqs:ReceiveMessage", "sqs:DeleteMessage"], [for action in local.batches : action if startswith(action, "sqs:Delete")])
  hold    = concat(["sqs:ChangeMessageVisibility"], [for action in local.batches : action if startswith(action, "sqs:Change")])

  bucket_arns = var.all_buckets ? ["arn:${local.partition}:s3:::*"] : [for bucket in var.buckets : "arn:${local.partition}:s3:::${bucket}"]
  object_arns = [for arn in local.bucket_arns : arn == "arn:${local.partition}:s3:::*" ? "arn:${local.partition}:s3:::*/*" : "${arn}/*"]
  rule_arns   = [for url in var.rule_objects : "arn:${local.partition}:s3:::${trimprefix(url, "s3://")}"]

  list_statements = length(local.bucket_arns) == 0 ? [] : [{
    Sid      = "Buckets"
    Effect   = "Allow"
    Action   = ["s3:ListBucket", "s3:ListBucketVersions"]
    Resource = local.bucket_arns
  }]

  read_statements = concat(
    length(local.object_arns) == 0 ? [] : [{
      Sid      = "Objects"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = local.object_arns
    }],
    length(var.kms_key_arns) == 0 ? [] : [{
      Sid       = "ObjectKeys"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.kms_key_arns
      Condition = { StringLike = { "kms:ViaService" = "s3.*.amazonaws.com" } }
    }],
  )

  # Asked before an object is read, where the job's selection names tags.
  tag_statements = length(local.object_arns) == 0 ? [] : [{
    Sid      = "ObjectTags"
    Effect   = "Allow"
    Action   = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
    Resource = local.object_arns
  }]

  rules_statements = length(local.rule_arns) == 0 ? [] : [{
    Sid      = "Rules"
    Effect   = "Allow"
    Action   = ["s3:GetObject"]
    Resource = local.rule_arns
  }]

  member_statements = length(var.member_role_arns) == 0 ? [] : [{
    Sid      = "MemberAccounts"
    Effect   = "Allow"
    Action   = ["sts:AssumeRole"]
    Resource = var.member_role_arns
  }]

  database_statements = [{
    Sid      = "Database"
    Effect   = "Allow"
    Action   = ["rds-db:connect"]
    Resource = [module.rds.connect_arn]
  }]

  queue_key_statements = [{
    Sid       = "QueueKey"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource  = [aws_kms_key.this.arn]
    Condition = { StringEquals = { "kms:ViaService" = "sqs.${local.region}.amazonaws.com" } }
  }]

  send_statements = [{
    Sid      = "LanesSend"
    Effect   = "Allow"
    Action   = local.send
    Resource = module.sqs.lane_arns
  }]

  start_statements = [{
    Sid      = "ListingStart"
    Effect   = "Allow"
    Action   = ["states:StartExecution"]
    Resource = [local.state_machine_arn]
  }]

  # Pause and cancel end a job's execution.
  stop_statements = [{
    Sid      = "ListingStop"
    Effect   = "Allow"
    Action   = ["states:StopExecution"]
    Resource = ["${replace(local.state_machine_arn, ":stateMachine:", ":execution:")}:*"]
  }]

  # What the account holds, without a byte of it; only names and settings, so of every bucket.
  look_statements = [for statement in [
    {
      # Of the account, not of a bucket.
      Sid      = "LookAtAccount"
      Effect   = "Allow"
      Action   = ["s3:ListAllMyBuckets", "s3:GetAccountPublicAccessBlock"]
      Resource = ["*"]
    },
    {
      # Reading a metric has no resources. Estimates ask how many objects a bucket holds.
      Sid      = "BucketMetrics"
      Effect   = "Allow"
      Action   = ["cloudwatch:GetMetricStatistics"]
      Resource = ["*"]
    },
    {
      Sid    = "LookAtBuckets"
      Effect = "Allow"
      Action = [
        "s3:GetBucketLocation", "s3:GetBucketTagging", "s3:GetBucketPolicyStatus", "s3:GetBucketAcl",
        "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration",
      ]
      Resource = ["arn:${local.partition}:s3:::*"]
    },
  ] : statement if var.look_around]

  action_queue_arns = [for arn in [module.sqs.actions_arn] : arn if local.acts]

  # Whoever runs a plan, or sends back a dead letter of one.
  plan_statements = local.acts ? [{
    Sid      = "ActionsSend"
    Effect   = "Allow"
    Action   = local.send
    Resource = local.action_queue_arns
  }] : []

  acted_arns  = [for bucket in try(var.actions.buckets, []) : "arn:${local.partition}:s3:::${bucket}"]
  target_arns = [for bucket in try(var.actions.targets, []) : "arn:${local.partition}:s3:::${bucket}"]
  may         = { for action in ["tag", "quarantine", "redact", "block_public"] : action => contains(try(var.actions.allowed, []), action) }

  # The only role that may change anything in S3.
  action_statements = [for statement in concat(
    local.rules_statements, local.database_statements, local.queue_key_statements,
    [
      {
        Sid      = "ActionsTake"
        Effect   = "Allow"
        Action   = concat(local.take, local.hold, ["sqs:GetQueueAttributes"])
        Resource = local.action_queue_arns
      },
      {
        Sid      = "EventsSend"
        Effect   = "Allow"
        Action   = concat(local.send, ["sqs:GetQueueAttributes"])
        Resource = [module.sqs.events_arn]
      },
      {
        # Without it S3 answers 403 for an object that is gone.
        Sid      = "ActedBuckets"
        Effect   = "Allow"
        Action   = concat(["s3:ListBucket"], local.may.block_public ? ["s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"] : [])
        Resource = concat(local.acted_arns, local.target_arns)
      },
      {
        Sid    = "ActedObjects"
        Effect = "Allow"
        Action = concat(
          ["s3:GetObject", "s3:GetObjectVersion"],
          local.may.tag || local.may.quarantine ? ["s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging"] : [],
          local.may.tag ? ["s3:PutObjectVersionTagging"] : [],
          local.may.quarantine ? ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"] : [],
        )
        Resource = [for arn in local.acted_arns : "${arn}/*"]
      },
      {
        Sid    = "Targets"
        Effect = "Allow"
        Action = concat(
          ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
          local.may.quarantine ? [
            "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:PutObjectTagging",
            "s3:DeleteObjectVersion", "s3:AbortMultipartUpload",
          ] : [],
        )
        Resource = [for arn in local.target_arns : "${arn}/*"]
      },
      {
        Sid       = "ActedKeys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = var.kms_key_arns
        Condition = { StringLike = { "kms:ViaService" = "s3.*.amazonaws.com" } }
      },
    ],
  ) : statement if length(statement.Resource) > 0]

  api_statements = concat(
    local.look_statements, local.list_statements, local.read_statements, local.rules_statements, local.member_statements,
    local.database_statements, local.send_statements, local.queue_key_statements, local.plan_statements,
    local.start_statements, local.stop_statements,
    [{
      # Dead letters go back.
      Sid      = "ObjectEventsSend"
      Effect   = "Allow"
      Action   = local.send
      Resource = [module.sqs.object_events_arn]
    }],
  )

  object_events_statements = concat(
    local.rules_statements, local.database_statements, local.send_statements, local.queue_key_statements,
    local.start_statements,
    [{
      Sid      = "ObjectEventsTake"
      Effect   = "Allow"
      Action   = concat(local.take, local.hold, ["sqs:GetQueueAttributes"])
      Resource = [module.sqs.object_events_arn]
    }],
  )

  feed_statements = concat(
    local.list_statements, local.rules_statements, local.member_statements,
    local.database_statements, local.send_statements, local.queue_key_statements, local.start_statements,
  )

  failed_statements = local.database_statements

  settle_statements = concat(
    local.rules_statements, local.database_statements, local.start_statements, local.queue_key_statements,
    [
      {
        Sid      = "Depth"
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes"]
        Resource = concat(module.sqs.lane_arns, [module.sqs.dead_letters_arn])
      },
      {
        Sid      = "DeadLettersTake"
        Effect   = "Allow"
        Action   = local.take
        Resource = [module.sqs.dead_letters_arn]
      },
      {
        # Metrics have no resources; the condition names the namespace (the emulator does not know it).
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"]
        Condition = { for operator, names in { StringEquals = { "cloudwatch:namespace" = lookup(var.settings, "S3SCAN_METRICS_NAMESPACE", "S3Scan") } } : operator => names if !local.is_emulated }
      },
    ],
  )

  schedules_statements = concat(
    local.look_statements, local.list_statements, local.rules_statements, local.member_statements,
    local.database_statements, local.start_statements,
  )

  worker_statements = concat(
    local.list_statements, local.read_statements, local.tag_statements, local.rules_statements, local.member_statements,
    local.database_statements, local.start_statements, local.queue_key_statements,
    [
      {
        Sid      = "LanesTake"
        Effect   = "Allow"
        Action   = concat(local.take, local.hold, ["sqs:GetQueueAttributes"])
        Resource = module.sqs.lane_arns
      },
      {
        Sid      = "EventsSend"
        Effect   = "Allow"
        Action   = concat(local.send, ["sqs:GetQueueAttributes"])
        Resource = [module.sqs.events_arn]
      },
    ],
  )
}
