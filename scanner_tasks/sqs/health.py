"""Is the worker that touches this file alive? For a container's health check.

    python -m scanner_tasks.sqs.health /tmp/worker.alive --max-age 60

Exits 0 when it is, 1 with one line when it is not. Loads neither Celery nor boto3.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

MAX_AGE_S = 60.0


def trouble(path: Path, *, max_age_s: float = MAX_AGE_S, now: float | None = None) -> str | None:
    """Why the worker counts as dead; None when it is alive.

    Args:
        path: the worker's ``liveness_file``.
        max_age_s: how long ago it may have been touched; the worker does so every five seconds.
        now: seconds since the epoch, for tests.
    """
    try:
        age_s = (time.time() if now is None else now) - path.stat().st_mtime
    except FileNotFoundError:
        return f"{path} does not exist: the worker has not started, or its liveness_file is another one"
    if age_s > max_age_s:
        return f"{path} was last touched {age_s:.0f} s ago (allowed: {max_age_s:.0f} s): see the worker's log"
    return None


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scanner_tasks.sqs.health", description=__doc__)
    parser.add_argument("file", type=Path, help="the worker's liveness_file")
    parser.add_argument("--max-age", type=float, default=MAX_AGE_S, help="seconds since it was touched (default 60)")
    options = parser.parse_args(argv)
    wrong = trouble(options.file, max_age_s=options.max_age)
    if wrong:
        print(wrong, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
