"""ECS task protection: while it is on, neither scale-in nor a deployment stops this task."""

from __future__ import annotations

import http.client
import json
import urllib.request
from typing import Any

from scanner_tasks.core.errors import Unavailable

#: The agent is on this host; whoever waits longer for it keeps an object waiting.
TIMEOUT_S = 2.0


class TaskProtection:
    """This task's protection, by the ECS agent beside it.

    Args:
        agent_uri: the agent's address, which ECS gives a container as ECS_AGENT_URI.
        timeout_s: longest silence of the agent.
    """

    def __init__(self, agent_uri: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = f"{agent_uri.rstrip('/')}/task-protection/v1/state"
        self._timeout_s = timeout_s
        # No proxy: the address is the host's own.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def protect(self, minutes: int) -> None:
        """From now on for so many minutes (1 to 2880); a repeat begins anew. Raises Unavailable."""
        self._put({"ProtectionEnabled": True, "ExpiresInMinutes": minutes})

    def release(self) -> None:
        """No longer; a repeat changes nothing. Raises Unavailable: the protection expires by itself then."""
        self._put({"ProtectionEnabled": False})

    def _put(self, state: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 (ECS's own address, not a user's)
            self._url, json.dumps(state).encode(), {"Content-Type": "application/json"}, method="PUT"
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"The ECS agent did not change the task's protection: {error}") from error
        if not isinstance(answer, dict) or "protection" not in answer:
            raise Unavailable("The ECS agent did not change the task's protection: ecs:UpdateTaskProtection allowed?")
