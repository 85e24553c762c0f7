"""One backend's sessions, straight: what `SessionManager` uses, for those who want no more."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from typing import ClassVar, Protocol

import msgspec

from sandbox_tui.api.ops.config import (
    BackendType,
    SessionConfig,
    SessionState,
    SessionStatus,
    status_of,
)
from sandbox_tui.api.ops.exceptions import (
    BackendNotFoundError,
    ContainerRuntimeNotFoundError,
    SessionAmbiguousError,
    SessionAttachError,
    SessionNotFoundError,
    SessionStopError,
    TmuxNotFoundError,
    translated,
)
from sandbox_tui.api.ops.machine import Machine, machine
from sandbox_tui.model.actions import Attach, Attachment, Remove, Send, Shell, Stop
from sandbox_tui.model.refs import Place
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.model.world import Sandbox

_KEY = re.compile(r"(?:[CMS]-)+\S+")
"""A key by tmux's name for it; anything else is text."""


class AbstractRunner(Protocol):
    """What every runner can do."""

    def start(self, config: SessionConfig) -> SessionStatus:
        """Make a session. Raises `SessionExistsError`, `SessionStartError`."""
        ...

    def stop(self, name: str, *, graceful: bool = True, timeout: int = 10) -> bool:
        """End a session. Raises `SessionNotFoundError`, `SessionStopError`."""
        ...

    def attach(self, name: str) -> None:
        """Hand the terminal over until the user comes back. Raises `SessionAttachError`."""
        ...

    def status(self, name: str) -> SessionStatus:
        """How a session is. Raises `SessionNotFoundError`."""
        ...

    def logs(self, name: str, lines: int = 100) -> str:
        """The last lines that a session said. Raises `SessionNotFoundError`."""
        ...

    def exists(self, name: str) -> bool:
        """Whether a session of exactly that name is there, running or not."""
        ...

    def list_sessions(self) -> list[SessionStatus]:
        """Every session of this backend."""
        ...


class _HubRunner:
    """An `AbstractRunner` over the Hub; the place is all that its two kinds differ in."""

    backend: ClassVar[BackendType]

    @property
    def _machine(self) -> Machine:
        return machine(self.backend.kind)

    @property
    def _place(self) -> Place | None:
        """Where its sessions are; `None` is wherever there are any."""
        return None

    def _placed(self, config: SessionConfig) -> SessionConfig:
        """The session as this runner would have it."""
        return dataclasses.replace(config, backend=self.backend)

    def start(self, config: SessionConfig, *, replace: bool = False) -> SessionStatus:
        """See `AbstractRunner.start`; `replace` ends what has that name first.

        One that has ended runs again when it was made from this same config.
        """
        placed = self._placed(config)
        with translated(self.backend.kind, config.name):
            machine, spec = self._machine, placed.spec
            place = machine.home(spec)
            machine.boxes(place)
            machine.start(spec, replace=replace)
            return status_of(machine.find(config.name, place))

    def stop(self, name: str, *, graceful: bool = True, timeout: int = 10) -> bool:
        """See `AbstractRunner.stop`. What was made from here leaves nothing behind."""
        with translated(self.backend.kind, name, SessionStopError):
            box = self._find(name)
            self._machine.perform(Stop(ref=box.ref, force=not graceful, timeout=timeout))
            if box.managed and any(one.ref == box.ref for one in self._boxes()):
                self._machine.perform(Remove(ref=box.ref))
        return True

    def attach(self, name: str) -> None:
        """See `AbstractRunner.attach`."""
        with translated(self.backend.kind, name, SessionAttachError):
            attachment = self._machine.perform(Attach(ref=self._find(name).ref))
            assert isinstance(attachment, Attachment)
            _hand_over(attachment)

    def status(self, name: str) -> SessionStatus:
        """See `AbstractRunner.status`."""
        with translated(self.backend.kind, name):
            return status_of(self._machine.glance(name, self._place))

    def logs(self, name: str, lines: int = 100) -> str:
        """See `AbstractRunner.logs`: in true order, colours kept, also of one that has ended."""
        with translated(self.backend.kind, name):
            return self._machine.logs(name, lines, self._place)

    def exists(self, name: str) -> bool:
        """See `AbstractRunner.exists`."""
        try:
            self.status(name)
        except SessionNotFoundError:
            return False
        return True

    def list_sessions(self) -> list[SessionStatus]:
        """See `AbstractRunner.list_sessions`."""
        with translated(self.backend.kind, ""):
            return [status_of(box) for box in self._boxes()]

    def _boxes(self) -> list[Sandbox]:
        return self._machine.boxes(self._place)

    def _find(self, name: str) -> Sandbox:
        return self._machine.find(name, self._place)


