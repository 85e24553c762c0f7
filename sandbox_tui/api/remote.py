"""An `Api` that lives in another process, at the other end of a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, cast

from sandbox_tui.api import requests
from sandbox_tui.api.daemon_home import DaemonHome
from sandbox_tui.api.daemon_launch import launch
from sandbox_tui.api.entering import enter
from sandbox_tui.api.executing import Executes
from sandbox_tui.api.notebook_patch import patched
from sandbox_tui.api.progress import RemoteExecution
from sandbox_tui.api.remote_line import RemoteLine
from sandbox_tui.api.remote_pages import RemotePages
from sandbox_tui.documents.line import Line
from sandbox_tui.model.actions import Action, Run
from sandbox_tui.model.cells import Notebook
from sandbox_tui.model.codec import from_msgpack
from sandbox_tui.model.errors import DaemonUnavailableError, SandboxError, UnsupportedError
from sandbox_tui.model.outputs import Output, Screen, Vitals
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import World
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.link import Link
from sandbox_tui.runtime.pulse import Pulse
from sandbox_tui.runtime.session import Session
from sandbox_tui.runtime.streams import closing

if TYPE_CHECKING:
    from sandbox_tui.api.room import Room

CATCH_UP = 2.0
"""Seconds that an action waits at most for the world in which it is done."""

TAKE_BACK = 2.0
"""Seconds that are waited at most for the end of code that nobody wants any more."""


class RemoteApi(Executes):
    """See `Api`. When the connection is lost every call raises why; connect anew.

    Runs that were under way then finish as `DIED` here; what became of them there is not known.
    """

    def __init__(self, link: Link, world: World) -> None:
        self._link = link
        self._world = world
        self._pulse = Pulse()
        self._tasks = {asyncio.create_task(self._keep_world(), name="remote world")}

    @classmethod
    async def connect(cls, path: Path | None = None, *, start: bool = False) -> RemoteApi:
        """Connect to the daemon at `path` (by default where it always is).

        `start` begins one when none is there. Raises `DaemonUnavailableError`,
        `DaemonVersionError`.
        """
        home = DaemonHome.at(path)
        if start:
            return await cls._start(home)
        link = await Link.open(home.socket)
        if link is None:
            raise DaemonUnavailableError(f"no daemon listens on {home.socket}")
        return await cls.over(link)

    @classmethod
    async def _start(cls, home: DaemonHome) -> RemoteApi:
        """Connect to a daemon that goes on: one that is just ending is followed by the next."""
        link = await launch(home)
        try:
            return await cls.over(link)
        except DaemonUnavailableError:
            return await cls.over(await launch(home))

    @classmethod
    async def over(cls, link: Link) -> RemoteApi:
        """An Api over a connection that is there already."""
        try:
            return cls(link, await link.ask(requests.Settle(0.0), World))
        except BaseException:
            await link.close()
            raise

    @property
    def lost(self) -> SandboxError | None:
        """Why the connection is of no more use; `None` while it is."""
        return self._link.lost

    @property
    def version(self) -> str:
        """The version of the program at the other end."""
        return self._link.theirs.version

    @property
    def world(self) -> World:
        """See `Api.world`; the last one seen when the connection is lost."""
        return self._world

    async def worlds(self, since: int = -1) -> AsyncIterator[World]:
        """See `Api.worlds`; raises when the connection is lost."""
        while True:
            if self._world.revision > since:
                since = self._world.revision
                yield self._world
            elif error := self._link.lost:
                raise error
            else:
                await self._pulse.wait()

    async def settled(self, timeout: float = 5.0) -> World:
        """See `Api.settled`."""
        self._see(await self._link.ask(requests.Settle(timeout), World))
        return self._world

    async def perform(self, action: Action) -> object:
        """See `Api.perform`. Raises `UnsupportedError` for what no daemon does."""
        if not isinstance(action, requests.AnyAction):
            raise UnsupportedError(type(action).__name__, "be asked of the daemon")
        request = requests.Perform(action)
        answer = await self._link.ask(request, requests.Performed)
        value = from_msgpack(bytes(answer.value), requests.ANSWERS.get(type(action), NoneType))
        value = self._images(value)
        await self._caught_up(answer.revision)
        return value

    async def run(self, action: Run) -> Execution:
        """See `Executes.run`."""
        asked = asyncio.ensure_future(self.perform(action))
        try:
            return cast(Execution, await asyncio.shield(asked))
        except asyncio.CancelledError:
            await _taken_back(asked)
            raise

    async def line(self, ref: Ref) -> Line:
        """See `Api.line`."""
        return RemoteLine(self, self._link, ref)

    async def room(self, ref: Ref) -> Room:
        """See `Api.room`."""
        return await enter(await self.line(ref))

    @property
    def pages(self) -> RemotePages:
        """The pages that the daemon shows in a browser."""
        return RemotePages(self._link)

    async def begin(self, request: requests.Begin | requests.Recall, ref: Ref) -> Execution:
        """Ask for a run and keep up with it, in one conversation."""
        told = self._link.stream(request, requests.Progress)
        first = await anext(told)
        execution = self._image_of(requests.Handle(first.execution_id, ref, first.code))
        execution.absorb(first)
        self._watch(execution, told)
        return execution

    async def session(self, ref: Ref) -> Session:
        """See `Api.session`; a shell needs the program that is beside its engine."""
        raise UnsupportedError(ref, "keep a shell open over a daemon's socket")

    async def follow(
        self, ref: Ref, *, tail: int = 200, live: bool = True, since: float | None = None
    ) -> AsyncIterator[Output]:
        """See `Api.follow`."""
        request = requests.Follow(ref, tail, live, since)
        async with closing(self._link.stream(request, list[Output])) as lists:
            async for outputs in lists:
                for output in outputs:
                    yield output

    def screens(self, refs: Sequence[Ref]) -> AsyncIterator[Mapping[Ref, Screen]]:
        """See `Api.screens`."""
        return self._link.stream(requests.Screens(tuple(refs)), dict[Ref, Screen])

    async def notebooks(self, ref: Ref) -> AsyncIterator[Notebook]:
        """See `Api.notebooks`."""
        notebook = None
        request = requests.Notebooks(ref)
        async with closing(self._link.stream(request, requests.NotebookPatch)) as patches:
            async for patch in patches:
                notebook = patched(ref, notebook, patch)
                yield notebook

    async def vitals(self, refs: Sequence[Ref]) -> Mapping[Ref, Vitals]:
        """See `Api.vitals`."""
        return await self._link.ask(requests.Measure(tuple(refs)), dict[Ref, Vitals])

    async def inspect(self, ref: Ref) -> Mapping[str, object]:
        """See `Api.inspect`."""
        return await self._link.ask(requests.Inspect(ref), dict[str, object])

    async def aclose(self) -> None:
        """See `Api.aclose`."""
        await self._link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _images(self, answer: object) -> object:
        """`answer` with executions where handles are."""
        if isinstance(answer, list):
            return [self._images(item) for item in cast(list[object], answer)]
        return self._image(answer) if isinstance(answer, requests.Handle) else answer

    def _image(self, handle: requests.Handle) -> RemoteExecution:
        execution = self._image_of(handle)
        self._watch(
            execution, self._link.stream(requests.Watch(handle.execution_id), requests.Progress)
        )
        return execution

    def _image_of(self, handle: requests.Handle) -> RemoteExecution:
        async def cancel() -> None:
            await self._link.ask(requests.Cancel(handle.execution_id), NoneType)

        return RemoteExecution(handle, cancel)

    def _watch(self, execution: RemoteExecution, told: AsyncGenerator[requests.Progress]) -> None:
        task = asyncio.create_task(self._keep_up(execution, told), name=f"watch {execution.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_up(
        self, execution: RemoteExecution, told: AsyncGenerator[requests.Progress]
    ) -> None:
        """Let the image become what the execution is, until both are done."""
        try:
            async with closing(told) as all_news:
                async for news in all_news:
                    execution.absorb(news)
        except SandboxError as error:
            execution.lose(error.message)
        finally:
            execution.lose("this program stopped watching it")

    async def _keep_world(self) -> None:
        """Have the newest world at hand for as long as the connection lasts."""
        try:
            request = requests.Worlds(self._world.revision)
            async for world in self._link.stream(request, World):
                self._see(world)
            self._link.lose(DaemonUnavailableError("the daemon tells of no more changes"))
        except SandboxError as error:
            self._link.lose(error)  # which tells it to everybody who asks
        finally:
            self._pulse.fire()

    def _see(self, world: World) -> None:
        if world.revision > self._world.revision:
            self._world = world
            self._pulse.fire()

    async def _caught_up(self, revision: int) -> None:
        """Return when the world of an action is here: who acted may look at what it did."""
        try:
            async with asyncio.timeout(CATCH_UP):
                while self._world.revision < revision and self.lost is None:
                    await self._pulse.wait()
        except TimeoutError:
            return  # the action is done; its world comes when it comes


async def _taken_back(asked: asyncio.Future[object]) -> None:
    """Cancel the execution that was asked for; one that cannot be had any more is none."""
    try:
        async with asyncio.timeout(TAKE_BACK):
            await cast(Execution, await asked).cancel()
    except (SandboxError, TimeoutError):
        return
