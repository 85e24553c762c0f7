"""The magics that run a cell, or `!cmd`, in a container of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.hub.throwaway import described
from sandbox_tui.magics.engines import Engine, LocalEngine, ServerEngine
from sandbox_tui.magics.redirect import Redirect
from sandbox_tui.magics.shell import Shell
from sandbox_tui.magics.showing import say_red, show
from sandbox_tui.model.docker_run import docker_words
from sandbox_tui.model.errors import BackendUnavailableError, SandboxError
from sandbox_tui.model.outputs import Output, Text
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.settings import dockyter
from sandbox_tui.settings.load import load

CHECK = "--check"

T = TypeVar("T")


class CommandFailedError(RuntimeError):
    """A cell's command that ended with an exit code other than 0, where `--check` was asked."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"the command ended with exit code {exit_code}")
        self.exit_code = exit_code


@magics_class
class DockerMagics(Magics):
    """What `%load_ext sandbox_tui` gives for containers."""

    def __init__(self, shell: Shell) -> None:
        """Read the configuration; a broken file is an error with its name and line."""
        super().__init__(cast("Any", shell))
        self._names = shell.user_ns
        self._file = dockyter.find()
        self._said = dockyter.load(self._file)
        config = load().config
        self._allowed, self._engines = config.policy.allow, config.backends.container.hosts
        self._profiles = Profiles(config.profiles)
        self._spec: ContainerSpec | None = None
        self.redirect = Redirect(shell, self._run_line)
        backend = self._said.backend
        self._engine: Engine = LocalEngine()
        if backend.mode == "api":
            self._engine = ServerEngine(backend.api_url, backend.api_token)
        if self._said.docker.default_args:
            self._spec = self._described(self._said.docker.default_args)

    def close(self) -> None:
        """Put everything back as it was."""
        self.redirect.off()
        self._engine.close()

    @line_cell_magic
    def docker(self, line: str, cell: str | None = None) -> None:
        """`%%docker [--check] [ARGS...] IMAGE` runs the whole cell in one container.

        Without an image it is the container that `%docker` or `%docker_profile` has set. The exit
        code is in `_exit_code`; with `--check` another one than 0 is an error.

        `%docker [ARGS...] IMAGE` sends each `!cmd` to a fresh container from now on.
        """
        if cell is not None:
            self._run_cell(line, cell)
        elif line.strip():
            self._spec = self._described(line)
            self._turn_on()
        else:
            self._tell()

    @line_magic
    def docker_profile(self, line: str) -> None:
        """The same with the arguments of a profile: `%docker_profile NAME`."""
        name = line.strip()
        if name in self._said.profiles:
            self._spec = self._described(self._said.profiles[name])
        elif name in (known := {profile.name: profile for profile in self._profiles}):
            spec = known[name].under(ContainerSpec(name="", tty=False))
            self._spec = self._described(docker_words(spec))
        else:
            raise UsageError(f"there is no profile {name!r}, but {', '.join(self.profile_names())}")
        self._turn_on()

    @line_magic
    def docker_backend(self, line: str) -> None:
        """Choose who runs the commands: `%docker_backend docker` or `… api URL [TOKEN]`."""
        match _words(line):
            case ["docker"]:
                engine: Engine = LocalEngine()
            case ["api", url, *token] if len(token) <= 1:
                engine = translated(lambda: ServerEngine(url, *token))
            case _:
                raise UsageError("it is %docker_backend docker, or %docker_backend api URL [TOKEN]")
        self._engine.close()
        self._engine = engine
        self._tell()

    @line_magic
    def docker_status(self, line: str) -> None:
        """Which backend, whether it answers, where `!` goes, and with what arguments."""
        del line
        self._tell()

    def _tell(self) -> None:
        where = self._engine.url if isinstance(self._engine, ServerEngine) else ""
        problem = self._engine.problem()
        print(f"Backend:       {self._engine.name} {where}".rstrip())
        print(f"Available:     {problem or 'yes'}")
        print(f"! redirection: {'on' if self.redirect.is_on else 'off'}")
        print(f"Arguments:     {shlex.join(docker_words(self._spec)) if self._spec else '(none)'}")
        print(f"Configuration: {self._file or '(built-in defaults)'}")

    @line_magic
    def docker_on(self, line: str) -> None:
        """Send `!cmd` to containers again."""
        del line
        if self._spec is None:
            raise UsageError("no container is set: %docker ubuntu:22.04")
        self._turn_on()

    @line_magic
    def docker_off(self, line: str) -> None:
        """Let `!cmd` run on this machine again."""
        del line
        self.redirect.off()
        print("! runs on this machine.")

    def _run_cell(self, line: str, cell: str) -> None:
        words = _words(line)
        check = words[:1] == [CHECK]
        with_image = words[1:] if check else words
        spec = self._described(with_image) if with_image else self._spec
        if spec is None:
            raise UsageError("%%docker needs an image: %%docker ubuntu:22.04")
        code = self._run(spec, cell, show)
        self._names["_exit_code"] = code
        if code != 0 and check:
            raise CommandFailedError(code)
        if code:
            say_red(f"[exit code {code}]\n")

    def profile_names(self) -> list[str]:
        """Every profile there is, those of dockyter.toml first."""
        own = (profile.name for profile in self._profiles if profile.image)
        return list(dict.fromkeys([*self._said.profiles, *own]))

    def _turn_on(self) -> None:
        self.redirect.on()
        assert self._spec is not None
        print(f"! runs in containers of {self._spec.image}.")

    def _described(self, arguments: str | tuple[str, ...] | list[str]) -> ContainerSpec:
        words = _words(arguments) if isinstance(arguments, str) else arguments
        return translated(
            lambda: described(
                words,
                self._allowed,
                environ=os.environ,
                folder=Path.cwd(),
                engines=self._engines,
            )
        )

    def _run_line(self, command: str, collect: Callable[[str], None] | None) -> int | None:
        """One `!cmd` in a fresh container."""
        assert self._spec is not None

        def gather(output: Output) -> None:
            if collect is not None and isinstance(output, Text):
                collect(output.text)
            else:
                show(output)

        return self._run(self._spec, command, gather)

    def _run(self, spec: ContainerSpec, code: str, shown: Callable[[Output], None]) -> int | None:
        return translated(lambda: self._engine.run(spec, code, shown))


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{line!r}: {error}") from None


def translated(work: Callable[[], T]) -> T:
    """An error of the tree as a notebook shows one: its message and what mends it, no traceback."""
    try:
        return work()
    except BackendUnavailableError as error:
        raise UsageError(f"{error.reason} {error.hint}".strip()) from error
    except SandboxError as error:
        raise UsageError(f"{error.message}. {error.hint}".strip()) from error
