"""Every queue's name, and which bucket uses which lane.

The Celery settings, the local stack and Terraform derive their queue names from here; nothing else spells one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The promise of the queues (promises.md C1), equal to Terraform's defaults.
VISIBILITY_TIMEOUT_S = 300
MAX_RECEIVES = 3
LONG_POLL_S = 20
#: A message keeps its first enqueue time when it moves to the dead letter queue, so the source keeps less.
LANE_RETENTION_S = 4 * 24 * 3600
DLQ_RETENTION_S = 14 * 24 * 3600
#: Flower's events: worthless after a few minutes, and a dead long poll must not hold them for long.
EVENTS_RETENTION_S = 300
EVENTS_VISIBILITY_S = 10

#: S3's events: kept as long as a lane's messages. A receive costs nothing but a minute or two, and an hour without a
#: database must not make dead letters; what cannot be read is put aside at its first receive.
OBJECT_EVENTS_RETENTION_S = LANE_RETENTION_S
OBJECT_EVENTS_VISIBILITY_S = 90
OBJECT_EVENTS_MAX_RECEIVES = 100

DEFAULT_LANE_COUNT = 8
DLQ = "scan-dlq"
EVENTS = "scan-events"
OBJECT_EVENTS = "scan-object-events"
#: What is done about findings (docs/acting.md): a queue of its own, which no worker that scans takes from.
ACTIONS = "actions"
#: Names of remote control's queues and topic begin with it; workers make them (S3SCAN_REMOTE_CONTROL).
CONTROL_PREFIX = "scan-ctl-"


def lane_names(count: int = DEFAULT_LANE_COUNT) -> tuple[str, ...]:
    """The lanes in order.

    Examples:
        >>> lane_names(2)
        ('scan-0', 'scan-1')
    """
    return tuple(f"scan-{n}" for n in range(count))


def choose_lane(bucket: str, load: Mapping[str, int], lanes: Sequence[str], dedicated: Mapping[str, str]) -> str:
    """The lane for a bucket that has no active job: its dedicated one, else the least loaded of the shared ones.

    Args:
        bucket: the bucket that a job begins on.
        load: open batches of each lane's active jobs plus one for each active bucket; a lane not named has none.
        lanes: every lane, in order; the earliest wins a tie.
        dedicated: bucket → lane, from the settings; such a lane is given to no other bucket.

    Examples:
        >>> choose_lane("b", {"scan-0": 5}, ["scan-0", "scan-1"], {})
        'scan-1'
        >>> choose_lane("b", {}, ["scan-0", "scan-1"], {"a": "scan-0"})
        'scan-1'
    """
    if bucket in dedicated:
        return dedicated[bucket]
    shared = [lane for lane in lanes if lane not in dedicated.values()] or list(lanes)
    return min(shared, key=lambda lane: load.get(lane, 0))


def message_group(bucket: str) -> str:
    """The SQS MessageGroupId of a bucket's messages: AWS fair queues share a lane between groups.

    Bucket names have at most 63 characters, groups may have 128.
    """
    return bucket
