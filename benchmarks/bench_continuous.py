"""Seconds from an object's arrival in a watched bucket to its outcome: docs/continuous.md's figures.

The demo's stack (emulated S3, SQS, Lambda; PostgreSQL; two workers): objects one after the other, then a burst. The
first object waits for the function's first start, for the job of the day to be opened, and here for the workers; it is
told by itself. What AWS takes to deliver an event (S3's documents say seconds, sometimes a minute) is not in it.

Run: python -m benchmarks.bench_continuous [objects of the burst]
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.postgres.machine import machine
from scanner_tasks.core import lanes
from scanner_tasks.local.deploy import client
from scanner_tasks.local.emulator import ACCOUNT, REGION
from scanner_tasks.local.stack import Stack
from scanner_tasks.store.engine import execute, make_engine, transaction

BUCKET, ONE_BY_ONE, MOST_S = "watched", 20, 300.0
TEXT = b"name,ssn\nJane Roe,512-44-1234\n"


def main(burst: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="s3scan-bench-"))
    folder.chmod(0o755)
    with Stack(folder / "stack", say=lambda _: None) as stack:
        engine = make_engine(stack.postgres.url("s3scan"), pool_size=2)
        s3 = client("s3", stack.emulator.endpoint_url)
        s3.create_bucket(Bucket=BUCKET)
        with transaction(engine) as connection:
            execute(connection, "insert into watches (bucket) values (:bucket)", bucket=BUCKET)
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{lanes.OBJECT_EVENTS}"
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]},
        )

        def scanned() -> int:
            query = "select count(*) from job_objects where bucket = :bucket and status = 'scanned'"
            with transaction(engine) as connection:
                return int(execute(connection, query, bucket=BUCKET).scalar_one())

        def until(number: int, began: float) -> float:
            while scanned() < number:
                if time.monotonic() - began > MOST_S:
                    raise SystemExit(f"Only {scanned()} of {number} objects after {MOST_S:.0f} s.")
                time.sleep(0.02)
            return time.monotonic() - began

        def put(number: int) -> None:
            s3.put_object(Bucket=BUCKET, Key=f"{number:06d}.csv", Body=TEXT)

        seconds = []
        for number in range(ONE_BY_ONE):
            began = time.monotonic()
            put(number)
            seconds.append(until(number + 1, began))
        began = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(put, range(ONE_BY_ONE, ONE_BY_ONE + burst)))
        puts_s = time.monotonic() - began
        all_s = until(ONE_BY_ONE + burst, began)
        told = {
            "first_s": round(seconds[0], 2),
            "median_s": round(median(seconds[1:]), 2),
            "longest_s": round(max(seconds[1:]), 2),
            "burst": burst,
            "burst_puts_s": round(puts_s, 1),
            "burst_scanned_after_last_put_s": round(all_s - puts_s, 1),
            "load_average": round(os.getloadavg()[0], 1),
            **machine(engine),
        }
        engine.dispose()
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
