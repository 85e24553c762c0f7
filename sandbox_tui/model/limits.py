"""What the values of a spec may look like, and how long they may be.

One home for every surface: files, the command line and the APIs all end here. Patterns are
anchored at both ends (`fullmatch`), so that a trailing newline is refused like any other sign that
does not belong. What only one engine minds is that backend's own to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox_tui.model.devices import parse_device
from sandbox_tui.model.errors import InvalidSpecError
from sandbox_tui.model.mounts import parse_mount
from sandbox_tui.model.ports import parse_ports
from sandbox_tui.model.specs import Command, ContainerSpec, HostAccess, Spec

NAME = 255
IMAGE = 512
PATH = 4096
COMMAND = 32 * 1024
KEY = 256
VALUE = 32 * 1024
HOSTNAME = 63
"""Characters in a name, an image, a path, a command, a variable's name and value, and a host."""

LEAST_MEMORY = 6 * 1024**2
MOST_BYTES = 2**50
CPUS = 1024
PIDS = 4_194_304
SECONDS = 10 * 365 * 24 * 3600
"""Bytes, cores, processes, and the longest life of a sandbox."""

ENTRIES = 512
"""Volumes, ports, labels or variables of one sandbox."""

_CONTROL = r"\x00-\x1f\x7f-\x9f"
_NAME = re.compile(rf"(?!\s+\Z)[^{_CONTROL}]+")
_WORD = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._+-]*")
_SOCKET = re.compile(rf"[^/:{_CONTROL}]+")
_KEY = re.compile(rf"[^=\s{_CONTROL}]+")
_PATH = re.compile(rf"[^{_CONTROL}]+")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?"
    r"(?:@[a-zA-Z][a-zA-Z0-9+._-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_USER = re.compile(r"[a-zA-Z0-9_][\w.-]*(?::[a-zA-Z0-9_][\w.-]*)?", re.ASCII)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAMESPACE = re.compile(r"(?:container:)?[a-zA-Z0-9][\w.-]*", re.ASCII)
_TMPFS = re.compile(rf"/[^:{_CONTROL}]*(?::[\w=,.%-]+)?", re.ASCII)
_CAPABILITY = re.compile(r"[A-Z][A-Z0-9_]*")
_CAPABILITIES = "a capability as NET_ADMIN, or ALL"
_RULE = re.compile(r"[abc] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}", re.ASCII)
_GPUS = re.compile(r"all|[1-9]\d*", re.ASCII)
_NAMESPACES = ("pid", "ipc", "uts", "userns", "cgroupns")
_HERE = ("127.0.0.1", "::1")


def check(spec: Spec) -> None:
    """Raise `InvalidSpecError` for a value that no backend should be given."""
    _name(spec.name)
    _check_fields(spec, type(spec)(name=spec.name), _CHECKS)
    if isinstance(spec, ContainerSpec):
        _check_fields(spec.access, HostAccess(), _ACCESS_CHECKS)
        _fit_together(spec)


def _check_fields(
    said: msgspec.Struct, plain: msgspec.Struct, checks: Mapping[str, Callable[[Any], object]]
) -> None:
    """Whatever is not as in `plain`; an empty text says nothing."""
    for field in said.__struct_fields__:
        value = getattr(said, field)
        if field in checks and value not in (None, "") and value != getattr(plain, field):
            checks[field](value)


def _fit_together(spec: ContainerSpec) -> None:
    """What each may be and both together may not."""
    if spec.swap is not None and spec.memory is None:
        raise InvalidSpecError("swap", "it is counted beyond memory, so that is needed too")
    if spec.security != "strict":
        return
    if spec.access.privileged:
        raise InvalidSpecError("access.privileged", "a strict container cannot be privileged")
    for field in _NAMESPACES:
        if getattr(spec.access, field):
            raise InvalidSpecError(f"access.{field}", "a strict container has its own")
    if any(port.address not in _HERE for text in spec.ports for port in parse_ports(text)):
        raise InvalidSpecError("ports", "a strict container's are for this machine only")


def _like(field: str, pattern: re.Pattern[str], longest: int, form: str) -> Callable[[str], None]:
    """A check of one text."""

    def check_text(text: str) -> None:
        if len(text) > longest:
            raise InvalidSpecError(field, f"it has {len(text)} characters, {longest} are allowed")
        if not pattern.fullmatch(text):
            raise InvalidSpecError(field, f"{text!r} is not {form}")

    return check_text


def _each(field: str, check_one: Callable[[str], object]) -> Callable[[tuple[str, ...]], None]:
    """A check of every text in a row."""

    def check_row(row: tuple[str, ...]) -> None:
        _must_be_few(field, len(row))
        for text in row:
            check_one(text)

    return check_row


