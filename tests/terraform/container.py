"""The image built for real, without a registry: Debian by mmdebstrap, ``buildah`` in a chroot; and commands in it.

A command runs as on Fargate: the image's user, a read-only root, /scratch as the only place that may be written to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import ROOT

TOOLS = ("buildah", "mmdebstrap", "unshare", "chroot")
SUITE = "bookworm"
#: What the final stage stands on: Python and nothing to build with.
INCLUDED = "python3-minimal,libpython3-stdlib,ca-certificates"
#: What this machine's own pip and TLS are told, so that the build reaches what they reach.
TOLD = ("/etc/ssl/certs", "/etc/pip.conf")
#: In a mount name space of its own: the root read-only, then be the user.
ENTER = """
set -e
root=$1 user=$2; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o "mode=0700,uid=${user%:*},gid=${user#*:}" scratch "$root/scratch"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cd "$root"
PATH_INSIDE=$PATH PATH=$PATH:/usr/sbin:/sbin
exec chroot --userspec="$user" "$root" /usr/bin/env -u PATH_INSIDE --chdir=/app "PATH=$PATH_INSIDE" "$@"
"""


@dataclass
class Image:
    """The built image and its root file system on this disk."""

    folder: Path
    name: str = "localhost/s3scan:test"

    def build(self) -> None:
        """Skips, and says so, where it cannot be built."""
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing or os.geteuid() != 0:
            why = f"{', '.join(missing)} missing" if missing else "it needs root"
            pytest.skip(f"SKIPPED: the image is not built: {why} (apt-get install buildah mmdebstrap).")
        base = Path(os.environ.get("S3SCAN_TEST_BASE") or self.folder / "base.tar")  # made before, to save its making
        if not base.exists():
            self._run("mmdebstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, str(base))
        container = self.buildah("from", "scratch")
        self._run("tar", "-xf", str(base), "-C", self.buildah("mount", container))
        self.buildah("commit", "--quiet", container, "localhost/base")
        install = "apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv python3-pip"
        self.buildah("run", container, "--", "sh", "-c", install)
        self.buildah("commit", "--quiet", container, "localhost/build-base")
        self.buildah("rm", container)
        volumes = [f"--volume={path}:{path}:ro" for path in TOLD if Path(path).exists()]
        given = ("BASE=localhost/base", "BUILD_BASE=localhost/build-base", "RDS_CA_URL=")
        arguments = [f"--build-arg={argument}" for argument in given]
        self.buildah("build", "--format=docker", *volumes, *arguments, "-t", self.name, str(ROOT))
        self.root = Path(self.buildah("mount", self.buildah("from", self.name)))

    def remove(self) -> None:
        """Nothing of it stays."""
        self.buildah("rm", "--all")
        self.buildah("rmi", "--all", "--force")

    def buildah(self, command: str, *arguments: str) -> str:
        """A command of buildah's, with a store of its own; the last line that it printed."""
        return self._buildah(command, *arguments).strip().rpartition("\n")[2]

    def _buildah(self, command: str, *arguments: str) -> str:
        store = ("--root", str(self.folder / "store"), "--runroot", str(self.folder / "run"), "--storage-driver", "vfs")
        isolated = ("--isolation", "chroot") if command in {"build", "run"} else ()
        return self._run("buildah", *store, command, *isolated, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    @cached_property
    def config(self) -> dict[str, Any]:
        """User, environment, command, health check."""
        return dict(json.loads(self._buildah("inspect", "--type", "image", self.name))["Docker"]["config"])

    @property
    def environment(self) -> dict[str, str]:
        """The image's variables."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def command(self, *argv: str) -> list[str]:
        """The command line that runs ``argv`` in the container."""
        return ["unshare", "--mount", "sh", "-c", ENTER, "enter", str(self.root), self.config["User"], *argv]

    def run(self, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        environment = self.environment | more
        return subprocess.run(self.command(*argv), capture_output=True, text=True, check=False, env=environment)

    def sizes(self) -> tuple[int, int]:
        """Bytes of its root file system, and packed as a registry keeps it."""
        packed = subprocess.run(
            f"tar -C {self.root} -cf - . | tee >(wc -c >&2) | gzip -6 | wc -c",
            shell=True,
            executable="/bin/bash",
            capture_output=True,
            text=True,
            check=True,
        )
        return int(packed.stderr), int(packed.stdout)


def locked(lock: Path) -> dict[str, str]:
    """Name → version of what a lock file holds for any platform."""
    entries = re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+)", lock.read_text(), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in entries}
