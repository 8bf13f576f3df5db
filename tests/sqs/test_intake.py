"""A task may close the intake: nothing new is received meanwhile, and for no longer than it said."""

import threading

from scanner_tasks.sqs import intake


def test_nothing_is_received_while_a_task_keeps_the_intake_closed(make_sample, proxy):
    sample = make_sample(lanes=2, visibility_s=3, wait_time_seconds=1)
    sample.start(endpoint=proxy.url)
    sign = sample.folder / "sign"
    sample.put("sample.shut", "shuts", str(sign), 60)
    sample.wait_until(lambda: sample.lines("start") == ["shuts"], what="the task")
    sample.wait_until(lambda: proxy.open["ReceiveMessage"] == 0, what="the end of the open polls")
    received, extended = (proxy.seen[call, "ok"] for call in ("ReceiveMessage", "ChangeMessageVisibilityBatch"))
    for n in range(6):
        sample.put("sample.work", f"t{n}", lane=sample.lanes[n % 2])
    # Its own message is kept meanwhile.
    sample.wait_until(
        lambda: proxy.seen["ChangeMessageVisibilityBatch", "ok"] >= extended + 2, what="two rounds of the heartbeat"
    )
    assert proxy.seen["ReceiveMessage", "ok"] == received
    assert [sample.depth(sample.urls[lane])[0] for lane in sample.lanes] == [3, 3]
    sign.touch()
    sample.wait_until(lambda: len(sample.lines("end")) == 7, what="all tasks")
    sample.wait_until(sample.is_empty, what="empty lanes")


def test_task_that_hangs_keeps_the_intake_closed_no_longer_than_it_said(make_sample):
    sample = make_sample(wait_time_seconds=1)
    sample.start(grace_s=0.1)
    sample.put("sample.shut", "hangs", str(sample.folder / "never"), 1)
    sample.wait_until(lambda: sample.lines("start") == ["hangs"], what="the task")
    sample.put("sample.work", "after")
    sample.wait_until(lambda: "after" in sample.lines("end"), what="the next task", timeout_s=10)


def test_blocks_add_up():
    ends = [threading.Event() for _ in range(2)]
    begun = threading.Barrier(3)

    def hold(end):
        with intake.closed(60):
            begun.wait(5)
            end.wait(5)

    threads = [threading.Thread(target=hold, args=(end,)) for end in ends]
    for thread in threads:
        thread.start()
    begun.wait(5)
    seen = []
    for thread, end in zip(threads, ends, strict=True):
        seen.append(intake.is_closed())
        end.set()
        thread.join(5)
    assert [*seen, intake.is_closed()] == [True, True, False]
    with intake.closed(0):
        assert not intake.is_closed()
