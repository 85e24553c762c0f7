"""How a sandbox is named: `kind:name`, or `kind:name@place`.

A place is where the name lives when that is not the obvious one: a tmux socket, a second
container engine, another host. This module is the only one that takes such names apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from sandbox_tui.model.errors import AmbiguousNameError, InvalidNameError, NotFoundError


class Kind(StrEnum):
    """What sort of thing runs the code."""

    TMUX = "tmux"
    CONTAINER = "container"
    ROOM = "room"


class Place(NamedTuple):
    """One backend's home: a kind and where it lives (`""` is the obvious place)."""

    kind: Kind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}@{self.where}" if self.where else str(self.kind)


class Ref(str):
    """The exact name of one sandbox; a string, so it is its own JSON, dict key and URL segment.

    >>> Ref("container:web").name
    'web'
    >>> Ref.make(Kind.TMUX, "api", "work")
    Ref('tmux:api@work')
    """

    __slots__ = ("name", "place")

    name: str
    place: Place

    def __new__(cls, text: str) -> Ref:
        """Take a full name apart. Raises `InvalidNameError`."""
        kind, colon, rest = text.partition(":")
        if not colon or kind not in _KINDS:
            raise InvalidNameError(text, "a full name starts with tmux:, container: or room:")
        name, _, where = rest.rpartition("@") if "@" in rest else (rest, "", "")
        if not name:
            raise InvalidNameError(text, "the name is empty")
        suffix = f"@{where}" if where or "@" in name else ""
        self = str.__new__(cls, f"{kind}:{name}{suffix}")
        self.name = name
        self.place = Place(Kind(kind), where)
        return self

    @classmethod
    def make(cls, kind: Kind, name: str, where: str = "") -> Ref:
        """Join the parts; a name that itself has an `@` is always written with its place."""
        return cls(f"{kind.value}:{name}@{where}")

    @property
    def kind(self) -> Kind:
        """The kind of the sandbox."""
        return self.place.kind

    def __repr__(self) -> str:
        return f"Ref({str.__repr__(self)})"

    def __reduce__(self) -> tuple[type[Ref], tuple[str]]:
        return (Ref, (str(self),))

    def answers_to(self, text: str) -> bool:
        """Whether `text` names this sandbox exactly: in full, without kind, or by bare name."""
        return text in (self, self.partition(":")[2], self.name)


_KINDS = frozenset(kind.value for kind in Kind)


def resolve(text: str, known: Iterable[Ref], kind: Kind | None = None) -> Ref:
    """Find the one sandbox that `text` names, never by prefix.

    A full name wins over a bare one. Raises `NotFoundError` with the nearest names, or
    `AmbiguousNameError` with every candidate.
    """
    candidates = [ref for ref in known if kind is None or ref.kind is kind]
    matches = [ref for ref in candidates if ref == text]
    matches = matches or [ref for ref in candidates if ref.answers_to(text)]
    if len(matches) > 1:
        raise AmbiguousNameError(text, tuple(sorted(matches)))
    if not matches:
        raise NotFoundError(text, tuple(sorted(candidates)))
    return matches[0]
