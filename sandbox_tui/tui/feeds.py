"""Fetches what somebody looks at, and stops when nobody does.

Given the next `Watch`, only the difference is started and cancelled. Every feed is one task of
the bridge's group; what it learns goes to `post`, and an error ends only that feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from sandbox_tui.model.errors import BackendUnavailableError, SandboxError
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.batch import Post, batched, paced
from sandbox_tui.tui.messages import (
    Inspected,
    LogBegan,
    Measured,
    NotebookChanged,
    ScreensChanged,
    WatchFailed,
)
from sandbox_tui.tui.said import as_text
from sandbox_tui.tui.watching import Feed, View, Watch

if TYPE_CHECKING:
    from sandbox_tui.api.base import Api

Work = Callable[[], Awaitable[None]]

TAIL = 1_000
"""Lines of a log that are fetched when it is opened."""

BEAT = 1.0
"""Seconds between two measurements of what is looked at closely."""

LOOSE_BEATS = 3
"""Beats between two measurements of what has only a sparkline."""

AGAIN = 1.0
"""Seconds until a log that ended is looked at again: its sandbox may have been restarted."""


class Feeds:
    """The running feeds, by what they fetch."""

    def __init__(self, api: Api, tasks: asyncio.TaskGroup, post: Post) -> None:
        self._api = api
        self._tasks = tasks
        self._post = post
        self._watch = Watch()
        self._running: dict[object, asyncio.Task[None]] = {}

    def watch(self, watch: Watch) -> None:
        """Fetch this from now on, and nothing else."""
        before, self._watch = self._watch, watch
        for gone in before.feeds.keys() - watch.feeds.keys():
            self._stop(gone)
        for feed, lookers in watch.feeds.items():
            if lookers - before.feeds.get(feed, frozenset()):
                self._begin(feed, self._feeding(feed))
        if watch.screens != before.screens:
            self._stop("screens")
            if watch.screens:
                self._begin("screens", partial(self._screens, sorted(watch.screens)))
        if (watch.closely, watch.loosely) != (before.closely, before.loosely):
            self._stop("vitals")
            if watch.closely or watch.loosely:
                self._begin("vitals", partial(self._vitals, watch.closely, watch.loosely))

    def again(self, feed: Feed) -> None:
        """Fetch that once more, if it is looked at: something about it changed."""
        if feed in self._watch.feeds:
            self._begin(feed, self._feeding(feed))

    def _begin(self, key: object, work: Work) -> None:
        """Begin to fetch, in place of what was fetched under that key."""
        self._stop(key)
        self._running[key] = self._tasks.create_task(self._guarded(key, work), name=f"watch {key}")

    def _stop(self, key: object) -> None:
        task = self._running.pop(key, None)
        if task is not None:
            task.cancel()

    async def _guarded(self, key: object, work: Work) -> None:
        """One view fails, the others go on."""
        try:
            await work()
        except SandboxError as error:
            self._failed(key, error)
        except Exception as error:  # noqa: BLE001  the edge of a worker
            reason = f"{type(error).__name__}: {error}"
            self._failed(key, BackendUnavailableError(f"the {key}", reason))

    def _failed(self, key: object, error: SandboxError) -> None:
        ref, view = (key.ref, str(key.view)) if isinstance(key, Feed) else (None, str(key))
        self._post(WatchFailed(ref, view, error))

    def _feeding(self, feed: Feed) -> Work:
        views = {View.LOG: self._log, View.NOTEBOOK: self._notebook, View.INSPECT: self._inspect}
        return partial(views[feed.view], feed.ref)

    async def _screens(self, refs: list[Ref]) -> None:
        """Post screens as they change; a backend that fails is asked again, its health says why."""
        while True:
            try:
                async for screens in self._api.screens(refs):
                    self._post(ScreensChanged(screens))
            except SandboxError:
                await asyncio.sleep(BEAT)
            else:
                return

    async def _notebook(self, ref: Ref) -> None:
        async for notebook in paced(self._api.notebooks(ref)):
            self._post(NotebookChanged(notebook))

    async def _inspect(self, ref: Ref) -> None:
        self._post(Inspected(ref, await self._api.inspect(ref)))

    async def _log(self, ref: Ref) -> None:
        """Follow a log; when it ends, wait for the sandbox to come back and follow again."""
        since: float | None = None
        while True:
            if since is None:
                self._post(LogBegan(ref))
            since = await self._follow(ref, since)
            await asyncio.sleep(AGAIN)
            await self._live(ref)

    async def _live(self, ref: Ref) -> None:
        """Return when the sandbox runs."""
        async for world in self._api.worlds():
            box = world.get(ref)
            if box is not None and box.state.is_live:
                return

    async def _follow(self, ref: Ref, since: float | None) -> float | None:
        """Post a frame's worth at a time. Answers with where to go on, when that is known."""
        async with batched(ref, self._post) as batch:
            async for piece in self._api.follow(ref, tail=TAIL, since=since):
                await batch.put(as_text(piece))
        return None if batch.last_at is None else batch.last_at + 1e-6

    async def _vitals(self, closely: frozenset[Ref], loosely: frozenset[Ref]) -> None:
        beat = 0
        while True:
            refs = closely if beat % LOOSE_BEATS else closely | loosely
            if refs:
                await self._measure(sorted(refs))
            beat += 1
            await asyncio.sleep(BEAT)

    async def _measure(self, refs: Iterable[Ref]) -> None:
        try:
            vitals = await self._api.vitals(list(refs))
        except SandboxError:
            return  # the backend's health says why; the charts just get no new point
        if vitals:
            self._post(Measured(vitals))
