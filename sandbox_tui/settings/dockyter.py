"""`dockyter.toml`, read where a user already has it: the first file found is the only one."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, cast

import msgspec

from sandbox_tui.model.errors import ConfigError

VARIABLE = "DOCKYTER_CONFIG"
FILE = "dockyter.toml"


class Backend(msgspec.Struct, frozen=True):
    """Who runs the commands."""

    mode: Literal["docker", "api"] = "docker"
    api_url: str = ""
    api_token: str = ""


class Docker(msgspec.Struct, frozen=True):
    """What `!` redirection begins with."""

    default_args: str = ""


class Dockyter(msgspec.Struct, frozen=True):
    """Everything that such a file says."""

    backend: Backend = Backend()
    docker: Docker = Docker()
    profiles: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Arguments of `docker run`, by name."""


def find(cwd: Path | None = None) -> Path | None:
    """The file that counts. One that `DOCKYTER_CONFIG` names counts whether it is there or not."""
    return next((file for file in _candidates(cwd or Path.cwd())), None)


def load(file: Path | None) -> Dockyter:
    """What the file says; without one, the defaults. Raises `ConfigError`."""
    if file is None:
        return Dockyter()
    text = _text(file)
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, text, error) from None
    for section, key, reason in _faults(said):
        raise ConfigError(str(file), reason, line=_line(text, section, key))
    return msgspec.convert(said, Dockyter)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), f"is not UTF-8 text: {error.reason}") from None


def _candidates(cwd: Path) -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named).expanduser()
    home = Path.home()
    for file in (cwd / FILE, home / f".{FILE}", home / ".config/dockyter/config.toml"):
        if file.is_file():
            yield file


def _unreadable(file: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    reason, _, place = str(error).partition(" (at ")
    found = re.match(r"line ([0-9]+)", place)
    line = int(found[1]) if found else max(1, len(text.splitlines()))
    return ConfigError(str(file), f"is not TOML: {reason.lower()}", line=line)


_KNOWN = {"backend": Backend, "docker": Docker, "profiles": None}


def _faults(said: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """What is wrong: the section, the key, and the reason."""
    for section, entries in said.items():
        if section not in _KNOWN:
            yield section, "", f"there is no section {section}, but {', '.join(_KNOWN)}"
        elif not isinstance(entries, dict):
            yield section, "", f"{section} must be a section: [{section}]"
        else:
            yield from _faults_of(section, cast("dict[str, object]", entries))


def _faults_of(section: str, entries: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    known = _KNOWN[section]
    for key, value in entries.items():
        if known is not None and key not in known.__struct_fields__:
            fields = ", ".join(known.__struct_fields__)
            yield section, key, f"there is no {section}.{key}, but {fields}"
        elif not isinstance(value, str):
            yield section, key, f"{section}.{key} must be text"
        elif key == "mode" and value not in ("docker", "api"):
            yield section, key, f"{section}.{key} must be docker or api, not {value!r}"


def _line(text: str, section: str, key: str) -> int | None:
    """Where the key stands in its section, else where the section begins."""
    begin, here = None, False
    for number, said in enumerate(text.splitlines(), start=1):
        if said.strip().startswith("["):
            here = said.strip().strip("[]").strip() == section
            begin = number if here else begin
        elif here and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", said):
            return number
    return begin
