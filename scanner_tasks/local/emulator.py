"""ministack, the AWS emulator, on a loopback port: S3, SQS, SNS, Step Functions, Lambda, CloudWatch.

It lives in an environment of its own (``.venv-emulator``), because it pins another botocore than the application.
"""

from __future__ import annotations

import os
from pathlib import Path

from scanner_tasks.local.child import Child
from scanner_tasks.local.ports import LOOPBACK, free_port, is_open, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"
#: What every client of the emulator sends; it accepts any.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}


class Emulator:
    """One emulator with its state in memory; ends with ``stop`` or with this process.

    Args:
        folder: for its log and the S3 objects' scratch data.
        python: interpreter of the environment that ministack is installed in.
        lambda_env: variables added to its environment; the functions it runs inherit them.
    """

    def __init__(self, folder: Path, *, python: Path | None = None, lambda_env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.python = python or emulator_python()
        self.lambda_env = lambda_env or {}
        self._child: Child | None = None

    @property
    def endpoint_url(self) -> str:
        """For AWS_ENDPOINT_URL."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to talk to the emulator as if it were AWS."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint_url}

    def start(self) -> Emulator:
        """Start it; returns when it accepts connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Without the first two it listens on every address of the machine.
        env = {
            "BIND_HOST": LOOPBACK,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            "LOG_LEVEL": "WARNING",
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "NO_PROXY": "*",
            **self.lambda_env,
        }
        self._child = Child(
            name="ministack",
            argv=[str(self.python), "-m", "ministack"],
            env=env,
            log=self.folder / "ministack.log",
            cwd=self.folder,
            grace_s=0.5,  # its state is in memory only: nothing to be finished
        ).start()
        wait_until(lambda: is_open(self.port), what="ministack", timeout_s=30, check=self._child.check)
        return self

    @property
    def child(self) -> Child:
        """The running emulator."""
        if self._child is None:
            msg = "the emulator is not started"
            raise RuntimeError(msg)
        return self._child

    def stop(self) -> None:
        """Stop it; its state is gone."""
        if self._child:
            self._child.stop()


def emulator_python() -> Path:
    """The interpreter of ``.venv-emulator``; RuntimeError says how to make it."""
    python = REPOSITORY / ".venv-emulator" / "bin" / "python"
    if not python.exists():
        msg = f"{python} does not exist: run `make setup` (or `python3 demo.py`) first"
        raise RuntimeError(msg)
    return python
