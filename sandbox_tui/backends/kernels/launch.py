"""From the name of a kernel to its process: command line, environment, sockets."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.connection import write_connection
from sandbox_tui.backends.kernels.kernelspecs import KernelSpec, find_spec
from sandbox_tui.backends.kernels.process import stat
from sandbox_tui.backends.kernels.records import KernelRecord, Records, new_id
from sandbox_tui.model.errors import InvalidSpecError, StartFailedError, ToolMissingError
from sandbox_tui.model.refs import Ref

LONGEST_PATH = 106
"""Bytes that the path of a Unix socket may have."""

OWN_PYTHON = "python"
"""The kernel that needs no kernelspec: ipykernel in this very interpreter."""

_PROGRAM = Path(__file__).with_name("python_kernel.py")

_TUNED_FOR = range(6, 8)
"""Major versions of ipykernel whose private settings are known."""

_TUNING = ("--IPythonKernel._execute_sleep=0", "--HistoryManager.enabled=False")
"""Half a millisecond less per cell, and no SQLite file that several kernels wait for."""

_NOT_INHERITED = frozenset({"JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTHONEXECUTABLE"})
"""What would tie a kernel to the notebook that this program may itself run in."""

_QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
"""Keeps the debugger's warnings about frozen modules out of the first cell."""


class KernelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which kernel to launch, for whom, and where."""

    owner: Ref
    kernel: str = OWN_PYTHON
    working_dir: str | None = None
    env: Mapping[str, str] = {}


def launch(request: KernelRequest, runtime: Path, records: Records) -> KernelRecord:
    """Start the process and write it down; does not wait for its first word.

    Raises `InvalidSpecError` or `StartFailedError`; nothing is left behind then. Blocks for some
    milliseconds.
    """
    spec = _spec(request.kernel)
    working_dir = _working_dir(request.working_dir)
    kernel_id = new_id()
    folder = _folder(runtime, kernel_id)
    log = records.log_of(kernel_id)
    try:
        connection = _connection(folder, spec, request.kernel)
        env = {**spec.env, **request.env}
        pid = _spawn(_argv(spec, connection), env, working_dir, log)
    except OSError as error:
        shutil.rmtree(folder)
        log.unlink(missing_ok=True)
        raise StartFailedError(request.owner, str(error)) from error
    found = stat(pid)
    record = KernelRecord(
        id=kernel_id,
        owner=request.owner,
        kernel=request.kernel,
        pid=pid,
        started=found.started if found else 0,
        connection_file=str(connection),
        log=str(log),
        interrupt_by_message=spec.interrupt_by_message,
    )
    records.write(record)
    return record


def _spec(name: str) -> KernelSpec:
    if name != OWN_PYTHON:
        spec = find_spec(name)
        if spec.provisioner not in ("", "local-provisioner"):
            reason = f"{name} wants to be launched by {spec.provisioner}; only processes are"
            raise InvalidSpecError("kernel", reason)
        return spec
    argv = (sys.executable, str(_PROGRAM), "-f", "{connection_file}", *_tuning())
    return KernelSpec(argv=argv, language="python")


def _tuning() -> tuple[str, ...]:
    try:
        version = importlib.metadata.version("ipykernel")
    except importlib.metadata.PackageNotFoundError:
        install = f"{sys.executable} -m pip install ipykernel"
        raise ToolMissingError("room", "ipykernel", install=install) from None
    return _TUNING if int(version.partition(".")[0]) in _TUNED_FOR else ()


def _working_dir(wanted: str | None) -> str | None:
    if wanted is None:
        return None
    folder = Path(wanted).expanduser()
    if not folder.is_dir():
        raise InvalidSpecError("working_dir", f"no such folder: {wanted}")
    return str(folder)


def _folder(runtime: Path, kernel_id: str) -> Path:
    """A folder for this kernel and user only, short enough for the addresses of its sockets."""
    folder = runtime / kernel_id
    if len(os.fsencode(folder / "s-1")) > LONGEST_PATH:
        return Path(tempfile.mkdtemp(prefix="sandbox-tui-", dir="/tmp"))
    runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    return folder


def _connection(folder: Path, spec: KernelSpec, name: str) -> Path:
    path = folder / "connection.json"
    sockets = folder / "s" if spec.language == "python" else None
    write_connection(path, sockets=sockets, kernel_name=name)
    return path


def _argv(spec: KernelSpec, connection: Path) -> list[str]:
    values = {
        "connection_file": str(connection),
        "resource_dir": spec.resource_dir,
        "prefix": sys.prefix,
    }
    argv = [_filled(word, values) for word in spec.argv]
    if argv[0] in ("python", "python3"):  # what pip installs: the interpreter it was put into
        argv[0] = sys.executable
    return argv


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


def _spawn(argv: list[str], env: Mapping[str, str], working_dir: str | None, log: Path) -> int:
    inherited = {key: value for key, value in os.environ.items() if key not in _NOT_INHERITED}
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=working_dir,
            env={**_QUIET, **inherited, **env},
            start_new_session=True,
        )
    process.returncode = 0  # it is waited for by its pidfd, and may well outlive this program
    return process.pid
