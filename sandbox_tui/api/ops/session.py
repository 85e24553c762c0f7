"""One session by its name: start it, look at it, get into it, end it."""

from __future__ import annotations

import dataclasses
from typing import TypedDict, Unpack

from sandbox_tui.api.ops.config import (
    BackendType,
    SessionConfig,
    SessionState,
    SessionStatus,
    backend_type,
    config_of,
    defined_status,
)
from sandbox_tui.api.ops.exceptions import SessionConfigError, SessionNotFoundError, translated
from sandbox_tui.api.ops.runners import ContainerRunner, TmuxRunner, runner_of
from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.model.errors import NotFoundError, ProfileNotFoundError
from sandbox_tui.model.limits import check
from sandbox_tui.model.refs import Kind, resolve
from sandbox_tui.model.specs import Command, ContainerSpec


class Options(TypedDict, total=False):
    """What may be said of a session beside its name, backend and command."""

    working_dir: str | None
    env: dict[str, str]
    image: str | None
    volumes: list[str]
    ports: list[str]
    runtime: str | None
    log_volume: str | None
    socket_name: str | None


class AllOptions(Options, total=False):
    """The same and the command."""

    command: Command | None


class SessionManager:
    """A session in tmux or in a container; nothing happens before it is asked to."""

    def __init__(
        self,
        name: str,
        *,
        backend: str | BackendType = BackendType.TMUX,
        **options: Unpack[AllOptions],
    ) -> None:
        """Describe a session. Raises `SessionConfigError` for what none can be."""
        unknown = sorted(set(options) - _KNOWN)
        if unknown:
            hint = f"Known: {', '.join(sorted(_KNOWN))}."
            raise SessionConfigError(f"a session has no {', '.join(unknown)}", hint=hint)
        kind = backend_type(backend)
        self._take(SessionConfig(name=name, backend=kind, **options))
        self._is_defined = False

    @classmethod
    def from_config(cls, name: str) -> SessionManager:
        """The session of that name in the configuration files.

        Raises `SessionConfigError` when there is none, or when its entry is faulty.
        """
        config = _configured(name)
        manager = cls(config.name, backend=config.backend)
        manager._take(config)
        manager._is_defined = True
        return manager

    @property
    def name(self) -> str:
        """Its exact name."""
        return self._config.name

    @property
    def backend(self) -> BackendType:
        """Where it runs."""
        return self._config.backend

    @property
    def config(self) -> SessionConfig:
        """What it should be."""
        return self._config

    def start(
        self, command: Command | None = None, *, replace: bool = False, **options: Unpack[Options]
    ) -> SessionStatus:
        """Make it, with these values over its own; `env` is laid over key by key.

        One that has ended runs again when nothing about it has changed; `replace` ends whatever
        has its name first. Raises `SessionExistsError`, `SessionStartError`, `SessionConfigError`.
        """
        said = {key: value for key, value in options.items() if value is not None}
        if command is not None:
            said["command"] = command
        said["env"] = {**self._config.env, **options.get("env", {})}
        try:
            changed = dataclasses.replace(self._config, **said)
        except TypeError:
            unknown = ", ".join(sorted(set(said) - _KNOWN))
            raise SessionConfigError(f"a session has no {unknown}") from None
        status = runner_of(changed).start(changed, replace=replace)
        self._take(changed)
        return status

    def stop(self, *, graceful: bool = True, timeout: int = 10) -> bool:
        """End it: asked first, and for certain after `timeout` seconds; at once when not graceful.

        Raises `SessionNotFoundError`, `SessionStopError`.
        """
        return self._runner.stop(self.name, graceful=graceful, timeout=timeout)

    def attach(self) -> None:
        r"""Hand the terminal over, and come back when the user leaves it.

        tmux is left with its own keys (ctrl+b d), a container with ctrl+p ctrl+q, both with
        ctrl+\. Raises `SessionNotFoundError`, `SessionAttachError`.
        """
        self._runner.attach(self.name)

    def status(self) -> SessionStatus:
        """How it is; `defined` when only a configuration file has it.

        Raises `SessionNotFoundError`.
        """
        try:
            return self._runner.status(self.name)
        except SessionNotFoundError:
            if not self._is_defined:
                raise
            return defined_status(self._config)

    def logs(self, lines: int = 100) -> str:
        """Its last lines, in true order and with their colours. Raises `SessionNotFoundError`."""
        return self._runner.logs(self.name, lines)

    def exists(self) -> bool:
        """Whether it is there, running or not."""
        return self._runner.exists(self.name)

    def is_running(self) -> bool:
        """Whether it runs now."""
        return self.exists() and self.status().state is SessionState.RUNNING

    def _take(self, config: SessionConfig) -> None:
        with translated(config.backend.kind, config.name):
            check(config.spec)
        self._config = config
        self._runner: TmuxRunner | ContainerRunner = runner_of(config)


_KNOWN = frozenset(AllOptions.__annotations__)


def _configured(name: str) -> SessionConfig:
    from sandbox_tui.settings.load import load

    with translated(Kind.TMUX, name):
        loaded = load()
    broken = loaded.broken.get(name)
    if broken is not None:
        raise SessionConfigError(broken.message, hint=broken.hint)
    kinds = frozenset(backend.kind for backend in BackendType)
    known = [ref for ref in loaded.definitions if ref.kind in kinds]
    try:
        spec = loaded.definitions[resolve(name, known)]
    except NotFoundError as error:
        names = ", ".join(ref.name for ref in known) or "none"
        reason = f"no session {name!r} in the configuration; there are: {names}"
        raise SessionConfigError(reason, hint=error.hint) from None
    try:
        return config_of(
            Profiles(loaded.config.profiles).fill(spec) if isinstance(spec, ContainerSpec) else spec
        )
    except ProfileNotFoundError as error:
        raise SessionConfigError(f"{name}: {error.message}", hint=error.hint) from None
