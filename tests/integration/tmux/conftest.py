"""Backends over real servers, each on a socket of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from sandbox_tui.backends.tmux.backend import TmuxBackend
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Sandbox
from tests.support import TmuxServer, require_program, retry_until, retry_until_async


@pytest.fixture
async def backend(tmux_server: TmuxServer) -> AsyncIterator[TmuxBackend]:
    """The default server's backend; the server runs, without any session."""
    backend = TmuxBackend()
    yield backend
    await backend.aclose()


@pytest.fixture
async def lonely() -> AsyncIterator[TmuxBackend]:
    """A backend without any server, which is ended should the test have begun one."""
    require_program("tmux")
    backend = TmuxBackend()
    yield backend
    for box in await backend.poll():
        await backend.stop(box.ref, grace=0)
    await backend.aclose()


@contextmanager
def somebody_at(server: TmuxServer, session: str) -> Iterator[None]:
    """A person at a terminal who looks at a session."""
    pid, terminal = os.forkpty()
    if not pid:
        os.environ.update(TERM="xterm", TMUX="")
        os.execlp("tmux", "tmux", "-S", str(server.socket), "attach", "-t", f"={session}")
    seen = "#{client_control_mode}"
    try:
        retry_until(lambda: "0" in server.run("list-clients", "-F", seen, check=False))
        yield
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


class Watch:
    """What a backend tells of one session."""

    def __init__(self, backend: TmuxBackend, ref: Ref) -> None:
        self.backend = backend
        self.ref = ref

    async def box(self) -> Sandbox | None:
        """The session now."""
        return next((box for box in await self.backend.poll() if box.ref == self.ref), None)

    async def until(self, state: str) -> Sandbox:
        """The session once it is so."""

        async def look() -> Sandbox | None:
            box = await self.box()
            return box if box is not None and box.state == state else None

        box = await retry_until_async(look, timeout=10, what=f"{self.ref} is {state}")
        assert box is not None
        return box

    async def shows(self, text: str) -> tuple[str, ...]:
        """The screen once it shows a text."""

        async def look() -> tuple[str, ...]:
            screens = await self.backend.capture([self.ref])
            rows = screens[self.ref].rows if self.ref in screens else ()
            return rows if text in "\n".join(rows) else ()

        return await retry_until_async(look, timeout=10, what=f"{self.ref} shows {text!r}")
