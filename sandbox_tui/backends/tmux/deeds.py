"""What changes sessions for good, done with libtmux.

These are rare and may take a moment, so each runs in a thread of its own pool. Only libtmux's
`cmd` is used: its objects list the whole server again for every property, find by prefix and let
names be expanded as formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandbox_tui.backends.tmux.oneshot import joined
from sandbox_tui.backends.tmux.wire import Words
from sandbox_tui.model.errors import ToolMissingError
from sandbox_tui.model.refs import Place
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from libtmux import Server as LibtmuxServer

DEADLINE = 10.0
"""How long one deed may take, in seconds: a new server reads its configuration first."""


class Done(NamedTuple):
    """How a deed ended."""

    ok: bool
    lines: Sequence[str]
    complaint: str


class Deeds:
    """libtmux on one server, made when first needed."""

    def __init__(self, place: Place, binary: str, pool: Pool) -> None:
        self._place = place
        self._binary = binary
        self._pool = pool
        self._libtmux: LibtmuxServer | None = None

    async def do(self, *commands: Words) -> Done:
        """Run commands in one go, up to the first that fails. Raises `DeadlineError`."""
        return await self._pool.run(DEADLINE, self._do, joined(commands))

    def _do(self, words: list[str]) -> Done:
        from libtmux.exc import TmuxCommandNotFound

        try:
            done = self._server().cmd("-u", *words)
        except TmuxCommandNotFound:
            place, install = str(self._place), "apt install tmux"
            raise ToolMissingError(place, self._binary, install=install) from None
        return Done(done.returncode == 0, tuple(done.stdout), " ".join(done.stderr))

    def _server(self) -> LibtmuxServer:
        if self._libtmux is None:
            from libtmux import Server

            where = self._place.where
            self._libtmux = Server(
                socket_name=None if "/" in where else where or "default",
                socket_path=where if "/" in where else None,
                tmux_bin=self._binary,
            )
        return self._libtmux
