"""The whole pipeline on this machine from a bare checkout: `python3 demo.py [--keep] [--from DIR]`; `demo.py test`.

This file only finds a Python that is new enough, and says so in one line where there is none; it is written so that an
old Python can read it. What happens next is scanner_tasks/local/environments.py.
"""

import os
import sys

OLDEST = (3, 11)
NEWEST_KNOWN = 14


def main():  # noqa: ANN201
    """Hand over to environments.py under a suitable Python; returns only with an error message."""
    if os.name != "posix":
        return "demo.py: s3scan runs on Linux and macOS; on Windows use WSL (https://learn.microsoft.com/windows/wsl)."
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    script = os.path.join(here, "scanner_tasks", "local", "environments.py")  # noqa: PTH118
    interpreter = sys.executable if sys.version_info >= OLDEST else newer_python()
    if not interpreter:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return "demo.py: Python 3.11 or newer is needed, this is " + found + ": run it with python3.11 or newer."
    os.execv(interpreter, [interpreter, "-IS", script] + sys.argv[1:])  # noqa: RUF005, S606
    return None


def newer_python():  # noqa: ANN201
    """Path of a newer Python beside this one on the PATH; None when there is none."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for minor in range(NEWEST_KNOWN, OLDEST[1] - 1, -1):
            path = os.path.join(folder, "python3." + str(minor))  # noqa: PTH118
            if os.access(path, os.X_OK):
                return path
    return None


if __name__ == "__main__":
    sys.exit(main())
