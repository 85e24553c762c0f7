"""Which engines of this machine are shown beside each other, and which one a name means.

Docker and Podman may both run. Docker's containers then are plain (`container:web`), Podman's are
told apart (`container:web@podman`), and what names no engine starts in Podman, which needs no
root. Where one of them runs alone, it is the plain one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

from sandbox_tui.backends.containers.engine.endpoint import Endpoint, choose, podman_sockets
from sandbox_tui.model.errors import ConfigError

DOCKER, PODMAN = "docker", "podman"

PATIENCE = 0.5
"""How long a socket may take to accept, in seconds."""


class Engines(NamedTuple):
    """Engines by their place."""

    addresses: Mapping[str, str]
    """Place → what `ContainerBackend` is told; empty is for it to find out."""
    means: Mapping[str, str]
    """What a spec may say → the place that is meant."""


def engines(env: Mapping[str, str] | None = None) -> Engines:
    """Look which sockets accept, without a process and without asking anything. Blocks."""
    env = os.environ if env is None else env
    try:
        choice = choose("", env).endpoints
    except ConfigError:
        return one("")  # the backend says what is wrong
    plain = next(filter(_accepts, choice), None)
    podman = next(filter(_accepts, podman_sockets(env)), None)
    if podman is None or plain is None:
        return one("")
    if _is_same(plain, podman):
        return Engines({"": plain.url}, {PODMAN: ""})
    address = plain.url if len(choice) > 1 else ""  # a chosen one may need its certificates
    return Engines({"": address, PODMAN: podman.url}, {DOCKER: "", "": PODMAN})


def one(runtime: str) -> Engines:
    """A single engine: the one of that name, or whichever is found."""
    return Engines({"": runtime}, {runtime or DOCKER: ""})


def _accepts(endpoint: Endpoint) -> bool:
    """Whether somebody listens there; of another machine that is taken for granted."""
    if not endpoint.is_local:
        return True
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(PATIENCE)
        try:
            caller.connect(_path(endpoint))
        except TimeoutError:
            return True  # it is there, and is slow
        except OSError:
            return False
    return True


def _is_same(one_end: Endpoint, other: Endpoint) -> bool:
    return os.path.realpath(_path(one_end)) == os.path.realpath(_path(other))


def _path(endpoint: Endpoint) -> str:
    return endpoint.url.removeprefix("unix://")
