"""The policy on containers that a notebook or a request asks for, as this machine sees them."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from sandbox_tui.backends.containers.engine.endpoint import choose, podman_sockets
from sandbox_tui.model import policy
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.specs import ContainerSpec


def enforce(
    spec: ContainerSpec,
    allowed: Collection[str],
    folder: Path | None = None,
    engines: Collection[str] = (),
) -> None:
    """Raise `PolicyError` for what `spec` may not have; its relative paths start at `folder`.

    `engines` are addresses of more than are found as everywhere in this program. Links are
    followed, so that none leads to what is refused by its own name. Does file I/O.
    """
    start = folder or Path.cwd()
    policy.enforce(
        spec,
        allowed,
        resolve=lambda path: _real(start / Path(path).expanduser()),
        sockets=tuple(engine_sockets(engines)),
    )


def _real(path: Path) -> str:
    """Where it leads; a path that may not be read leads where its name says."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError):  # forbidden to us, or a loop of links
        return os.path.normpath(path)


def engine_sockets(named: Collection[str] = ()) -> list[str]:
    """The sockets of these engines, and of those found as their command lines find them.

    That of a docker context may lie anywhere, as in the user's home.
    """
    try:
        chosen = choose().endpoints
    except ConfigError:
        chosen = ()  # no such context: there is no engine to reach by it
    found = (endpoint.url for endpoint in (*chosen, *podman_sockets(os.environ)))
    urls = (f"unix://{url}" if url.startswith("/") else url for url in (*named, *found))
    paths = (url.removeprefix("unix://") for url in urls if url.startswith("unix://"))
    return list(filter(os.path.exists, paths))
