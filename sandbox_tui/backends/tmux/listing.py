"""The sessions of one server, listed in one request and taken apart only when they changed."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence

from sandbox_tui.backends.tmux.formats import LISTING, Pane, listing_of, parse_panes, sandboxes
from sandbox_tui.backends.tmux.loss import Loss
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.model.errors import BackendUnavailableError, NotFoundError
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Sandbox

FRESH = 0.5
"""How long a listing proves that the server answers, in seconds."""


class Listing:
    """The last listing, and the bytes it came from."""

    def __init__(self, server: Server) -> None:
        self.loss = Loss(server.place)
        self._server = server
        self._bytes = (b"", b"")
        self._boxes: list[Sandbox] = []
        self._by_ref: dict[Ref, Sandbox] = {}
        self._read_at = -math.inf
        self._in_limbo: Pane | None = None
        """A pane that is closed, while tmux does not know yet how its program ended."""

    @property
    def is_fresh(self) -> bool:
        """Whether it was read just now."""
        return time.monotonic() < self._read_at + FRESH

    def expire(self) -> None:
        """It is known not to hold any longer."""
        self._read_at = -math.inf

    async def read(self) -> Sequence[Sandbox]:
        """Ask once. Equal bytes, and equal sandboxes, are the same object as before."""
        try:
            told = await self._ask()
            if told != self._bytes:
                self._take(told)
        except BackendUnavailableError:
            self.expire()
            raise
        self._read_at = time.monotonic()
        if self._in_limbo is not None:
            _nudge(self._in_limbo)
        return self._boxes

    async def one(self, ref: Ref) -> Sandbox | None:
        """The session of exactly that name, now, without the others."""
        if ref.name.startswith("$"):  # tmux would take it for the number of a session
            await self.read()
            return self.get(ref)
        replies = await self._server.ask(*listing_of(ref.name))
        if replies is None or not replies[0].ok:
            return None
        panes, found = self._parsed(*(reply.body for reply in replies))
        limbo = next((pane for pane in panes if pane.is_in_limbo), None)
        if limbo is not None:
            _nudge(limbo)
        return next((box for box in found if box.ref == ref), None)

    def get(self, ref: Ref) -> Sandbox | None:
        """The session of exactly that name in the last listing."""
        return self._by_ref.get(ref)

    def find(self, ref: Ref) -> Sandbox:
        """The same, or `NotFoundError`."""
        box = self.get(ref)
        if box is None:
            raise NotFoundError(ref, tuple(self._by_ref))
        return box

    async def _ask(self) -> tuple[bytes, bytes]:
        """What tmux says of panes and of clients; nothing when there is no server."""
        replies = await self._server.ask(*LISTING)
        if replies is None:
            if not self._server.is_empty:
                self.loss.server_is_gone(self._boxes)
            return b"", b""
        self.loss.server_is_there()
        panes, clients = replies
        if not (panes.ok and clients.ok):
            refusal = panes.text if not panes.ok else clients.text
            raise BackendUnavailableError(str(self._server.place), refusal)
        return panes.body, clients.body

    def _take(self, told: tuple[bytes, bytes]) -> None:
        panes, boxes = self._parsed(*told)
        self._bytes = told
        self._in_limbo = next((pane for pane in panes if pane.is_in_limbo), None)
        if boxes != self._boxes:
            self._boxes = boxes
            self._by_ref = {box.ref: box for box in boxes}

    def _parsed(self, panes: bytes, clients: bytes) -> tuple[list[Pane], list[Sandbox]]:
        place = self._server.place
        try:
            listed = parse_panes(panes)
            return listed, sandboxes(listed, Counter(clients.decode().split()), place)
        except (ValueError, TypeError) as error:
            reason = f"tmux said what is no listing: {error}"
            raise BackendUnavailableError(str(place), reason) from error


def _nudge(pane: Pane) -> None:
    """Have tmux look again which of its children have ended.

    tmux 3.3a misses an end now and then, until the next one comes. The signal is what the kernel
    sends for a child; to whoever does not expect it, it does nothing.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(int(pane.server_pid), signal.SIGCHLD)
