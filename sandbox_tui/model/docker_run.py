"""The arguments of `docker run`, taken apart into a `ContainerSpec`.

They are parsed as the engine's own command line parses them (`--network=host`, `--net host`,
`-itv/data:/data`), and an option that is not understood in full is refused: what is not in the
spec is not in the container, so a policy that has read the spec has read everything.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox_tui.model.errors import DockerArgumentError
from sandbox_tui.model.sizes import parse_size
from sandbox_tui.model.specs import ContainerSpec, HostAccess

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_SHORT = {
    "e": "env", "h": "hostname", "i": "interactive", "l": "label", "m": "memory", "p": "publish",
    "q": "quiet", "t": "tty", "u": "user", "v": "volume", "w": "workdir", "c": "cpu-shares",
    "d": "detach", "a": "attach", "P": "publish-all",
}  # fmt: skip
_SWITCHES = {"privileged": "access.privileged", "read-only": "read_only", "init": "init"}
_IGNORED = frozenset({"rm", "interactive", "tty", "quiet"})
"""Switches that change nothing here: it is always removed, and never has a terminal."""

_UNSUPPORTED_SWITCHES = frozenset({"detach", "publish-all", "oom-kill-disable", "no-healthcheck"})


class DockerRun(NamedTuple):
    """What a `docker run` asks for."""

    spec: ContainerSpec
    """Its `name` is empty when none was said."""
    words: tuple[str, ...]
    """What follows the image."""


def parse_docker_run(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None
) -> DockerRun:
    """Take `[OPTIONS] IMAGE [WORDS]` apart; `environ` is where `-e NAME` finds its value.

    Raises `DockerArgumentError`, or `InvalidSpecError` for a value that means nothing.
    """
    draft = _Draft(environ or {})
    words = iter(arguments)
    for word in words:
        if word == "--":
            return draft.done(next(words, ""), tuple(words))
        if not word.startswith("-") or word == "-":
            return draft.done(word, tuple(words))
        for name, value in _options(word, words):
            draft.take(name, value)
    return draft.done("", ())


def docker_words(spec: ContainerSpec) -> tuple[str, ...]:
    """The arguments that `parse_docker_run` reads as `spec`; fields that it never sets are lost."""
    access = spec.access
    said: list[tuple[str, object]] = [
        ("name", spec.name),
        ("hostname", spec.hostname),
        ("workdir", spec.working_dir),
        ("user", spec.user),
        ("network", spec.network),
        ("memory", spec.memory),
        ("cpus", spec.cpus),
        ("pids-limit", spec.pids),
        ("shm-size", spec.shm),
        ("gpus", access.gpus),
        *((name, getattr(access, name)) for name in ("pid", "ipc", "uts", "userns", "cgroupns")),
        *(("entrypoint", word) for word in (spec.entrypoint or ())[:1]),
        *(("env", f"{key}={value}") for key, value in spec.env.items()),
        *(("label", f"{key}={value}") for key, value in spec.labels.items()),
        *((name, value) for name, field in _ROWS.items() for value in _get(spec, field)),
    ]
    words = [f"--{name}={value}" for name, value in said if value not in ("", None)]
    words += [
        f"--{name}={str(_get(spec, field)).lower()}"
        for name, field in _SWITCHES.items()
        if _get(spec, field) != _get(_PLAIN, field)
    ]
    return (*words, spec.image)


def _get(spec: ContainerSpec, field: str) -> Any:
    owner, _, inner = field.rpartition(".")
    return getattr(spec.access if owner else spec, inner)


def _options(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options in one word, each with its value; a value may be the next word."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        yield name, value if equals else _value_of(name, rest)
        return
    letters = word[1:]
    while letters:
        name, letters = _SHORT.get(letters[0], f"-{letters[0]}"), letters[1:]
        if letters.startswith("="):
            yield name, letters[1:]
            return
        if not _is_switch(name):
            yield name, letters or _value_of(name, rest)
            return
        yield name, "true"


def _is_switch(name: str) -> bool:
    return name in _SWITCHES or name in _IGNORED or name in _UNSUPPORTED_SWITCHES


def _value_of(name: str, rest: Iterator[str]) -> str:
    """A switch takes no next word: in `--privileged false`, `false` is the image."""
    if _is_switch(name):
        return "true"
    if name not in _TAKERS:
        raise DockerArgumentError(_spelled(name), "it is unknown or not supported here")
    for value in rest:
        return value
    raise DockerArgumentError(_spelled(name), "its value is missing")


def _spelled(name: str) -> str:
    return name if name.startswith("-") else f"--{name}"


class _Draft:
    """A spec in the making."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.fields: dict[str, object] = {}
        self.access: dict[str, object] = {}
        self.env: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self._rows: dict[str, list[str]] = {}

    def take(self, name: str, value: str) -> None:
        """One option with its value."""
        if name in _SWITCHES:
            self.put(_SWITCHES[name], _truth(name, value))
        elif name in _IGNORED:
            _truth(name, value)
        elif name in _TAKERS:
            _TAKERS[name](self, name, value)
        else:
            raise DockerArgumentError(_spelled(name), "it is unknown or not supported here")

    def put(self, field: str, value: object) -> None:
        """Set a field; the last word counts."""
        owner, _, inner = field.rpartition(".")
        (self.access if owner else self.fields)[inner] = value

    def add(self, field: str, value: str) -> None:
        """One more in a row."""
        self._rows.setdefault(field, []).append(value)

    def done(self, image: str, words: tuple[str, ...]) -> DockerRun:
        """The spec, now that the image is known."""
        if not image:
            raise DockerArgumentError("IMAGE", "it is missing")
        for field, row in self._rows.items():
            self.put(field, tuple(row))
        said = {"name": "", "tty": False, **self.fields}
        access = HostAccess(**self.access)  # pyright: ignore[reportArgumentType]  # by the table
        spec = ContainerSpec(image=image, env=self.env, labels=self.labels, access=access, **said)  # pyright: ignore[reportArgumentType]  # by the table
        return DockerRun(spec, words)


