variable "lane_count" {
  description = "Number of lanes scan-0 …; workers and functions get the same number (S3SCAN_LANE_COUNT)."
  type        = number

  validation {
    condition     = var.lane_count >= 1 && var.lane_count <= 8 && floor(var.lane_count) == var.lane_count
    error_message = "Give 1 to 8 lanes: a worker polls ten queues at once, and one is Flower's."
  }
}

variable "actions" {
  description = "Make the queue `actions` too (docs/acting.md)."
  type        = bool
}

variable "visibility_timeout_s" {
  description = "Seconds that a received message stays hidden; workers renew it while they work."
  type        = number

  validation {
    condition     = var.visibility_timeout_s >= 60 && var.visibility_timeout_s <= 43200
    error_message = "Give 60 to 43200 seconds; a claim's lease (S3SCAN_LEASE_S, 240 s) must be shorter."
  }
}

variable "max_receives" {
  description = "Receives without success before a message is a dead letter."
  type        = number

  validation {
    condition     = var.max_receives >= 2 && var.max_receives <= 10
    error_message = "Give 2 to 10 receives: with one, a single lost worker makes dead letters."
  }
}

variable "lane_retention_s" {
  description = "Seconds that a lane keeps a message."
  type        = number
}

variable "dlq_retention_s" {
  description = "Seconds that the dead letter queue keeps a message, counted from when it was first sent."
  type        = number

  validation {
    condition     = var.dlq_retention_s <= 1209600
    error_message = "SQS keeps messages for 14 days (1209600 s) at most."
  }

  validation {
    condition     = var.dlq_retention_s > var.lane_retention_s
    error_message = "The dead letter queue must keep messages longer than the lanes: a dead letter keeps its first enqueue time, so that equal retentions would lose it."
  }
}

variable "events_retention_s" {
  description = "Seconds that Flower's events are kept."
  type        = number
}

variable "events_visibility_s" {
  description = "Visibility timeout of Flower's events."
  type        = number
}

variable "object_events_visibility_s" {
  description = "Seconds that an event of S3 stays hidden while its function takes it."
  type        = number
}

variable "object_events_max_receives" {
  description = "Receives of an event of S3 without success before it is a dead letter."
  type        = number
}

variable "event_sender" {
  description = "Who sends S3's events: S3Sends, notifications of the buckets; EventBridgeSends, a rule."
  type        = string

  validation {
    condition     = contains(["S3Sends", "EventBridgeSends"], var.event_sender)
    error_message = "Give S3Sends or EventBridgeSends."
  }
}

variable "event_sender_arns" {
  description = "ARNs of the buckets, or of the rule; without any, nobody may send."
  type        = list(string)
}

variable "long_poll_s" {
  description = "Seconds of a long poll."
  type        = number

  validation {
    condition     = var.long_poll_s >= 1 && var.long_poll_s <= 20
    error_message = "SQS waits 1 to 20 seconds."
  }
}

variable "tls_only" {
  description = "Refuse plain HTTP; off only for an emulator on loopback."
  type        = bool
}

variable "kms_key_arn" {
  description = "Key that encrypts the messages."
  type        = string
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
}
