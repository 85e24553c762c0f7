"""Named kinds of containers: the six that come with the program, and those of the configuration.

A profile says what a spec leaves open and never overrides what it says. One of the configuration
that has the name of a bundled one is laid over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from sandbox_tui.model.errors import ProfileNotFoundError
from sandbox_tui.model.specs import ContainerSpec, overlay
from sandbox_tui.settings import paths, schema

FAMILY = "pocketdock"
"""First part of the bundled profiles' images: whoever has built them already need not again."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What containers of one kind have in common."""

    name: str
    values: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    """Fields of a `ContainerSpec`."""
    description: str = ""
    size: str = ""
    """About how large its image is."""
    bundled: bool = False

    @property
    def image(self) -> str:
        """What its containers are made of; empty when the spec has to say."""
        return str(self.values.get("image", ""))

    @property
    def networked(self) -> bool:
        """Whether its containers have a network unless they say so themselves."""
        return self.values.get("network") != "none"

    @property
    def folder(self) -> Path | None:
        """Where its Dockerfile is; `None` for those of the configuration."""
        return paths.bundled("config") / "profiles" / self.name if self.bundled else None

    def under(self, spec: ContainerSpec) -> ContainerSpec:
        """`spec`, with what it does not say taken from here.

        A published port is a wish for a network, so it also says that.
        """
        plain = ContainerSpec(name=spec.name)
        mine = {key: v for key, v in self.values.items() if key != "network" or not spec.ports}
        return overlay(overlay(plain, mine), _said(spec, plain))


def _bundled(name: str, description: str, size: str, *, networked: bool = False) -> Profile:
    network = {} if networked else {"network": "none"}
    return Profile(
        name=name,
        values={"image": f"{FAMILY}/{name}", **network},
        description=description,
        size=size,
        bundled=True,
    )


BUNDLED = (
    _bundled("minimal-python", "Python 3 and bash, nothing else", "~60MB"),
    _bundled("minimal-node", "Node.js with npm, and bash", "~80MB"),
    _bundled("minimal-bun", "Bun and bash", "~110MB"),
    _bundled("dev", "git, curl, vim, compilers, IPython", "~300MB", networked=True),
    _bundled("agent", "Python with requests, pandas, numpy and beautifulsoup4", "~350MB"),
    _bundled("embedded", "C and C++ with CMake and an ARM toolchain", "~700MB", networked=True),
)


class Profiles:
    """All profiles, by name."""

    def __init__(self, configured: Mapping[str, schema.Profile] | None = None) -> None:
        """`configured` are those of the configuration."""
        self._known = {profile.name: profile for profile in BUNDLED}
        for name, entry in (configured or {}).items():
            known = self._known.get(name, Profile(name=name))
            values = {**known.values, **_said(entry, schema.Profile())}
            self._known[name] = msgspec.structs.replace(known, values=values)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._known.values())

    def get(self, name: str) -> Profile:
        """The profile of exactly that name. Raises `ProfileNotFoundError`."""
        try:
            return self._known[name]
        except KeyError:
            raise ProfileNotFoundError(name, tuple(self._known)) from None

    def fill(self, spec: ContainerSpec) -> ContainerSpec:
        """`spec`, with its profile under it if it names one."""
        return self.get(spec.profile).under(spec) if spec.profile else spec


def _said(values: msgspec.Struct, plain: msgspec.Struct) -> dict[str, object]:
    """The fields that are not as in `plain`."""
    fields = msgspec.structs.asdict(values).items()
    return {key: value for key, value in fields if value != getattr(plain, key)}