def _truth(name: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise DockerArgumentError(_spelled(name), f"{value!r} is neither true nor false")


Taker = Callable[[_Draft, str, str], None]


def _text(field: str) -> Taker:
    return lambda draft, _, value: draft.put(field, value)


def _row(field: str) -> Taker:
    return lambda draft, _, value: draft.add(field, value)


def _size(field: str) -> Taker:
    return lambda draft, _, value: draft.put(field, parse_size(value, field))


def _number(field: str, number: Callable[[str], object]) -> Taker:
    def take(draft: _Draft, name: str, value: str) -> None:
        try:
            draft.put(field, number(value))
        except ValueError:
            raise DockerArgumentError(_spelled(name), f"{value!r} is no number") from None

    return take


def _variable(draft: _Draft, name: str, value: str) -> None:
    """`NAME=VALUE`, or `NAME` alone for the value it has here, if it has one."""
    key, equals, text = value.partition("=")
    if not key:
        raise DockerArgumentError(_spelled(name), f"{value!r} has no name")
    if equals:
        draft.env[key] = text
    elif key in draft.environ:
        draft.env[key] = draft.environ[key]


def _label(draft: _Draft, name: str, value: str) -> None:
    key, _, text = value.partition("=")
    if not key:
        raise DockerArgumentError(_spelled(name), f"{value!r} has no name")
    draft.labels[key] = text


def _volume(draft: _Draft, name: str, value: str) -> None:
    if ":" not in value:
        raise DockerArgumentError(_spelled(name), f"{value!r} needs a name before it: NAME:{value}")
    draft.add("volumes", value)


def _port(draft: _Draft, _: str, value: str) -> None:
    """`80` alone is any free port of this machine."""
    draft.add("ports", value if ":" in value else f"0:{value}")


def _network(draft: _Draft, name: str, value: str) -> None:
    """`NAME`, or the long form `name=NAME,alias=…`."""
    if "=" not in value:
        return draft.put("network", value)
    said = _pairs(name, value)
    if said.keys() != {"name"}:
        raise DockerArgumentError(_spelled(name), f"of {value!r} only name= is supported")
    return draft.put("network", said["name"])


_MOUNT_KEYS = {
    "src": "source", "target": "destination", "dst": "destination", "ro": "readonly",
}  # fmt: skip


def _mount(draft: _Draft, name: str, value: str) -> None:
    """`type=bind,source=…,destination=…[,readonly]`, `type=volume…` or `type=tmpfs…`."""
    said = {_MOUNT_KEYS.get(key, key): text for key, text in _pairs(name, value).items()}
    kind, inside = said.pop("type", "volume"), said.pop("destination", "")
    source, read_only = said.pop("source", ""), said.pop("readonly", "false")
    if said or not inside or kind not in ("bind", "volume", "tmpfs"):
        raise DockerArgumentError(_spelled(name), f"{value!r} is not supported")
    if kind == "tmpfs":
        return draft.add("tmpfs", inside)
    if not source or (kind == "volume" and source.startswith((".", "~", "/"))):
        raise DockerArgumentError(_spelled(name), f"{value!r} has no source that fits")
    if kind == "bind" and "/" not in source:
        source = f"./{source}"
    mode = ":ro" if _truth(name, read_only or "true") else ""
    return draft.add("volumes", f"{source}:{inside}{mode}")


def _pairs(name: str, value: str) -> dict[str, str]:
    """Comma-separated `key=value`, quoted as in a spreadsheet; keys in any case, as docker does."""
    try:
        [parts] = csv.reader([value], strict=True)
    except (csv.Error, ValueError):
        raise DockerArgumentError(_spelled(name), f"{value!r} is not KEY=VALUE,…") from None
    pairs = [part.partition("=") for part in parts]
    said = {key.strip().lower(): text for key, _, text in pairs}
    if len(said) != len(pairs):
        raise DockerArgumentError(_spelled(name), f"{value!r} says something twice")
    return said


_ROWS = {
    "add-host": "extra_hosts",
    "cap-add": "access.capabilities",
    "cap-drop": "dropped",
    "device": "access.devices",
    "device-cgroup-rule": "access.device_rules",
    "dns": "dns",
    "publish": "ports",
    "security-opt": "access.security_options",
    "tmpfs": "tmpfs",
    "volume": "volumes",
}
"""Options that may be said again and again, each time for one more."""

_PLAIN = ContainerSpec(name="")

_TAKERS: Mapping[str, Taker] = {
    **{name: _row(field) for name, field in _ROWS.items()},
    "cgroupns": _text("access.cgroupns"),
    "cpus": _number("cpus", float),
    "entrypoint": lambda draft, _, value: draft.put("entrypoint", (value,)),
    "env": _variable,
    "gpus": _text("access.gpus"),
    "hostname": _text("hostname"),
    "ipc": _text("access.ipc"),
    "label": _label,
    "memory": _size("memory"),
    "mount": _mount,
    "name": _text("name"),
    "net": _network,
    "network": _network,
    "pid": _text("access.pid"),
    "pids-limit": _number("pids", int),
    "publish": _port,
    "shm-size": _size("shm"),
    "user": _text("user"),
    "userns": _text("access.userns"),
    "uts": _text("access.uts"),
    "volume": _volume,
    "workdir": _text("working_dir"),
}
