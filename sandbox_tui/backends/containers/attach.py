"""How a terminal is handed to a container: with the engine's own command line, by full id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox_tui.backends.containers.engine.replies import Box
from sandbox_tui.model.actions import Attachment
from sandbox_tui.model.errors import ToolMissingError, UnsupportedError

if TYPE_CHECKING:
    from sandbox_tui.backends.containers.engine.engine import Engine

# The keys that everybody knows, whatever the user's own configuration of the engine says.
_DETACH = ("--detach-keys", "ctrl-p,ctrl-q")
_DETACH_TYPED = "\x10\x11"

# Those begin with ctrl-p, which a shell needs at once for its history.
_LEAVE_SHELL = ("--detach-keys", "ctrl-\\")
_FIND_SHELL = "for name in bash zsh ash sh; do command -v $name && exit; done"
_CLIENTS = {"docker": ("docker",), "podman": ("podman", "docker")}
_INSTALL = {"docker": "apt install docker-cli", "podman": "apt install podman"}


def attach_to_main(engine: Engine, box: Box) -> Attachment:
    """The main process. One without a terminal is only listened to."""
    about = engine.inspect(box)
    argv = ("attach", *_DETACH, "--sig-proxy=false", box.id)
    leave = "ctrl+p ctrl+q" if about.config.tty and about.config.open_stdin else "ctrl+c"
    told = _attachment(engine, box, argv, leave)
    return msgspec.structs.replace(told, leave_keys=_DETACH_TYPED)


def open_shell(engine: Engine, box: Box) -> Attachment:
    """A shell of the image's own. Raises `UnsupportedError` when it has none."""
    argv = ("exec", "-it", *_LEAVE_SHELL, box.id, find_shell(engine, box))
    return _attachment(engine, box, argv, "ctrl+\\, or exit")


def find_shell(engine: Engine, box: Box) -> str:
    """The best shell inside, by one command there."""
    code, said = engine.run(box, ["sh", "-c", _FIND_SHELL])
    shell = said.decode("utf-8", "replace").strip()
    if code or not shell:
        hint = f"Its image has no shell; copy files out instead: docker cp {box.ref.name}:/ ."
        raise UnsupportedError(box.ref, "open a shell", hint=hint)
    return shell


def _attachment(engine: Engine, box: Box, argv: tuple[str, ...], leave: str) -> Attachment:
    import shutil  # takes longer to load than this module and most of its neighbours

    runtime = engine.version.runtime
    client = next(filter(shutil.which, _CLIENTS[runtime]), None)
    if client is None:
        raise ToolMissingError(str(box.ref.place), runtime, install=_INSTALL[runtime])
    remote = ("--remote",) if client == "podman" else ()
    return Attachment(
        ref=box.ref,
        argv=(client, *remote, *argv),
        env=engine.endpoint.environment(),
        leave=leave,
    )
