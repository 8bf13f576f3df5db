"""Everything at once: faults on every call, a killed worker, a stopped one; nothing is lost."""

import os
import signal

import pytest

from tests.sqs.samples import BATCH_OF


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_task_of_a_storm_is_done(make_sample, proxy, seed):
    sample = make_sample(lanes=8, visibility_s=8, events=True, wait_time_seconds=2, poll_grace_s=2)
    proxy.spoil_at_random(0.04, seed)
    for lane in sample.lanes:
        sample.send(BATCH_OF.format(lane=lane, count=75))
    wanted = {f"{lane}/{n}" for lane in sample.lanes for n in range(75)}
    first = sample.start(concurrency=10, endpoint=proxy.url)
    second = sample.start(concurrency=10, endpoint=proxy.url)
    sample.wait_until(lambda: len(sample.lines("end")) > 150, what="a quarter", timeout_s=60)
    os.kill(first.pid, signal.SIGKILL)
    third = sample.start(concurrency=10, endpoint=proxy.url)
    os.kill(second.pid, signal.SIGTERM)
    sample.wait_until(lambda: set(sample.lines("end")) == wanted, what="every task", timeout_s=100, worker=third)
    sample.wait_until(lambda: second.exit_status == 0, what="the stopped worker's end", worker=third)
    assert "Unrecoverable" not in sample.log(third) + sample.log(second)
    assert sample.depth(sample.dlq_url) == (0, 0)
