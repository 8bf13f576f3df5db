"""The liveness file is touched only while the worker does its work."""

import os
import signal
from types import SimpleNamespace

import pytest

from scanner_tasks.sqs import health
from scanner_tasks.sqs.liveness import Pulse


def channel(**changes):
    """A channel as the pulse sees it: polls of at most 40 s, deadline 100 s."""
    values = {
        "qos": SimpleNamespace(_delivered={}, _dirty=set()),
        "last_poll": {"a": 0.0},
        "waiting": {},
        "longest_poll_s": 40.0,
        "transport_options": {"liveness_deadline_s": 100},
    }
    return SimpleNamespace(**{**values, **changes})


def test_worker_is_alive_while_every_poll_ends_in_time(tmp_path):
    pulse = Pulse(channel(last_poll={"a": 0.0, "b": 10.0}), tmp_path / "alive")
    assert pulse.trouble(39) is None
    assert "poll of a has not ended for 41 s" in pulse.trouble(41)


def test_full_worker_is_alive_until_its_oldest_message_is_over_the_deadline(tmp_path):
    full = channel(waiting={"a": None})
    full.qos._delivered["tag"] = object()
    pulse = Pulse(full, tmp_path / "alive")
    assert pulse.trouble(1000) is None
    assert pulse.trouble(1100) is None
    assert "held for 101 s" in pulse.trouble(1101)
    full.qos._dirty.add("tag")  # settled
    assert pulse.trouble(1102) is None


def test_file_is_touched_while_alive_and_not_afterwards(tmp_path):
    file = tmp_path / "alive"
    pulse = Pulse(channel(last_poll={}), file)
    pulse.beat()
    assert file.exists()
    file.unlink()
    pulse._channel.last_poll["a"] = -1e9
    pulse.beat()
    assert not file.exists()


def test_health_is_the_age_of_the_file(tmp_path, capsys):
    file = tmp_path / "alive"
    assert health.main([str(file)]) == 1
    assert "does not exist" in capsys.readouterr().err
    file.touch()
    assert health.main([str(file)]) == 0
    os.utime(file, (1000, 1000))
    assert health.main([str(file), "--max-age", "60"]) == 1
    assert "was last touched" in capsys.readouterr().err
    assert health.trouble(file, now=1059) is None
    assert health.trouble(file, now=1061) is not None


@pytest.mark.slow
def test_a_worker_that_stands_still_stops_touching_its_file(make_sample, tmp_path):
    file = tmp_path / "alive"
    sample = make_sample(liveness_file=str(file))
    worker = sample.start()
    first = file.stat().st_mtime
    sample.wait_until(lambda: file.stat().st_mtime > first, what="a second touch")
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        sample.wait_until(lambda: health.trouble(file, max_age_s=7) is not None, what="a dead worker", timeout_s=15)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