class TmuxRunner(_HubRunner):
    """Sessions of one tmux server. Raises `TmuxNotFoundError` when `binary` is not there."""

    backend = BackendType.TMUX

    def __init__(self, binary: str = "tmux", socket_name: str | None = None) -> None:
        self._name = binary
        self.socket_name = socket_name

    @property
    def binary(self) -> str:
        """Full path of the program."""
        path = shutil.which(self._name)
        if path is None:
            hint = "Run: apt install tmux"
            raise TmuxNotFoundError(f"{self._name} is not installed", hint=hint)
        return path

    def send_keys(self, name: str, keys: str, *, enter: bool = True) -> None:
        """Type text, then Enter; or press a key by tmux's name for it, as `C-c`, alone."""
        with translated(self.backend.kind, name):
            ref = self._find(name).ref
            is_key = _KEY.fullmatch(keys) is not None
            said = Send(ref=ref, key=keys) if is_key else Send(ref=ref, text=keys, enter=enter)
            self._machine.perform(said)

    @property
    def _machine(self) -> Machine:
        path = self.binary
        return machine(self.backend.kind, binary="" if self._name == "tmux" else path)

    @property
    def _place(self) -> Place:
        named = SessionConfig(name="x", socket_name=self.socket_name)
        return self._machine.home(named.spec)

    def _placed(self, config: SessionConfig) -> SessionConfig:
        socket = self.socket_name or config.socket_name
        return dataclasses.replace(config, backend=self.backend, socket_name=socket)


class ContainerRunner(_HubRunner):
    """Containers of one engine; without `runtime` those of every engine that answers.

    What is started without `runtime` goes to Podman when that answers, else to Docker.
    """

    backend = BackendType.CONTAINER

    def __init__(self, runtime: str | None = None) -> None:
        self._runtime = runtime

    @property
    def runtime(self) -> str:
        """The engine that starts containers: `docker` or `podman`."""
        if self._runtime is not None:
            return self._runtime
        place = self._machine.home(ContainerSpec(name="x"))
        with translated(self.backend.kind, ""):
            self._machine.boxes(place)
        health = self._machine.health(place)
        return health.detail.partition(" ")[0].lower() if health is not None else place.where

    @property
    def binary(self) -> str:
        """Full path of the engine's own command line."""
        path = shutil.which(self.runtime)
        if path is None:
            raise ContainerRuntimeNotFoundError(f"{self.runtime} is not installed")
        return path

    def exec(
        self, name: str, command: str, *, interactive: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, through a shell; `interactive` gives it the terminal."""
        with translated(self.backend.kind, name):
            ref = self._find(name).ref
            if interactive:
                shell = self._machine.perform(Shell(ref=ref))
                assert isinstance(shell, Attachment)
                argv = (*shell.argv, "-c", command)
                return subprocess.CompletedProcess(command, _hand_over(shell, argv))
            done = self._machine.run(ref, command)
        code = done.exit_code if done.exit_code is not None else -1
        return subprocess.CompletedProcess(command, code, done.stdout, done.stderr)

    @property
    def _place(self) -> Place | None:
        if self._runtime is None:
            return None
        return self._machine.home(ContainerSpec(name="x", runtime=self._runtime))

    def _placed(self, config: SessionConfig) -> SessionConfig:
        runtime = self._runtime or config.runtime
        return dataclasses.replace(config, backend=self.backend, runtime=runtime)


def runner_of(config: SessionConfig) -> TmuxRunner | ContainerRunner:
    """The runner of that session's backend."""
    if config.backend is BackendType.TMUX:
        return TmuxRunner(socket_name=config.socket_name)
    return ContainerRunner(runtime=config.runtime)


def auto_detect_backend(name: str, *, socket_name: str | None = None) -> BackendType | None:
    """Which backend has a session of exactly that name; `None` when none has.

    Raises `SessionAmbiguousError` when both have.
    """
    found: list[str] = []
    for runner in (TmuxRunner(socket_name=socket_name), ContainerRunner()):
        try:
            state = runner.status(name).state
        except (SessionNotFoundError, BackendNotFoundError):
            continue
        if state is not SessionState.DEFINED:
            found.append(runner.backend.value)
    if len(found) > 1:
        raise SessionAmbiguousError(name, [f"{backend}:{name}" for backend in found])
    return BackendType(found[0]) if found else None


def _hand_over(attachment: Attachment, argv: tuple[str, ...] | None = None) -> int:
    """Give the terminal away until the person comes back; the exit code of what ran there."""
    from sandbox_tui.runtime.terminal import attach

    fate = attach(msgspec.structs.replace(attachment, argv=argv or attachment.argv))
    return fate.exit_code or 0
