################################################################################
# Names are those of scanner_tasks/core/lanes.py; tests/terraform compares them
################################################################################

locals {
  lanes = [for n in range(var.lane_count) : "scan-${n}"]
  # Queues of tasks: the lanes, and that of actions on findings where it is wanted.
  tasks = concat(local.lanes, var.actions ? ["actions"] : [])
}

# What was received too often without success. Settle moves it into the database each minute.
resource "aws_sqs_queue" "dead_letters" {
  name                              = "scan-dlq"
  message_retention_seconds         = var.dlq_retention_s
  visibility_timeout_seconds        = var.visibility_timeout_s
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = 3600

  tags = var.tags
}

resource "aws_sqs_queue" "lane" {
  for_each = toset(local.tasks)

  name                              = each.key
  message_retention_seconds         = var.lane_retention_s
  visibility_timeout_seconds        = var.visibility_timeout_s
  receive_wait_time_seconds         = var.long_poll_s
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = 3600

  # In the queue itself and not as a resource beside it: a lane without it would lose failed tasks, if only for a moment.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receives
  })

  tags = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = concat([for name in local.tasks : aws_sqs_queue.lane[name].arn], [aws_sqs_queue.object_events.arn])
  })
}

# From S3 to the function of its events. Many receives: an hour without a database must not make dead letters.
resource "aws_sqs_queue" "object_events" {
  name                              = "scan-object-events"
  message_retention_seconds         = var.lane_retention_s
  visibility_timeout_seconds        = var.object_events_visibility_s
  receive_wait_time_seconds         = var.long_poll_s
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = 3600

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.object_events_max_receives
  })

  tags = var.tags
}

# From workers to Flower; worthless after some minutes.
resource "aws_sqs_queue" "events" {
  name                              = "scan-events"
  message_retention_seconds         = var.events_retention_s
  visibility_timeout_seconds        = var.events_visibility_s
  receive_wait_time_seconds         = var.long_poll_s
  kms_master_key_id                 = var.kms_key_arn
  kms_data_key_reuse_period_seconds = 3600

  tags = var.tags
}

################################################################################
# Nobody outside of this account, nothing unencrypted, whatever other policies allow
################################################################################

locals {
  queues = merge(
    { for name, queue in aws_sqs_queue.lane : name => { url = queue.id, arn = queue.arn } },
    { (aws_sqs_queue.dead_letters.name) = { url = aws_sqs_queue.dead_letters.id, arn = aws_sqs_queue.dead_letters.arn } },
    { (aws_sqs_queue.object_events.name) = { url = aws_sqs_queue.object_events.id, arn = aws_sqs_queue.object_events.arn } },
    { (aws_sqs_queue.events.name) = { url = aws_sqs_queue.events.id, arn = aws_sqs_queue.events.arn } },
  )
  names = concat(local.tasks, ["scan-dlq", "scan-object-events", "scan-events"])

  # Whom the queue of S3's events hears: S3 for these buckets, or a rule of EventBridge.
  senders = [for statement in [
    {
      Sid       = "S3Sends"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = aws_sqs_queue.object_events.arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = var.event_sender_arns }
        StringEquals = { "aws:SourceAccount" = split(":", aws_sqs_queue.object_events.arn)[4] }
      }
    },
    {
      Sid       = "EventBridgeSends"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = aws_sqs_queue.object_events.arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = var.event_sender_arns }
        StringEquals = { "aws:SourceAccount" = split(":", aws_sqs_queue.object_events.arn)[4] }
      }
    },
  ] : statement if length(var.event_sender_arns) > 0 && statement.Sid == var.event_sender]

  # What anybody does with a queue of ours; named one by one, because SQS has no other way to say "all" without a wildcard.
  data_actions = [
    "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
    "sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:SendMessage",
  ]
}

resource "aws_sqs_queue_policy" "this" {
  for_each = toset(local.names)

  queue_url = local.queues[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(each.key == "scan-object-events" ? local.senders : [], [for statement in [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.data_actions
        Resource  = local.queues[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "ThisAccountOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.data_actions
        Resource  = local.queues[each.key].arn
        # Services of AWS have no account: whom of them the queue hears is said above.
        Condition = merge(
          { StringNotEquals = { "aws:PrincipalAccount" = split(":", local.queues[each.key].arn)[4] } },
          each.key == "scan-object-events" ? { Bool = { "aws:PrincipalIsAWSService" = "false" } } : {},
        )
      },
    ] : statement if var.tls_only || statement.Sid != "TlsOnly"])
  })
}
