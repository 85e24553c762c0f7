"""Where a Python kernel's interpreter and packages come from: what `env_source` says.

| `env_source`   | the kernel runs in                                                              |
|----------------|---------------------------------------------------------------------------------|
| empty          | the interpreter of this program                                                 |
| a path         | the virtual environment there, which has to have ipykernel                      |
| `uv:prewarmed` | a fresh environment of its own, over a template with ipykernel; without uv      |
|                | installed the interpreter of this program. While the template cannot be         |
|                | installed (no network), over the packages of this program, and that is said     |
| `uv:inline`    | the same, with the packages that the notebook's metadata names                  |
| `uv:pyproject` | the same, with the dependencies of the nearest `pyproject.toml`                 |

The template is installed and compiled once; laying an environment over it takes some 25 ms.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.records import discard
from sandbox_tui.model.errors import (
    InvalidSpecError,
    SandboxError,
    StartFailedError,
    ToolMissingError,
)
from sandbox_tui.model.refs import Ref

PREWARMED = "uv:prewarmed"
INLINE = "uv:inline"
PYPROJECT = "uv:pyproject"

BY_UV = (PREWARMED, INLINE, PYPROJECT)

INSTALLS = 600.0
"""Longest installation of packages, in seconds."""

_CHECKS = 20.0
"""Longest look whether an interpreter has ipykernel, in seconds."""

RETRY = 300.0
"""Seconds for which a template that could not be installed is not tried again."""

_READY = "ready"
"""A file in a template that is whole."""

_HAS_IPYKERNEL = "import importlib.util as u, sys; sys.exit(not u.find_spec('ipykernel'))"


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of environment; kernels of equal ones can be forked from one process."""

    python: str
    overlaid: bool = False
    """Every kernel gets an environment of its own over this one's packages."""
    beneath: str = ""
    """The folder of packages under an overlaid one."""
    wanted: tuple[str, ...] = ()
    """Arguments for the installation of more."""
    remark: str = ""
    """What its user should know."""


class Environments:
    """Finds and makes them; templates lie in `folder`. Every method blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making = threading.Lock()
        self._failure: tuple[float, SandboxError] | None = None

    def resolve(
        self, source: str, packages: tuple[str, ...], working_dir: str | None, owner: Ref
    ) -> Environment:
        """What `source` means.

        Raises `InvalidSpecError` when it means nothing, `ToolMissingError` without uv or without
        ipykernel, and `StartFailedError` when the template cannot be installed and more is wanted.
        """
        if not source:
            return Environment(python=sys.executable)
        if source not in BY_UV:
            return _at(source)
        wanted: tuple[str, ...] = ()
        if source == INLINE:
            wanted = _names(packages)
        elif source == PYPROJECT:
            wanted = ("-r", str(_project(working_dir)))
        try:
            python = self._template(owner)
        except StartFailedError as error:
            if source != PREWARMED:
                raise
            return _borrowed(error)
        beneath = str(_packages_of(Path(python).parents[1]))
        return Environment(python=python, overlaid=True, beneath=beneath, wanted=wanted)

    @property
    def has_template(self) -> bool:
        """Whether making an environment takes milliseconds by now."""
        return (self._template_folder / _READY).exists()

    @property
    def _template_folder(self) -> Path:
        made_of = f"{sys.executable} {sys.version} {_own_ipykernel()}"
        return self._folder / f"template-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"

    def _template(self, owner: Ref) -> str:
        """The interpreter of the template, which is made when it is not there."""
        uv, folder = _uv(), self._template_folder
        python = folder / "bin/python"
        with self._making:
            if not (folder / _READY).exists():
                self._make(owner, uv, folder, python)
        return str(python)

    def _make(self, owner: Ref, uv: str, folder: Path, python: Path) -> None:
        if self._failure and time.monotonic() - self._failure[0] < RETRY:
            raise self._failure[1]
        discard(folder)
        try:
            _say(owner, uv, "venv", "--no-project", "--python", sys.executable, str(folder))
            _install(owner, uv, python, f"ipykernel=={_own_ipykernel()}")
        except StartFailedError as error:
            self._failure = (time.monotonic(), error)
            raise
        (folder / _READY).touch()


def meant(source: str, *, isolated: bool) -> str:
    """What stands for `source` here: the default of every client works everywhere. Blocks."""
    return "" if source == PREWARMED and (isolated or _found_uv() is None) else source


def packages_in(metadata: Mapping[str, object]) -> tuple[str, ...]:
    """The packages that a notebook's metadata names: `{"uv": {"dependencies": […]}}`.

    Also below `runt`, where runtimed writes them.
    """
    try:
        said = msgspec.convert(metadata, _Metadata)
    except msgspec.ValidationError:
        return ()
    return (said.uv or said.runt.uv or _Packages()).dependencies


class _Packages(msgspec.Struct, frozen=True):
    dependencies: tuple[str, ...] = ()


class _Runt(msgspec.Struct, frozen=True):
    uv: _Packages | None = None


class _Metadata(msgspec.Struct, frozen=True):
    uv: _Packages | None = None
    runt: _Runt = _Runt()


def lay_over(environment: Environment, prefix: Path, owner: Ref) -> None:
    """Make the virtual environment `prefix` with all that `environment` has. Blocks.

    Raises `StartFailedError` with what uv said.
    """
    uv = _uv()
    _say(owner, uv, "venv", "--no-project", "--python", environment.python, str(prefix))
    line = f"import site; site.addsitedir({environment.beneath!r})\n"
    (_packages_of(prefix) / "_sandbox_tui_template.pth").write_text(line)
    if environment.wanted:
        _install(owner, uv, prefix / "bin/python", *environment.wanted)


def _packages_of(prefix: Path) -> Path:
    [packages] = prefix.glob("lib/python*/site-packages")
    return packages


def _borrowed(error: SandboxError) -> Environment:
    """Over the packages of this program, which needs no network."""
    found = importlib.util.find_spec("ipykernel")
    if found is None or found.origin is None:
        raise error
    beneath = str(Path(found.origin).parents[1])
    said = " ".join(error.message.split())
    remark = f"it shares the packages of sandbox-tui, ipykernel could not be installed: {said}"
    return Environment(python=sys.executable, overlaid=True, beneath=beneath, remark=remark)


def _at(source: str) -> Environment:
    """The virtual environment at a path; conda's are made alike."""
    python = Path(source).expanduser() / "bin/python"
    if not python.is_file():
        known = ", ".join(BY_UV)
        reason = f"{source!r} is none of {known}, and no virtual environment is there"
        raise InvalidSpecError("env_source", reason)
    if not _has_ipykernel(str(python), python.stat().st_ino):
        install = f"{python} -m pip install ipykernel"
        raise ToolMissingError("room", f"ipykernel in {source}", install=install)
    return Environment(python=str(python))