def _pairs(field: str) -> Callable[[Mapping[str, str]], None]:
    """A check of names and their values."""
    check_key = _like(field, _KEY, KEY, "a name: no space, no = and no control character")

    def check_pairs(pairs: Mapping[str, str]) -> None:
        _must_be_few(field, len(pairs))
        for key, value in pairs.items():
            check_key(key)
            if len(value) > VALUE:
                raise InvalidSpecError(field, f"{key} has more than {VALUE} characters")
            if "\0" in value:
                raise InvalidSpecError(field, f"there is a NUL character in {key}")

    return check_pairs


def _command(field: str) -> Callable[[Command], None]:
    """A check of a command line."""

    def check_command(command: Command) -> None:
        words = (command,) if isinstance(command, str) else command
        if sum(map(len, words)) > COMMAND:
            raise InvalidSpecError(field, f"it has more than {COMMAND} characters")
        if not words or not words[0].strip():
            raise InvalidSpecError(field, "it is empty; leave it out for the usual one")
        if any("\0" in word for word in words):
            raise InvalidSpecError(field, "there is a NUL character in it")

    return check_command


def _between(field: str, least: float, most: float, unit: str) -> Callable[[float], None]:
    """A check of one number."""

    def check_number(number: float) -> None:
        if not least <= number <= most:
            raise InvalidSpecError(
                field, f"{number:.16g} is not from {least:.16g} to {most:.16g} {unit}"
            )

    return check_number


def _address(field: str) -> Callable[[str], None]:
    """A check of an address of the internet protocol."""

    def check_address(text: str) -> None:
        import ipaddress  # not needed for a listing

        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise InvalidSpecError(field, f"{text[:80]!r} is no address") from None

    return check_address


def _extra_host(text: str) -> None:
    name, _, address = text.partition(":")
    _like("extra_hosts", _WORD, NAME, "NAME:ADDRESS")(name)
    if address != "host-gateway":
        _address("extra_hosts")(address.removeprefix("[").removesuffix("]"))


def _must_be_few(field: str, number: int) -> None:
    if number > ENTRIES:
        raise InvalidSpecError(field, f"there are {number}, {ENTRIES} are allowed")


_name = _like("name", _NAME, NAME, "a name: one line without control characters")

_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "command": _command("command"),
    "entrypoint": _command("entrypoint"),
    "image": _like("image", _IMAGE, IMAGE, "an image: [HOST[:PORT]/]PATH[:TAG][@DIGEST]"),
    "volumes": _each("volumes", parse_mount),
    "log_volume": parse_mount,
    "ports": _each("ports", parse_ports),
    "env": _pairs("env"),
    "labels": _pairs("labels"),
    "working_dir": _like("working_dir", _PATH, PATH, "a folder: one line"),
    "socket": _like("socket", _SOCKET, NAME, "the name of a socket: no slash, no colon"),
    "runtime": _like("runtime", _WORD, NAME, "the name of an engine"),
    "kernel": _like("kernel", _NAME, NAME, "the name of a kernel"),
    "user": _like("user", _USER, NAME, "USER[:GROUP]"),
    "hostname": _like("hostname", _HOSTNAME, HOSTNAME, "the name of a host"),
    "network": _like("network", _NAMESPACE, NAME, "none, bridge, host or the name of a network"),
    "dns": _each("dns", _address("dns")),
    "extra_hosts": _each("extra_hosts", _extra_host),
    "tmpfs": _each("tmpfs", _like("tmpfs", _TMPFS, PATH, "/PATH[:OPTIONS]")),
    "memory": _between("memory", LEAST_MEMORY, MOST_BYTES, "bytes"),
    "swap": _between("swap", 0, MOST_BYTES, "bytes"),
    "shm": _between("shm", 1, MOST_BYTES, "bytes"),
    "cpus": _between("cpus", 0.01, CPUS, "cores"),
    "pids": _between("pids", 1, PIDS, "processes"),
    "dropped": _each("dropped", _like("dropped", _CAPABILITY, NAME, _CAPABILITIES)),
    "ttl": _between("ttl", 1, SECONDS, "seconds"),
    "idle_timeout": _between("idle_timeout", 1, SECONDS, "seconds"),
    "project": _like("project", _NAME, NAME, "a name: one line without control characters"),
    "profile": _like("profile", _WORD, NAME, "the name of a profile"),
}

_ACCESS_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "capabilities": _each(
        "access.capabilities", _like("access.capabilities", _CAPABILITY, NAME, _CAPABILITIES)
    ),
    "devices": _each("access.devices", parse_device),
    "device_rules": _each(
        "access.device_rules", _like("access.device_rules", _RULE, NAME, "a rule as c 1:3 rwm")
    ),
    "gpus": _like("access.gpus", _GPUS, 4, "all or how many"),
    "security_options": _each(
        "access.security_options", _like("access.security_options", _NAME, PATH, "one line")
    ),
    **{
        field: _like(f"access.{field}", _NAMESPACE, NAME, "host or container:NAME")
        for field in _NAMESPACES
    },
}
