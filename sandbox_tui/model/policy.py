"""What lets a container reach out of itself, by name, and what of it a policy allows.

It is read from a `ContainerSpec`, never from the words that were typed: however an ability is
spelled, it ends in the same field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from sandbox_tui.model.errors import PolicyError
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.specs import ContainerSpec

SYSTEM_FOLDERS = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys",
    "/usr", "/var/lib/containers", "/var/lib/docker", "/var/run",
)  # fmt: skip
"""Whoever has one of these has the machine, or the engine's socket."""

_OWN = {
    "pid": ("", "private"),
    "ipc": ("", "none", "private", "shareable"),
    "uts": ("", "private"),
    "userns": ("", "auto", "keep-id", "nomap", "private"),
    "cgroupns": ("", "private"),
}
"""Values of a namespace that keep it the container's own."""

Resolve = Callable[[str], str]


def enforce(
    spec: ContainerSpec,
    allowed: Collection[str],
    *,
    resolve: Resolve,
    sockets: Collection[str] = (),
) -> None:
    """Raise `PolicyError` for the first ability of `spec` that is not among `allowed`.

    `resolve` gives a host path without links and dots; `sockets` are those of engines.
    """
    for ability, said in abilities(spec, resolve=resolve, sockets=sockets):
        if ability not in allowed:
            raise PolicyError(ability, said)


def abilities(
    spec: ContainerSpec, *, resolve: Resolve, sockets: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """Every ability beyond the container itself: its name, and how docker spells it."""
    access = spec.access
    if access.privileged:
        yield "privileged", "--privileged"
    yield from _network(spec.network)
    for namespace, own in _OWN.items():
        value: str = getattr(access, namespace)
        if value.strip().lower() not in own:
            yield f"{namespace}-host", f"--{namespace} {value}"
    for ability, row in (
        ("cap-add", access.capabilities),
        ("device", access.devices),
        ("device-cgroup-rule", access.device_rules),
    ):
        yield from ((ability, f"--{ability} {value}") for value in row)
    for option in access.security_options:
        if option.replace(":", "=") not in ("no-new-privileges", "no-new-privileges=true"):
            yield "security-opt", f"--security-opt {option}"
    yield from _mounts(spec, resolve, sockets)


ABILITIES = (
    "privileged", "network-host", "network-join", *(f"{name}-host" for name in _OWN),
    "cap-add", "device", "device-cgroup-rule", "security-opt", "mount-system",
)  # fmt: skip
"""Every name that `policy.allow` may have."""


def _network(network: str) -> Iterator[tuple[str, str]]:
    name = network.strip().lower()
    if name == "host":
        yield "network-host", f"--network {network}"
    elif ":" in name or "/" in name:
        yield "network-join", f"--network {network}"


def _mounts(
    spec: ContainerSpec, resolve: Resolve, sockets: Collection[str]
) -> Iterator[tuple[str, str]]:
    volumes = (*spec.volumes, spec.log_volume) if spec.log_volume else spec.volumes
    guarded = [*SYSTEM_FOLDERS, *sockets]
    guarded += [resolve(path) for path in guarded]
    for text in volumes:
        mount = parse_mount(text)
        if mount.is_path and _reaches(resolve(mount.host), guarded):
            yield "mount-system", f"-v {text}"


def _reaches(path: str, guarded: Sequence[str]) -> bool:
    """Whether `path` is one of them, lies in one, or has one in it."""
    inside = f"{path.rstrip('/')}/"
    return any(inside.startswith(f"{each}/") or f"{each}/".startswith(inside) for each in guarded)
