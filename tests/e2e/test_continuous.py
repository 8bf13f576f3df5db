"""A watched bucket of the emulator: what is put into it is scanned within seconds, each object once."""

from __future__ import annotations

import json
from typing import Any

from scanner_tasks.core import lanes
from scanner_tasks.local.emulator import ACCOUNT, REGION

from .conftest import Pipeline, by_key, text_with

QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{lanes.OBJECT_EVENTS}"


def watch(pipeline: Pipeline, bucket: str) -> dict[str, Any]:
    pipeline.api._call("POST", "/watches", {"bucket": bucket})
    pipeline.s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]
        },
    )
    return pipeline.api._call("GET", f"/watches/{bucket}")


def test_objects_are_scanned_as_they_come_each_once_though_events_come_twice(pipeline: Pipeline) -> None:
    truth = {f"in coming/{n}+ü.txt": 1 + n % 3 for n in range(15)}
    bucket = pipeline.new_bucket({})
    assert watch(pipeline, bucket)["job_id"] is None
    for key, ssns in truth.items():
        pipeline.s3.put_object(Bucket=bucket, Key=key, Body=text_with(ssns, lines=20))

    def state() -> dict[str, Any]:
        return pipeline.api._call("GET", f"/watches/{bucket}")

    pipeline.until(lambda: state()["events"]["added"] == len(truth), "the events")
    job = state()["job_id"]
    pipeline.until(lambda: pipeline.api.job(job).objects["scanned"] == len(truth), "the scans")
    # S3 delivers at least once: the same again, by hand, in EventBridge's words, and something else's.
    key = next(iter(truth))
    events = pipeline.rows("select sequencer from object_events where bucket = :b order by sequencer", b=bucket)
    about = {"key": key, "size": 1, "etag": "", "sequencer": events[0].sequencer}
    again = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": "2026-11-01T00:00:00Z",
        "detail": {"bucket": {"name": bucket}, "object": about},
    }
    for body in (json.dumps(again), "not of S3"):
        pipeline.sqs.send_message(QueueUrl=pipeline.queue_url(lanes.OBJECT_EVENTS), MessageBody=body)
    pipeline.s3.delete_object(Bucket=bucket, Key=key)
    pipeline.until(lambda: state()["events"] == {"added": 15, "repeated": 1, "deleted": 1, "ignored": 0}, "the repeats")
    (letter,) = pipeline.rows("select body, state from dead_letters where lane = :lane", lane=lanes.OBJECT_EVENTS)
    assert (letter.body, letter.state) == ("not of S3", "open")

    pipeline.api._call("DELETE", f"/watches/{bucket}")
    ended = pipeline.ended(job)
    assert (ended.status, ended.listed, ended.objects["scanned"]) == ("succeeded", 15, 15)
    assert by_key(pipeline.found(job)) == truth
    assert pipeline.is_drained(lanes.OBJECT_EVENTS)
