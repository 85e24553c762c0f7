"""One container, held by callers that wait."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Literal, overload

from sandbox_tui.api.containers.loop import Caller
from sandbox_tui.api.containers.running import ExecStream, Process, Session
from sandbox_tui.api.containers_async.callbacks import Function
from sandbox_tui.api.containers_async.container import AsyncContainer
from sandbox_tui.api.containers_async.running import AsyncExecStream, AsyncProcess
from sandbox_tui.api.containers_async.values import ExecResult
from sandbox_tui.model.outputs import OUTPUT_CAP
from sandbox_tui.runtime.portal import Blocking, Portal, blocking


class Container(Blocking[AsyncContainer]):
    """Runs commands and moves files in one container; leaving its block shuts it down."""

    def __init__(self, twin: AsyncContainer, portal: Portal) -> None:
        super().__init__(twin, portal)
        self._caller = Caller()

    info = blocking(AsyncContainer.info)
    reboot = blocking(AsyncContainer.reboot)
    write_file = blocking(AsyncContainer.write_file)
    read_file = blocking(AsyncContainer.read_file)
    list_files = blocking(AsyncContainer.list_files)
    push = blocking(AsyncContainer.push)
    pull = blocking(AsyncContainer.pull)
    snapshot = blocking(AsyncContainer.snapshot)
    pause = blocking(AsyncContainer.pause)
    resume = blocking(AsyncContainer.resume)

    @property
    def container_id(self) -> str:
        """The engine's full id of it."""
        return self.twin.container_id

    @property
    def socket_path(self) -> str:
        """Where its engine listens."""
        return self.twin.socket_path

    @property
    def name(self) -> str:
        """Its name, which is also the engine's."""
        return self.twin.name

    @property
    def persist(self) -> bool:
        """Whether `shutdown` only stops it; so it is for what this program did not make."""
        return self.twin.persist

    @property
    def project(self) -> str:
        """The project it belongs to; empty for none."""
        return self.twin.project

    @property
    def data_path(self) -> str:
        """Where its project keeps what belongs to it; empty when nothing is kept."""
        return self.twin.data_path

    @overload
    def run(
        self,
        command: str,
        *,
        stream: Literal[False] = False,
        detach: Literal[False] = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecResult: ...
    @overload
    def run(
        self,
        command: str,
        *,
        stream: Literal[True],
        detach: Literal[False] = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecStream: ...
    @overload
    def run(
        self,
        command: str,
        *,
        stream: Literal[False] = False,
        detach: Literal[True],
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> Process: ...
    def run(
        self,
        command: str,
        *,
        stream: bool = False,
        detach: bool = False,
        timeout: float | None = None,
        max_output: int = OUTPUT_CAP,
        lang: str | None = None,
    ) -> ExecResult | ExecStream | Process:
        """Run a command through a shell, or code of the language `lang`.

        `timeout` (seconds; by default the container's, for `detach` none) ends it inside, with
        all that it started. `max_output` characters of what it says are kept: the first ones, of
        a detached command the last. `stream` reads along, `detach` leaves it running.
        """
        work = self.twin.run(
            command,
            stream=stream,
            detach=detach,
            timeout=timeout,
            max_output=max_output,
            lang=lang,
        )
        match answer := self.portal.call(work):
            case AsyncExecStream():
                return ExecStream(answer, self.portal)
            case AsyncProcess():
                return Process(answer, self.portal)
            case _:
                return answer

    def session(self) -> Session:
        """Open a shell that stays."""
        return Session(self.portal.call(self.twin.session()), self.portal)

    def shutdown(self, *, force: bool = False) -> None:
        """Stop and remove it; one that persists is only stopped. `force` does not ask it first.

        What is gone already is fine.
        """
        self.portal.call(self.twin.shutdown(force=force))
        self._caller.close()

    def on_stdout(self, fn: Function) -> None:
        """Call `fn(container, data)` with what its commands print, piece by piece.

        It is called in a thread of its own, one piece after the other, and may use this face.
        """
        self.twin.on_stdout(self._hearing(fn))

    def on_stderr(self, fn: Function) -> None:
        """Call `fn(container, data)` with what its commands print on stderr."""
        self.twin.on_stderr(self._hearing(fn))

    def on_exit(self, fn: Function) -> None:
        """Call `fn(container, exit_code)` when a command of it has ended."""
        self.twin.on_exit(self._hearing(fn))

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    def _hearing(self, fn: Function) -> Function:
        """The function with this face of the container instead of the async one."""
        call = self._caller.calling(fn)

        def hear(twin: AsyncContainer, said: str | int) -> Awaitable[object]:
            del twin
            return call(self, said)

        return hear
