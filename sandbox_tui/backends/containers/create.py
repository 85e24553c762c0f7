"""A `ContainerSpec` in the words of the engine's API.

A command that is a string becomes `sh -c STRING`, one that is a tuple stays as it is; either way
it is the image's `CMD`, so an entry point of the image still comes first, as in a Dockerfile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from sandbox_tui.backends.containers.labels import labels_of
from sandbox_tui.model.devices import parse_device
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.ports import parse_ports
from sandbox_tui.model.specs import WAITING, Command, ContainerSpec, HostAccess

STRICT_PIDS = 512
"""How many processes a container of the strict kind may have unless it says so itself."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_ALL_GPUS = -1

Config = dict[str, object]


def container_config(spec: ContainerSpec, folder: Path, *, once: bool = False) -> Config:
    """Body of the engine's create call; relative host paths start at `folder`.

    One that runs `once` has no input, and is removed by the engine when it ends. Raises
    `InvalidSpecError`.
    """
    if not _NAME.fullmatch(spec.name):
        raise InvalidSpecError("name", f"{spec.name!r} has other signs than a-z A-Z 0-9 _ . -")
    if not spec.image:
        raise InvalidSpecError("image", "a container needs one")
    full = _in_full(spec, folder)
    bindings = [pair for port in full.ports for pair in published(port)]
    exposed: dict[str, Config] = {inside: {} for inside, _ in bindings}
    return _said(
        Image=full.image,
        Cmd=_argv(full.command),
        Entrypoint=_argv(full.entrypoint),
        Env=[f"{name}={value}" for name, value in full.env.items()],
        Labels=labels_of(spec, full),
        Hostname=full.hostname,
        User=full.user,
        WorkingDir=full.working_dir,
        Tty=full.tty,
        OpenStdin=(full.tty or full.entrypoint == WAITING) and not once,
        ExposedPorts=exposed,
        HostConfig={
            **_everyday(full, once=once),
            **_limits(full),
            **_walls(full),
            **_openings(full.access),
            "PortBindings": _by_port(bindings),
        },
    )


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


def _in_full(spec: ContainerSpec, folder: Path) -> ContainerSpec:
    """The same from whatever folder it is made again."""
    return msgspec.structs.replace(
        spec,
        volumes=tuple(bind(volume, folder) for volume in spec.volumes),
        log_volume=bind(spec.log_volume, folder) if spec.log_volume else None,
    )


def _everyday(spec: ContainerSpec, *, once: bool) -> Config:
    volumes = (*spec.volumes, spec.log_volume) if spec.log_volume else spec.volumes
    return _said(
        Init=spec.init,
        AutoRemove=once,
        Binds=list(volumes),
        NetworkMode=spec.network,
        Dns=list(spec.dns),
        ExtraHosts=list(spec.extra_hosts),
        Tmpfs=dict(_pair(text) for text in spec.tmpfs),
    )


def _limits(spec: ContainerSpec) -> Config:
    """The engine counts swap from the first byte of memory on."""
    swap = 0 if spec.swap is None and spec.security == "strict" else spec.swap
    pids = STRICT_PIDS if spec.pids is None and spec.security == "strict" else spec.pids
    return _said(
        Memory=spec.memory,
        MemorySwap=None if spec.memory is None or swap is None else spec.memory + swap,
        NanoCpus=None if spec.cpus is None else round(spec.cpus * 1e9),
        PidsLimit=pids,
        ShmSize=spec.shm,
    )


def _walls(spec: ContainerSpec) -> Config:
    """What makes the wall between a container and its host higher than usual."""
    strict = spec.security == "strict"
    dropped = ["ALL"] if strict else list(spec.dropped)
    options = [*spec.access.security_options, *(["no-new-privileges"] if strict else [])]
    return _said(ReadonlyRootfs=spec.read_only, CapDrop=dropped, SecurityOpt=options)


def _openings(access: HostAccess) -> Config:
    """What makes it lower."""
    return _said(
        Privileged=access.privileged,
        CapAdd=list(access.capabilities),
        Devices=[_device(text) for text in access.devices],
        DeviceCgroupRules=list(access.device_rules),
        DeviceRequests=[_gpus(access.gpus)] if access.gpus else [],
        PidMode=access.pid,
        IpcMode=access.ipc,
        UTSMode=access.uts,
        UsernsMode=access.userns,
        CgroupnsMode=access.cgroupns,
    )


def _device(text: str) -> Config:
    device = parse_device(text)
    return {
        "PathOnHost": device.host,
        "PathInContainer": device.inside,
        "CgroupPermissions": device.rights,
    }


def _gpus(text: str) -> Config:
    count = _ALL_GPUS if text == "all" else int(text)
    return {"Driver": "", "Count": count, "Capabilities": [["gpu"]]}


def _by_port(bindings: Iterable[tuple[str, dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """One inner port may be published more than once."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for inside, outside in bindings:
        grouped.setdefault(inside, []).append(outside)
    return grouped


def _argv(command: Command | None) -> list[str] | None:
    if command is None:
        return None
    return ["sh", "-c", command] if isinstance(command, str) else list(command)


def _pair(text: str) -> tuple[str, str]:
    path, _, options = text.partition(":")
    return path, options


def _said(**values: object) -> Config:
    """Without what is for the engine to decide."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
