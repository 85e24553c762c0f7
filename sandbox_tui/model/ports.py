"""A published port as people write it: `[ADDRESS:]HOST:CONTAINER[/PROTOCOL]`, or ranges of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sandbox_tui.model.errors import InvalidSpecError

HERE = "127.0.0.1"
"""Where a port is published when nobody says where: on this machine only."""

LARGEST = 65535
MOST = 1024
"""Ports in one range."""

_FORM = "[ADDRESS:]HOST:CONTAINER[/tcp|udp|sctp]"
_PORT = re.compile(
    r"(?:(?P<address>\[[^\]]+\]|[^:\[\]]+(?:\.[^:\[\]]+)+):)?"
    r"(?P<host>[0-9]{1,5}(?:-[0-9]{1,5})?):(?P<inside>[0-9]{1,5}(?:-[0-9]{1,5})?)"
    r"(?:/(?P<protocol>tcp|udp|sctp))?"
)


class Port(NamedTuple):
    """One port and what it is bound to; a host port of 0 is any free one."""

    inside: int
    protocol: str
    address: str
    host: int


def parse_ports(text: str) -> tuple[Port, ...]:
    """The ports that `text` means; both of its ranges must be equally long.

    Raises `InvalidSpecError`.
    """
    found = _PORT.fullmatch(text)
    if found is None:
        raise InvalidSpecError("ports", f"{text[:80]!r} is not {_FORM}")
    address = _address(found["address"] or HERE, text)
    hosts, insides = _range(found["host"], text), _range(found["inside"], text)
    if len(hosts) != len(insides) or 0 in insides or (0 in hosts and len(hosts) > 1):
        raise InvalidSpecError("ports", f"{text!r} has ranges that do not fit")
    return tuple(_ports(hosts, insides, address, found["protocol"] or "tcp"))


def _ports(hosts: range, insides: range, address: str, protocol: str) -> Iterator[Port]:
    for host, inside in zip(hosts, insides, strict=True):
        yield Port(inside, protocol, address, host)


def _range(text: str, whole: str) -> range:
    first, _, last = text.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    if not 0 < len(numbers) <= MOST or numbers[-1] > LARGEST:
        raise InvalidSpecError("ports", f"{whole!r} goes beyond 1 to {LARGEST}, {MOST} at a time")
    return numbers


def _address(text: str, whole: str) -> str:
    import ipaddress  # not needed for a listing

    bare = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        raise InvalidSpecError("ports", f"{whole!r}: {bare!r} is no address") from None
    return bare
