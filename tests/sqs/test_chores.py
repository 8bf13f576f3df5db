"""Deletes away from the event loop."""

import threading

from scanner_tasks.sqs.chores import Chore, Chores


class Sqs:
    """Deletes from any queue but ``down``, which does not answer until it is back."""

    def __init__(self):
        self.deleted, self.asked = [], []
        self.is_back, self.has_failed, self.has_deleted = threading.Event(), threading.Event(), threading.Event()

    def delete_message_batch(self, QueueUrl, Entries):  # noqa: N803
        self.asked.append(QueueUrl)
        if QueueUrl == "down" and not self.is_back.is_set():
            self.has_failed.set()
            raise TimeoutError
        self.deleted += [entry["ReceiptHandle"] for entry in Entries]
        self.has_deleted.set()
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def test_a_delete_that_fails_holds_up_no_other_and_is_done_in_the_end():
    sqs, chores = Sqs(), Chores()
    chores.add(Chore(client=sqs, url="down", receipt="a"))
    assert sqs.has_failed.wait(5)
    chores.add(Chore(client=sqs, url="up", receipt="b"))
    assert sqs.has_deleted.wait(5)
    assert sqs.deleted == ["b"]
    assert chores.pending == 1
    sqs.is_back.set()
    assert chores.close(5)
    assert sqs.deleted == ["b", "a"]
    assert chores.pending == 0


def test_at_a_close_what_still_fails_is_given_up_after_one_more_try():
    sqs, chores = Sqs(), Chores()
    chores.add(Chore(client=sqs, url="down", receipt="a"))
    assert sqs.has_failed.wait(5)
    assert chores.close(5)
    assert sqs.deleted == []
    assert chores.pending == 0
