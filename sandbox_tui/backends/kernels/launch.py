"""From the name of a kernel to its process: command line, environment, sockets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sandbox_tui.backends.kernels.connection import write_connection
from sandbox_tui.backends.kernels.environments import Environment, lay_over
from sandbox_tui.backends.kernels.kernelspecs import KernelSpec, find_spec
from sandbox_tui.backends.kernels.process import stat
from sandbox_tui.backends.kernels.records import KernelRecord, Records, discard, new_id
from sandbox_tui.backends.kernels.zygote import Order, inherited
from sandbox_tui.model.errors import InvalidSpecError, SandboxError, StartFailedError
from sandbox_tui.model.refs import Ref

LONGEST_PATH = 106
"""Bytes that the path of a Unix socket may have."""

OWN_PYTHON = "python"
"""The kernel that needs no kernelspec: ipykernel in the interpreter of its environment."""

NOBODY = Ref("room:ready")
"""For whom a kernel runs that only stands by."""

ISOLATIONS = ("none", "container", "container+network")
"""What a kernel may be shut in."""

PROGRAM = Path(__file__).with_name("python_kernel.py")

_EARLY = ("PYTHON", "LD_", "MALLOC_", "OMP_", "MKL_", "OPENBLAS_")
"""How environment variables begin that are read once, when a process or a library starts."""


class KernelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which kernel to launch, for whom, and where."""

    owner: Ref
    kernel: str = OWN_PYTHON
    working_dir: str | None = None
    """Not for an isolated kernel: it has a home of its own, and sees no folder of this machine."""
    env: Mapping[str, str] = {}
    env_source: str = ""
    """See `environments`."""
    packages: tuple[str, ...] = ()
    """What the notebook's metadata names, for `uv:inline`."""
    isolation: str = ""
    """One of `ISOLATIONS`; empty is the host's default."""
    ready: bool = False
    """It is to stand by; `owner` is nobody."""

    @property
    def needs_fresh_process(self) -> bool:
        """Whether its variables come too late for an interpreter that runs already."""
        return any(name.startswith(_EARLY) for name in self.env)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a process that is about to start: its folder and its log are there."""

    id: str
    request: KernelRequest
    argv: tuple[str, ...]
    """With interpreter and program, for a process of its own."""
    env: Mapping[str, str]
    """Over what it inherits."""
    connection: Path
    log: Path
    prefix: str = ""
    """The virtual environment that is this kernel's own."""
    interrupt_by_message: bool = False
    remark: str = ""
    """See `KernelRecord.remark`."""

    @property
    def order(self) -> Order:
        """The same for a zygote, which is interpreter and program already."""
        return Order(
            options=self.argv[2:],
            log=str(self.log),
            env=self.env,
            working_dir=self.request.working_dir,
            prefix=self.prefix,
            ready=self.request.ready,
        )

    def record(self, pid: int) -> KernelRecord:
        """What is written down of the process once it runs."""
        found = stat(pid)
        return KernelRecord(
            id=self.id,
            owner=self.request.owner,
            kernel=self.request.kernel,
            pid=pid,
            started=found.started if found else 0,
            connection_file=str(self.connection),
            log=str(self.log),
            interrupt_by_message=self.interrupt_by_message,
            ready=self.request.ready,
            remark=self.remark,
        )


def prepare(
    request: KernelRequest, environment: Environment | None, runtime: Path, records: Records
) -> Plan:
    """Folder, connection file, log, and perhaps an environment of its own. Blocks.

    Raises `InvalidSpecError` or `StartFailedError`; nothing is left behind then.
    """
    spec = find_spec(request.kernel) if environment is None else _python(environment)
    kernel_id = new_id()
    folder = new_folder(runtime, kernel_id)
    log = records.log_of(kernel_id)
    prefix = records.environment_of(kernel_id)
    try:
        log.touch(0o600)
        connection = _connection(folder, spec, request.kernel)
        own = {**spec.env, **request.env}
        if environment is not None and environment.overlaid:
            lay_over(environment, prefix, request.owner)
            spec = _python(environment, prefix)
            own = {**_inside(prefix), **own}
    except (OSError, SandboxError) as error:
        discard(folder, log, prefix)
        raise _failed(request, error) from error
    return Plan(
        id=kernel_id,
        request=request,
        argv=_argv(spec, connection),
        env=own,
        connection=connection,
        log=log,
        prefix=str(prefix) if prefix.exists() else "",
        interrupt_by_message=spec.interrupt_by_message,
        remark=environment.remark if environment else "",
    )


def spawn(plan: Plan, records: Records) -> KernelRecord:
    """Start the process and write it down. Raises `StartFailedError`; nothing is left then."""
    with plan.log.open("ab") as output:
        try:
            process = subprocess.Popen(
                plan.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=plan.request.working_dir,
                env={**inherited(), **plan.env},
                start_new_session=True,
            )
        except OSError as error:
            abandon(plan, records)
            raise StartFailedError(plan.request.owner, str(error)) from error
    process.returncode = 0  # it is waited for by its pidfd, and may well outlive this program
    return written(plan, process.pid, records)


def written(plan: Plan, pid: int, records: Records) -> KernelRecord:
    """Write down the process that `plan` has become."""
    record = plan.record(pid)
    records.write(record)
    return record


def abandon(plan: Plan, records: Records) -> None:
    """Remove what was prepared."""
    discard(plan.connection.parent, plan.log, records.environment_of(plan.id))


def checked_folder(wanted: str | None) -> str | None:
    """The folder to work in. Raises `InvalidSpecError` when nobody can."""
    if wanted is None:
        return None
    folder = Path(wanted).expanduser()
    if not folder.is_dir():
        raise InvalidSpecError("working_dir", f"no such folder: {wanted}")
    if not os.access(folder, os.X_OK):
        raise InvalidSpecError("working_dir", f"not allowed: {wanted}")
    return str(folder)


def new_folder(runtime: Path, kernel_id: str) -> Path:
    """A folder for this kernel and user only, short enough for the addresses of its sockets."""
    folder = runtime / kernel_id
    if len(os.fsencode(folder / "inside/s-1")) > LONGEST_PATH:
        folder = Path("/tmp", f"sandbox-tui-{kernel_id}")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    return folder


def _failed(request: KernelRequest, error: OSError | SandboxError) -> SandboxError:
    if isinstance(error, SandboxError):
        return error
    return StartFailedError(request.owner, str(error))


def _python(environment: Environment, prefix: Path | None = None) -> KernelSpec:
    python = str(prefix / "bin/python") if prefix else environment.python
    argv = (python, str(PROGRAM), "-f", "{connection_file}")
    return KernelSpec(argv=argv, language="python")


def _inside(prefix: Path) -> dict[str, str]:
    """What activating a virtual environment sets."""
    path = os.environ.get("PATH", os.defpath)
    return {"VIRTUAL_ENV": str(prefix), "PATH": f"{prefix / 'bin'}{os.pathsep}{path}"}


def _connection(folder: Path, spec: KernelSpec, name: str) -> Path:
    path = folder / "connection.json"
    sockets = folder / "s" if spec.language == "python" else None
    write_connection(path, sockets=sockets, kernel_name=name)
    return path


def _argv(spec: KernelSpec, connection: Path) -> tuple[str, ...]:
    values = {
        "connection_file": str(connection),
        "resource_dir": spec.resource_dir,
        "prefix": sys.prefix,
    }
    argv = [_filled(word, values) for word in spec.argv]
    if argv[0] in ("python", "python3"):  # what pip installs: the interpreter it was put into
        argv[0] = sys.executable
    return tuple(argv)


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word
