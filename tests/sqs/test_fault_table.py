"""Every call kind meets every fault: the worker lives, says so in a line, tries again; nothing is lost or run twice."""

import textwrap
import time

import pytest

from tests.sqs.faults import KINDS

#: Short timeouts, so that a silence costs half a second.
BRISK = {"wait_time_seconds": 1, "poll_grace_s": 1, "request_timeout_s": 0.5}


def _told(sample, worker, call):
    return [line for line in sample.log(worker).splitlines() if f"SQS {call}" in line and "will try again" in line]


def _assert_no_traceback(log):
    # urllib3 writes one of its own about a header that it cannot parse.
    assert log.count("Traceback") == log.count("Failed to parse headers")


#: What a worker asks of SQS, and the word for it in the log.
CALLS = {
    "ReceiveMessage": "ReceiveMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "SendMessage": "SendMessage",
}


def test_every_call_of_a_worker_outlives_every_fault(make_sample, proxy):
    sample = make_sample(visibility_s=4, **BRISK)
    worker = sample.start(endpoint=proxy.url)
    end = sample.folder / "end"
    now = sample.folder / "now"
    now.touch()
    sample.put("sample.hold", "held", str(end))  # its message is extended all the time
    sample.wait_until(lambda: sample.lines("start") == ["held"], what="the task that stays")
    for kind in KINDS:
        extended = proxy.seen["ChangeMessageVisibilityBatch", "ok"]
        told = {word: len(_told(sample, worker, word)) for word in CALLS.values()}
        spoilt = proxy.spoilt("ReceiveMessage")
        proxy.spoil("ReceiveMessage", kind)
        proxy.spoil("SendMessage", kind)
        for operation in ("DeleteMessageBatch", "ChangeMessageVisibilityBatch"):
            proxy.spoil(operation, kind, times=2)  # botocore repeats some by itself, without a word
        sample.put("sample.hold", f"sender {kind}", str(now), kind)  # sends a task named after the fault

        def has_told(told=told, spoilt=spoilt):
            by_call = {word: len(_told(sample, worker, word)) > n for word, n in told.items()}
            # curl itself asks again, once and without a word, on a kept connection that the other side has closed.
            by_call["ReceiveMessage"] = proxy.spoilt("ReceiveMessage") > spoilt
            return all(by_call.values())

        sample.wait_until(has_told, what=f"a line about {kind} from each call", timeout_s=15)
        proxy.heal()
        sample.wait_until(
            lambda kind=kind: {kind, f"sender {kind}"} <= set(sample.lines("end")), what=f"both tasks after {kind}"
        )
        sample.wait_until(
            lambda n=extended: proxy.seen["ChangeMessageVisibilityBatch", "ok"] > n, what=f"an extension after {kind}"
        )
    end.touch()
    sample.wait_until(sample.is_empty, what="an empty lane")
    # A send whose answer was lost is repeated: those tasks, and no others, may run twice.
    once = ["held", *(f"sender {kind}" for kind in KINDS)]
    assert sorted(name for name in sample.lines("start") if name not in KINDS) == sorted(once)
    assert len(_told(sample, worker, "ReceiveMessage")) >= len(KINDS) - 1
    assert len(_told(sample, worker, "SendMessage")) == len(KINDS)
    assert sample.depth(sample.dlq_url) == (0, 0)
    _assert_no_traceback(sample.log(worker))


@pytest.mark.parametrize(
    ("operation", "program"),
    [
        pytest.param("SendMessage", 'work.delay("t")', marks=pytest.mark.slow),
        (
            "SendMessageBatch",
            """
            with app.producer_or_acquire() as producer, producer.batch():
                for n in range(12):
                    work.apply_async((f"t{n}",), producer=producer)
            """,
        ),
    ],
)
def test_producer_sends_through_every_fault(make_sample, proxy, operation, program):
    sample = make_sample(**BRISK)
    for kind in KINDS:
        proxy.spoil(operation, kind)
    repeated = textwrap.indent(textwrap.dedent(program), "    ")
    sample.send(f"for _ in range({len(KINDS)}):\n{repeated}", endpoint=proxy.url)
    assert proxy.spoilt(operation) == len(KINDS)
    wanted = len(KINDS) * (1 if operation == "SendMessage" else 12)
    # Half of the faults come after SQS has taken the messages: those are queued twice, and none is lost.
    assert wanted <= sample.depth(sample.urls[sample.lane])[0] <= 2 * wanted


@pytest.mark.parametrize(
    ("outage", "lasts_s"), [("refused", 0), ("dns", 0), pytest.param("dns", 60, marks=pytest.mark.slow)]
)
def test_outage_is_sat_out_by_every_call_and_every_task_runs_once(make_sample, proxy, outage, lasts_s):
    sample = make_sample(visibility_s=9 + 2 * lasts_s, **BRISK)
    resolves, gone, back = (sample.folder / name for name in ("resolves", "gone", "back"))
    resolves.touch()
    sample.dns = ("sqs.sample.invalid", proxy.port, str(resolves))
    worker = sample.start(endpoint=f"http://sqs.sample.invalid:{proxy.port}")
    # In the outage the first one's message is to be deleted, the second one's extended, and the third one sends.
    sample.put("sample.hold", "ends", str(gone))
    sample.put("sample.hold", "goes on", str(back))
    if not lasts_s:  # a send is given up, and its task with it, before a minute is over
        sample.put("sample.hold", "sends", str(gone), "sent")
    running = 2 if lasts_s else 3
    sample.wait_until(lambda: len(sample.lines("start")) == running, what="running tasks")

    if outage == "dns":
        resolves.unlink()
        proxy.hang_up()
    else:
        proxy.refuse()
    gone.touch()
    calls = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "SendMessage")[: 2 if lasts_s else 4]
    until = time.monotonic() + lasts_s
    sample.wait_until(lambda: all(_told(sample, worker, call) for call in calls), what="a line about each call")
    sample.wait_until(lambda: time.monotonic() >= until, what="the outage's end", timeout_s=lasts_s + 1)
    resolves.touch()
    if outage == "refused":
        proxy.listen()
    back.touch()

    tasks = sorted(("ends", "goes on", "sends", "sent")[: 2 * (running - 1)])
    sample.wait_until(lambda: len(sample.lines("end")) == len(tasks), what="all tasks, and the one that was sent")
    sample.wait_until(sample.is_empty, what="an empty lane", timeout_s=20)
    assert sorted(sample.lines("start")) == tasks
    assert sample.depth(sample.dlq_url) == (0, 0)
    _assert_no_traceback(sample.log(worker))
