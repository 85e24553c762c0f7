"""What the caller wants, as a spec, one part after the other."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.specs import IDLING, WAITING, ContainerSpec, HostAccess

DEFAULT_IMAGE = "pocketdock/minimal-python"

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def called(
    name: str | None, image: str, profile: str | None, project: str | None, *, persist: bool
) -> ContainerSpec:
    """A container that waits for commands; a profile brings its own image."""
    return ContainerSpec(
        name=name or f"box-{secrets.token_hex(4)}",
        image="" if profile and image == DEFAULT_IMAGE else image,
        profile=profile or "",
        project=project or "",
        persist=persist,
        entrypoint=IDLING if persist else WAITING,
        tty=False,
    )


def limited(
    spec: ContainerSpec,
    mem_limit: str | int | None,
    cpu_percent: float | None,
    idle_timeout: float | None,
    ttl: float | None,
) -> ContainerSpec:
    """The same with limits. It is its own clock: what it waits with ends after `ttl`, too."""
    return msgspec.structs.replace(
        spec,
        memory=_size(mem_limit),
        cpus=_cores(cpu_percent),
        idle_timeout=_positive("idle_timeout", idle_timeout),
        ttl=_positive("ttl", ttl),
        entrypoint=spec.entrypoint if ttl is None else ("sleep", str(math.ceil(ttl))),
    )


def connected(
    spec: ContainerSpec,
    volumes: Mapping[str, str] | None,
    ports: Mapping[int, int] | None,
    devices: Sequence[str] | None,
    network: str | bool | None,
) -> ContainerSpec:
    """The same with ways to this machine and to others."""
    named = {True: "bridge", False: "none", None: ""}
    return msgspec.structs.replace(
        spec,
        volumes=tuple(f"{host}:{inside}" for host, inside in (volumes or {}).items()),
        ports=tuple(f"{host}:{inside}" for host, inside in (ports or {}).items()),
        access=HostAccess(devices=tuple(devices or ())),
        network=network if isinstance(network, str) else named[network],
    )


def inside(
    spec: ContainerSpec,
    env: Mapping[str, str] | None,
    workdir: str | None,
    user: str | None,
    security: Literal["normal", "strict"],
    *,
    read_only: bool,
) -> ContainerSpec:
    """The same with what its commands find."""
    return msgspec.structs.replace(
        spec,
        env=dict(env or {}),
        working_dir=workdir,
        user=user or "",
        security=security,
        read_only=read_only,
    )


def _size(text: str | int | None) -> int | None:
    """Bytes: `256m`, `1g`, `1.5G`, or a number."""
    if text is None or isinstance(text, int):
        return text
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InvalidSpecError("mem_limit", f"{text!r} is no size, as 256m or 1g")
    return int(float(found[1]) * 1024 ** _POWERS[found[2].lower()])


def _cores(percent: float | None) -> float | None:
    """How many cores: 100 is one."""
    return None if percent is None else (_positive("cpu_percent", percent) or 0.0) / 100


def _positive(field: str, number: float | None) -> float | None:
    if number is not None and not number > 0:
        raise InvalidSpecError(field, f"{number:g} is not more than 0")
    return number
