"""A `ContainerSpec` in the words of the engine's API.

A command that is a string becomes `sh -c STRING`, one that is a tuple stays as it is; either way
it is the image's `CMD`, so an entry point of the image still comes first, as in a Dockerfile.
"""

from __future__ import annotations

import re
from pathlib import Path

from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.ports import parse_ports
from sandbox_tui.model.specs import Command, ContainerSpec, fingerprint

MANAGED_LABEL = "sandbox-tui.managed"
SPEC_LABEL = "sandbox-tui.spec"
"""Fingerprint of the spec, to see whether the configuration has changed since."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")

Config = dict[str, object]


def container_config(spec: ContainerSpec, folder: Path) -> Config:
    """Body of the engine's create call; relative host paths start at `folder`.

    Raises `InvalidSpecError`.
    """
    if not _NAME.fullmatch(spec.name):
        raise InvalidSpecError("name", f"{spec.name!r} has other signs than a-z A-Z 0-9 _ . -")
    if not spec.image:
        raise InvalidSpecError("image", "a container needs one")
    volumes = (*spec.volumes, spec.log_volume) if spec.log_volume else spec.volumes
    bindings = [pair for port in spec.ports for pair in published(port)]
    config: Config = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Labels": {**spec.labels, MANAGED_LABEL: "1", SPEC_LABEL: fingerprint(spec)},
        "Tty": spec.tty,
        "OpenStdin": spec.tty,
        "ExposedPorts": {inside: {} for inside, _ in bindings},
        "HostConfig": {
            "Init": True,
            "Binds": [bind(volume, folder) for volume in volumes],
            "PortBindings": _by_port(bindings),
        },
    }
    if spec.command is not None:
        config["Cmd"] = _argv(spec.command)
    if spec.working_dir:
        config["WorkingDir"] = spec.working_dir
    return config


def bind(volume: str, folder: Path) -> str:
    """`HOST:CONTAINER[:MODE]` with an absolute host path, or with the name of a volume."""
    mount = parse_mount(volume)
    host = mount.host
    if mount.is_path:
        host = str((folder / Path(host).expanduser()).resolve())
    return ":".join(filter(None, (host, mount.inside, mount.mode)))


def published(text: str) -> list[tuple[str, dict[str, str]]]:
    """`[ADDRESS:]HOST:CONTAINER[/PROTOCOL]` as inner ports and what each is bound to."""
    return [
        (f"{port.inside}/{port.protocol}", {"HostIp": port.address, "HostPort": str(port.host)})
        for port in parse_ports(text)
    ]


def _by_port(bindings: list[tuple[str, dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """One inner port may be published more than once."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for inside, outside in bindings:
        grouped.setdefault(inside, []).append(outside)
    return grouped


def _argv(command: Command) -> list[str]:
    return ["sh", "-c", command] if isinstance(command, str) else list(command)
