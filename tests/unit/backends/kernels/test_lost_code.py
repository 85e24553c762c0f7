"""Code that is lost on its way to a kernel; what stands in for one answers questions only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from sandbox_tui.backends.kernels import client
from sandbox_tui.backends.kernels.channels import Deliver
from sandbox_tui.backends.kernels.client import NEVER_CAME, KernelClient
from sandbox_tui.backends.kernels.messages import Event, Message
from sandbox_tui.model.outputs import Outcome
from sandbox_tui.model.refs import Ref
from sandbox_tui.runtime.execution import Execution


class Forgetful:
    """A kernel that was started anew: what it was sent before, it never got."""

    can_ask = True

    def __init__(self, deliver: Deliver, *, takes_up: bool) -> None:
        self._deliver = deliver
        self._takes_up = takes_up
        self._sent = 0

    def send(self, channel: str, kind: str, content: Mapping[str, object]) -> str:
        self._sent += 1
        sent, loop = str(self._sent), asyncio.get_running_loop()
        if kind == "execute_request" and self._takes_up:
            busy = json.dumps({"execution_state": "busy"}).encode()
            loop.call_soon(self._deliver, Message("iopub", "status", sent, busy))
        elif kind == "kernel_info_request":
            loop.call_soon(self._deliver, Message("shell", "kernel_info_reply", sent, b"{}"))
        return sent

    async def interrupt(self) -> None: ...

    async def close(self) -> None: ...


class Nobody:
    """Listens, and does not care."""

    def heard(self, execution: Execution | None, event: Event) -> None: ...

    def changed(self) -> None: ...


@pytest.mark.parametrize("takes_up", [False, True])
async def test_code_that_never_came_is_told(
    monkeypatch: pytest.MonkeyPatch, *, takes_up: bool
) -> None:
    """And code that runs for long is waited for, however often the kernel answers meanwhile."""
    monkeypatch.setattr(client, "UNHEARD_OF", 0.01)
    spoken = KernelClient(lambda deliver: Forgetful(deliver, takes_up=takes_up), Nobody())
    execution = Execution(Ref("room:lab"), "1")
    running = asyncio.create_task(spoken.run(execution))
    await asyncio.wait([running], timeout=0.5 if takes_up else 5)
    if takes_up:
        assert execution.result is None
        spoken.lose(Outcome.CANCELLED)
        await running
    else:
        result = running.result()
        assert (result.outcome, result.detail) == (Outcome.DIED, NEVER_CAME)
