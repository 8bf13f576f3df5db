"""POST with an Idempotency-Key: the same key and request get the same answer, and what it begins begins once.

    1. take the key (store/idempotency.py)      two at once: one gets it, the other is told to wait
    2. do it; ids of jobs come from the key     died after 2, before 3: a repeat finds the job that there is
    3. keep the answer; of a refusal, forget the key

The answer of a request that was refused or failed is not kept: its repeat may do better.
"""

from __future__ import annotations

import hashlib
import re
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from api_lambda import problems
from api_lambda.callers import current
from api_lambda.common import api
from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.log import get_logger
from scanner_tasks.store import idempotency
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Result = dict[str, Any]

HEADER = "idempotency-key"
#: Longer than any request lives: API Gateway gives up after 30 seconds.
HOLD_S = 60
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

#: From which ids of jobs are made; None without a key.
_seed: ContextVar[UUID | None] = ContextVar("seed", default=None)
_log = get_logger()


def job_ids() -> Callable[[str], UUID | None]:
    """Bucket → id of the job that this request begins on it, None where it may be any; any thread may ask."""
    seed = _seed.get()
    return lambda bucket: None if seed is None else uuid5(seed, bucket)


def once(event: Mapping[str, Any], key: str | None, do: Callable[[], Result]) -> Result:
    """What ``do`` answers, or answered before to the same request of the same caller.

    Raises InvalidInput for a key that is none.
    """
    if key is None:
        return do()
    if not _KEY.fullmatch(key):
        raise InvalidInput("Idempotency-Key: give 1 to 255 visible ASCII characters, such as a UUID.")
    engine, caller, told = api().engine, current.get().name, _hash(event)
    with transaction(engine) as connection:
        kept = idempotency.take(connection, caller=caller, key=key, request_hash=told, seed=uuid4(), hold_s=HOLD_S)
    if kept.request_hash != told:
        return problems.as_result(
            problems.problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "This Idempotency-Key came with another request before: use a new key for a new request.",
                kind="idempotency_key_reused",
            )
        )
    if kept.status is not None:
        headers = {"Content-Type": "application/json", "Idempotency-Replayed": "true"}
        return {"statusCode": kept.status, "headers": headers, "body": kept.answer, "isBase64Encoded": False}
    if not kept.is_ours:
        return problems.as_result(
            problems.problem(
                HTTPStatus.CONFLICT,
                "The same request is being answered just now: repeat it in some seconds.",
                kind="request_in_progress",
                headers={"Retry-After": str(problems.RETRY_AFTER_S)},
            )
        )
    token = _seed.set(kept.seed)
    try:
        answer = do()
    finally:
        _seed.reset(token)
    try:
        with transaction(engine) as connection:
            if answer["statusCode"] < HTTPStatus.BAD_REQUEST:
                idempotency.keep_answer(
                    connection, caller=caller, key=key, status=answer["statusCode"], answer=answer["body"] or ""
                )
            else:
                idempotency.release(connection, caller=caller, key=key)
    except Unavailable:
        # It is done: a repeat meets the same job when the hold is over.
        _log.warning("answer_not_kept", exc_info=True)
    return answer


def _hash(event: Mapping[str, Any]) -> str:
    http = event["requestContext"]["http"]
    parts = (http["method"], event.get("rawPath", ""), event.get("rawQueryString", ""), event.get("body") or "")
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
