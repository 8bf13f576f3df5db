"""Celery's settings, for workers and for whoever sends tasks: ``app.config_from_object("celeryconfig")``.

Queue names come from core/lanes.py, addresses and sizes from the environment (settings.py).
"""

from __future__ import annotations

from kombu.entity import Queue

from scanner_tasks import settings as _settings
from scanner_tasks import sqs as _sqs
from scanner_tasks.core import lanes as _lanes
from scanner_tasks.core.errors import InvalidInput as _InvalidInput

_values = _settings.load()

# From here on sqs:// survives HTTP errors and dead sockets and takes only what it can run (docs/celery-on-sqs.md).
_sqs.install()
# No credentials, no host: boto3 finds the role, the Region and AWS_ENDPOINT_URL by itself.
broker_url = "sqs://"
broker_transport_options = {
    "region": _values.aws_region,
    # Fixed queues: Terraform makes them, nobody needs CreateQueue, and none is without its redrive policy.
    "predefined_queues": {
        name: {"url": _values.queue_url(name)} for name in (*_values.task_queue_names, _lanes.DLQ, _lanes.EVENTS)
    },
    # The longest SQS allows: an idle worker asks three times a minute and lane.
    "wait_time_seconds": _lanes.LONG_POLL_S,
    # What the heartbeat falls back to; each queue's own attribute rules.
    "visibility_timeout": _values.visibility_timeout_s,
    # One ordinary queue carries events to Flower: no SNS.
    "events_queue": _lanes.EVENTS,
    # Flower shows where a task failed; the text of an exception could name an object.
    "hide_exception_text": True,
    # In AWS a stop listens until the last long poll has ended, so that no message is swallowed; locally nobody waits.
    "drain_s": 1 if _values.aws_endpoint_url else _lanes.LONG_POLL_S + 1,
    # For a container's health check; empty = no file.
    "liveness_file": _values.liveness_file,
    # Twenty threads publish a batch; a call gives up within half a minute and is tried again.
    "client-config": {
        "max_pool_connections": 50,
        "connect_timeout": 5,
        "read_timeout": 30,
        "retries": {"mode": "standard", "total_max_attempts": 4},
    },
}
# SQS may be away when a worker starts.
broker_connection_retry_on_startup = True
# Dispatch windows bound what stands in SQS, so a publish that fails may be tried for a while.
task_publish_retry_policy = {"max_retries": 5, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 5}

# A worker that scans consumes from every lane, one that acts on findings from the actions' queue alone, so that neither
# needs the other's role; the dead letter queue and the events queue are known, not consumed from.
_consumed = _values.lane_names
if _values.worker_role == "act":
    if not _values.actions:
        raise _InvalidInput("S3SCAN_WORKER_ROLE=act: set S3SCAN_ACTIONS=true too.")
    _consumed = (_lanes.ACTIONS,)
task_queues = [Queue(_name, routing_key=_name) for _name in _consumed]  # type: ignore[no-untyped-call]
task_default_queue = _consumed[0]
# A misspelt lane is an error here, not a new queue without redrive policy.
task_create_missing_queues = False
# scan_prefix and scan_objects: the bucket's lane; scan_batch goes where feed says (app.py).
task_routes = ["scanner_tasks.app.route"]

# Redrive is SQS's own: a message is deleted when its task has succeeded and at no other time, so that three receives
# that fail, however they fail, end in the dead letter queue.
task_acks_late = True
task_reject_on_worker_lost = True
task_acks_on_failure = False
task_acks_on_timeout = False
task_retry_on_worker_lost = False  # it would send a new message, whose receives count from one

# Threads: work waits for S3; a process for each slot costs ten times the memory (docs/celery-on-sqs.md).
worker_pool = "threads"
worker_concurrency = _values.max_workers
# One message for each thread: what waits in memory is taken from other workers.
worker_prefetch_multiplier = 1

# Results are in the ledger; a result backend would be a second, poorer one.
task_ignore_result = True
result_backend = None

# JSON only: nothing that a message holds is executed.
task_serializer = "json"
accept_content = ["json"]

# Flower: events on; "sent" events would cost the feeding side a request for each message.
worker_send_task_events = True
task_send_sent_event = False
# Remote control needs fanout (SNS) and queues that workers make: off unless S3SCAN_REMOTE_CONTROL is set.
worker_enable_remote_control = _values.remote_control
if _values.remote_control:
    broker_transport_options["control_prefix"] = _lanes.CONTROL_PREFIX
# Timers of rate limits are of no use without remote control.
worker_disable_rate_limits = not _values.remote_control

# Logging belongs to the application (log.py); Celery's own lines name the task and its id, never its arguments.
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_task_log_format = "[%(asctime)s: %(levelname)s] %(task_name)s[%(task_id)s] %(message)s"
# A connection that is made anew takes its running tasks along; they are not cancelled.
worker_cancel_long_running_tasks_on_connection_loss = False
