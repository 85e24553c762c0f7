"""Who runs a cell's command: the container engine of this machine, or an HTTP server."""

from __future__ import annotations

import contextlib
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, cast

from sandbox_tui.api.client import blocking
from sandbox_tui.backends.remote import RemoteServer
from sandbox_tui.hub.throwaway import running
from sandbox_tui.model.actions import RunOnce
from sandbox_tui.model.docker_run import docker_words
from sandbox_tui.model.errors import BackendUnavailableError
from sandbox_tui.model.outputs import Output, Text
from sandbox_tui.model.refs import Kind
from sandbox_tui.model.specs import ContainerSpec

if TYPE_CHECKING:
    from sandbox_tui.api.blocking_api import BlockingApi, BlockingExecution

NOT_INSTALLED = "Docker is not installed or not available in the system PATH."
NOT_RUNNING = "Docker daemon is not running. Please start the Docker service."

Show = Callable[[Output], None]


class Engine(Protocol):
    """Runs one command in a container of its own."""

    name: str

    def problem(self) -> str:
        """Why it cannot be used now; empty when it can."""
        ...

    def run(self, spec: ContainerSpec, code: str, show: Show) -> int | None:
        """The exit code, as far as it is known. An interrupt ends the container, then goes on."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class LocalEngine:
    """Docker or Podman, found as everywhere in this program."""

    name = "docker"

    def __init__(self) -> None:
        self._api: BlockingApi | None = None
        self._held = contextlib.ExitStack()

    def problem(self) -> str:
        """What the engine's health says, in the words that users know."""
        with blocking(kinds={Kind.CONTAINER}) as api:
            health = api.settled().health
        return "" if any(each.ok for each in health) else _absent()

    def run(self, spec: ContainerSpec, code: str, show: Show) -> int | None:
        """Run it, and show what it says while it does. Raises `SandboxError`."""
        if self._api is None:
            self._api = self._held.enter_context(blocking(kinds={Kind.CONTAINER}))
        try:
            answer = self._api.perform(RunOnce(spec=running(spec, code)))
        except BackendUnavailableError as error:
            raise BackendUnavailableError(error.place, _absent(), hint=error.hint) from error
        execution = cast("BlockingExecution", answer)
        try:
            for output in execution:
                show(output)
            return execution.wait().exit_code
        except BaseException:
            execution.cancel()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._held.close()
        self._api = None


class ServerEngine:
    """A server of Dockyter's contract. What a command says comes when it has ended."""

    name = "api"

    def __init__(self, url: str, token: str = "") -> None:
        self._server = RemoteServer(url, token)
        self.url = self._server.url
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="sandbox-tui-api")

    def problem(self) -> str:
        """Why it does not answer."""
        try:
            self._server.ping()
        except BackendUnavailableError as error:
            return error.reason
        return ""

    def run(self, spec: ContainerSpec, code: str, show: Show) -> int | None:
        """Run it there, with the arguments in full. Raises `SandboxError`."""
        arguments = shlex.join(docker_words(spec))
        waiting = self._threads.submit(self._server.execute, code, arguments)
        try:
            answer = waiting.result()
        except KeyboardInterrupt:
            self._server.stop()
            raise
        for stream in ("stdout", "stderr"):
            if said := getattr(answer, stream):
                show(Text(stream, said))
        return answer.exit_code

    def close(self) -> None:
        """End what waits."""
        self._server.stop()
        self._threads.shutdown(wait=False)


def _absent() -> str:
    return NOT_RUNNING if shutil.which("docker") or shutil.which("podman") else NOT_INSTALLED
