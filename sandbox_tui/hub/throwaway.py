"""A container for one command, as a notebook or a request words it: `docker run` arguments."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from sandbox_tui.hub.policy import enforce
from sandbox_tui.model.docker_run import parse_docker_run
from sandbox_tui.model.errors import DockerArgumentError
from sandbox_tui.model.limits import check
from sandbox_tui.model.specs import ContainerSpec

_SHELL = 'command -v bash >/dev/null 2>&1 && exec bash -lc "$1"; exec sh -lc "$1"'


def described(
    arguments: Sequence[str],
    allowed: Collection[str],
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    engines: Collection[str] = (),
) -> ContainerSpec:
    """The container of `[OPTIONS] IMAGE`, when the policy allows it; its name may be empty.

    `engines` are addresses whose sockets are guarded, too. Raises
    `DockerArgumentError`, `InvalidSpecError` or `PolicyError`.
    """
    spec, words = parse_docker_run(arguments, environ)
    if words:
        raise DockerArgumentError(words[0], "it comes after the image, where the command goes")
    check(named(spec))
    enforce(spec, allowed, folder, engines)
    return spec


def running(spec: ContainerSpec, code: str) -> ContainerSpec:
    """`spec` with shell code as its command: for bash where the image has it, else for sh."""
    return msgspec.structs.replace(named(spec), command=("sh", "-c", _SHELL, "sh", code))


def named(spec: ContainerSpec) -> ContainerSpec:
    """With a name that nobody has, unless it has one."""
    name = spec.name or f"once-{secrets.token_hex(6)}"
    return msgspec.structs.replace(spec, name=name)
