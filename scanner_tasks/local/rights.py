"""Programs that refuse to run as root run as ``nobody`` when root starts them."""

from __future__ import annotations

import os
import pwd
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A program for ``python -c UID GID COMMAND…``: become that user, then the command.
_DROP_RIGHTS = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid)); os.execv(command[0], command)
"""


def unprivileged_user() -> str | None:
    """Name of the user to run such programs as; None when this process is not root and nothing is to be dropped."""
    return "nobody" if os.geteuid() == 0 else None


def without_root(command: Sequence[str]) -> list[str]:
    """The command, behind a prefix that drops root's rights when there are any to drop."""
    name = unprivileged_user()
    if name is None:
        return list(command)
    user = pwd.getpwnam(name)
    return [sys.executable, "-IS", "-c", _DROP_RIGHTS, str(user.pw_uid), str(user.pw_gid), *command]