@functools.lru_cache(maxsize=64)
def _finds_ipykernel(python: str, _: int) -> bool:
    """Cached for what has it: nobody takes it out again."""
    command = [python, "-c", _HAS_IPYKERNEL]
    done = subprocess.run(command, capture_output=True, timeout=_CHECKS, check=False)
    if done.returncode:
        raise LookupError(python)
    return True


def _has_ipykernel(python: str, inode: int) -> bool:
    try:
        return _finds_ipykernel(python, inode)
    except (LookupError, OSError, subprocess.TimeoutExpired):
        return False


def _names(packages: tuple[str, ...]) -> tuple[str, ...]:
    for package in packages:
        if package.startswith("-"):
            raise InvalidSpecError("env_source", f"{package!r} is no package")
    return packages


def _project(working_dir: str | None) -> Path:
    start = Path(working_dir or Path.cwd()).resolve()
    files = (folder / "pyproject.toml" for folder in (start, *start.parents))
    file = next(filter(Path.is_file, files), None)
    if file is None:
        raise InvalidSpecError("env_source", f"no pyproject.toml in {start} or above")
    return file


def _found_uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _uv() -> str:
    found = _found_uv()
    if found is None:
        raise ToolMissingError("room", "uv", install=f"{sys.executable} -m pip install uv")
    return found


def _own_ipykernel() -> str:
    try:
        return importlib.metadata.version("ipykernel")
    except importlib.metadata.PackageNotFoundError:
        install = f"{sys.executable} -m pip install ipykernel"
        raise ToolMissingError("room", "ipykernel", install=install) from None


def _install(owner: Ref, uv: str, python: Path, *wanted: str) -> None:
    _say(owner, uv, "pip", "install", "--compile-bytecode", "--python", str(python), *wanted)


def _say(owner: Ref, uv: str, *arguments: str) -> None:
    """Run uv. What it says of a failure is the reason."""
    command = [uv, "--quiet", "--no-progress", "--color", "never", *arguments]
    env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    try:
        subprocess.run(
            command, env=env, check=True, capture_output=True, timeout=INSTALLS, text=True
        )
    except subprocess.CalledProcessError as error:
        raise _refusal(owner, str(error.stderr)) from error
    except subprocess.TimeoutExpired as error:
        raise _refusal(owner, f"uv was not done within {INSTALLS:g} s") from error


def _refusal(owner: Ref, said: str) -> SandboxError:
    return StartFailedError(owner, said.strip() or "uv failed", hint="Correct what uv names.")
