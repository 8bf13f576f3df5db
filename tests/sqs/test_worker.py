"""A real worker on the emulator: ordinary work."""


def test_tasks_of_all_lanes_run_once_and_their_messages_are_deleted(make_sample):
    sample = make_sample(lanes=3)
    sample.start()
    for n in range(30):
        sample.put("sample.work", f"t{n}", lane=sample.lanes[n % 3])
    sample.wait_until(lambda: len(sample.lines("end")) == 30, what="30 tasks")
    sample.wait_until(sample.is_empty, what="empty lanes")
    assert sorted(sample.lines("start")) == sorted(f"t{n}" for n in range(30))
    assert sample.depth(sample.dlq_url) == (0, 0)
