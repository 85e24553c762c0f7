"""tmux sessions of one server: the facade over the modules beside it.

What looks goes through the server's one control client; what changes something is a process of
its own. Ids are used for every target, found by the exact name in a fresh listing. What a listing
does not need is imported by what needs it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import TYPE_CHECKING

from sandbox_tui.backends.tmux.deeds import Deeds, Done
from sandbox_tui.backends.tmux.listing import Listing
from sandbox_tui.backends.tmux.server import Server
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    ConflictError,
    InvalidSpecError,
    NotRunningError,
    OperationFailedError,
)
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Kind, Place, Ref
from sandbox_tui.model.specs import Spec, TmuxSpec
from sandbox_tui.model.world import Health, Sandbox, State, TmuxFacts
from sandbox_tui.runtime.pool import Pool

if TYPE_CHECKING:
    from sandbox_tui.backends.tmux.capture import Captures
    from sandbox_tui.backends.tmux.ending import Ending
    from sandbox_tui.backends.tmux.keyboard import Keyboard
    from sandbox_tui.backends.tmux.vitals import Meter

THREADS = 4
"""How many deeds may be under way at once."""


class TmuxBackend:
    """The sessions on one socket: a name, a path, or empty for the default server."""

    def __init__(self, socket: str = "", *, binary: str = "tmux") -> None:
        self.place = Place(Kind.TMUX, socket)
        self._pool = Pool(str(self.place), THREADS)
        self._server = Server(self.place, binary)
        self._listing = Listing(self._server)
        self._deeds = Deeds(self.place, binary, self._pool)

    # --- the duty -----------------------------------------------------------------------------

    async def probe(self) -> Health:
        """Whether it answers; right after a poll that is known without asking again."""
        try:
            if not self._listing.is_fresh:
                await self._listing.read()
        except BackendUnavailableError as error:
            place = str(self.place)
            return Health(place=place, ok=False, detail=error.reason, hint=error.hint)
        return Health(place=str(self.place), ok=True, detail=self._server.detail)

    async def poll(self) -> Sequence[Sandbox]:
        """Every session; the same object as long as nothing changed."""
        return await self._listing.read()

    async def start(self, spec: Spec) -> Ref:
        """Make a session. Raises `AlreadyExistsError`, `InvalidSpecError`, `StartFailedError`."""
        if not isinstance(spec, TmuxSpec):
            raise InvalidSpecError("kind", "tmux can only start what is specified for it")
        from sandbox_tui.backends.tmux import starting

        await self._pool.run(starting.DEADLINE, starting.check, spec)
        ref = Ref.make(self.place.kind, spec.name, self.place.where)
        await starting.start(self._deeds, spec, ref)
        self._tell()
        return ref

    async def stop(self, ref: Ref, *, grace: float = 10.0) -> None:
        """Interrupt what runs, wait, then end the session."""
        box = await self._find(ref)
        await self._end(box, grace, "stop")

    async def remove(self, ref: Ref) -> None:
        """End a session in which nothing runs any more."""
        box = await self._find(ref)
        if box.state.is_live:
            raise ConflictError(f"{ref} is {box.state}", hint=f"Run: sandbox-tui stop {ref}")
        await self._end(box, 0.0, "remove")

    async def _end(self, box: Sandbox, grace: float, verb: str) -> None:
        with self._listing.loss.expected():
            done = await self._ending.stop(_facts(box).session_id, grace)
        self._check(done, box.ref, verb)

    async def aclose(self) -> None:
        """Leave the server as it is."""
        await self._server.aclose()
        self._pool.close()

    # --- looking ------------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when tmux said that something changed, or went."""
        self._server.listen(wake)

    async def glance(self, ref: Ref) -> Sandbox | None:
        """One session, found by its exact name."""
        return await self._listing.one(ref)

    async def capture(self, refs: Sequence[Ref]) -> dict[Ref, Screen]:
        """What the active panes show now."""
        return await self._captures.of(await self._sessions(refs))

    async def vitals(self, refs: Sequence[Ref]) -> dict[Ref, Vitals]:
        """What the active panes' processes cost, and the lines they print per second."""
        return await self._meter.of(await self._sessions(refs))

    async def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """The last `tail` lines of the active pane, then new ones until its program ends.

        tmux does not stamp lines: `since` leaves nothing out.
        """
        from sandbox_tui.backends.tmux.follow import PaneLog

        del since
        pane = _facts(await self._find(ref)).pane_id
        async with aclosing(PaneLog(self._server, pane).follow(tail, live=live)) as texts:
            async for text in texts:
                yield text

    async def inspect(self, ref: Ref) -> dict[str, object]:
        """Everything tmux knows about the session and its panes."""
        from sandbox_tui.backends.tmux import inspection

        return await inspection.inspect(self._server, _facts(await self._find(ref)).session_id)

    # --- taking part --------------------------------------------------------------------------

    async def type(self, ref: Ref, text: str, *, enter: bool = True) -> None:
        """Type literal text into the active pane, then Enter as a stroke of its own."""
        box = await self._running(ref)
        _was_there(await self._keyboard.type(_facts(box).pane_id, text, enter=enter), ref)

    async def press(self, ref: Ref, key: str) -> None:
        """Press one key in the active pane. Raises `InvalidSpecError` for what is no key."""
        box = await self._running(ref)
        _was_there(await self._keyboard.press(_facts(box).pane_id, key), ref)

    async def interrupt(self, ref: Ref) -> None:
        """Ctrl-C in the active pane."""
        box = await self._running(ref)
        _was_there(await self._keyboard.interrupt(_facts(box).pane_id), ref)

    async def restart(self, ref: Ref, *, grace: float = 10.0) -> None:
        """End what runs in the active pane and run the same command there again."""
        box = await self._find(ref)
        self._check(await self._ending.restart(_facts(box).pane_id, grace), ref, "restart")

    async def revive(self, ref: Ref) -> None:
        """Run the command of an ended one again. Raises `AlreadyExistsError` when it lives."""
        box = await self._find(ref)
        done = await self._ending.revive(_facts(box).pane_id)
        if "still active" in done.complaint:
            raise AlreadyExistsError(ref)
        self._check(done, ref, "start")

    async def attachment(self, ref: Ref) -> Attachment:
        """How to get into the session. Raises `NotRunningError`."""
        from sandbox_tui.backends.tmux import attaching

        box = await self._running(ref)
        return await attaching.attachment(self._server, ref, _facts(box).session_id)

    # --- made when first used -----------------------------------------------------------------

    @cached_property
    def _keyboard(self) -> Keyboard:
        from sandbox_tui.backends.tmux.keyboard import Keyboard

        return Keyboard(self._server)

    @cached_property
    def _ending(self) -> Ending:
        from sandbox_tui.backends.tmux.ending import Ending

        return Ending(self._server, self._keyboard, self._deeds, self._pool)

    @cached_property
    def _captures(self) -> Captures:
        from sandbox_tui.backends.tmux.capture import Captures

        return Captures(self._server)

    @cached_property
    def _meter(self) -> Meter:
        from sandbox_tui.backends.tmux.vitals import Meter

        return Meter(self._server, self._pool)

    # --- finding ------------------------------------------------------------------------------

    async def _find(self, ref: Ref) -> Sandbox:
        """The session of exactly that name, now. Raises `NotFoundError`."""
        await self._listing.read()
        return self._listing.find(ref)

    async def _running(self, ref: Ref) -> Sandbox:
        box = await self._find(ref)
        if not box.state.is_live:
            raise NotRunningError(ref, box.state)
        return box

    async def _sessions(self, refs: Sequence[Ref]) -> dict[Ref, str]:
        """The session ids of those that are there; the last listing is good enough."""
        if not self._listing.is_fresh and not all(map(self._listing.get, refs)):
            await self._listing.read()
        found = {ref: self._listing.get(ref) for ref in refs}
        return {ref: _facts(box).session_id for ref, box in found.items() if box is not None}

    def _tell(self) -> None:
        """What was listed holds no longer, for nobody."""
        self._listing.expire()
        self._server.changed()

    def _check(self, done: Done, ref: Ref, verb: str) -> None:
        self._tell()
        if not done.ok:
            raise OperationFailedError(ref, verb, done.complaint)


def _facts(box: Sandbox) -> TmuxFacts:
    assert isinstance(box.facts, TmuxFacts)
    return box.facts


def _was_there(is_there: bool, ref: Ref) -> None:
    if not is_there:
        raise NotRunningError(ref, State.EXITED)
