"""Names, signatures, defaults and errors of the containers' two faces."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import pytest

from sandbox_tui.api import containers, containers_async
from sandbox_tui.api.containers_async import wishes
from sandbox_tui.api.containers_async.errors import translated
from sandbox_tui.api.containers_async.languages import command_of
from sandbox_tui.model import errors
from sandbox_tui.model.errors import InvalidSpecError, NotFoundError, NotRunningError, SandboxError
from sandbox_tui.model.specs import IDLING, WAITING

PAIRS = {
    "Container": "AsyncContainer",
    "Session": "AsyncSession",
    "ExecStream": "AsyncExecStream",
    "Process": "AsyncProcess",
}
OF_THE_PAGE = {
    "image": "pocketdock/minimal-python",
    "name": None,
    "timeout": 30,
    "mem_limit": None,
    "cpu_percent": None,
    "persist": False,
    "volumes": None,
    "project": None,
    "profile": None,
    "devices": None,
    "ports": None,
}


def public(face: type) -> set[str]:
    """What a class offers of its own."""
    own = {name for base in face.__mro__ for name in vars(base) if not name.startswith("_")}
    return own - {"sandbox"}


def test_both_faces_have_the_same_names() -> None:
    assert {PAIRS.get(name, name) for name in containers.__all__} == set(containers_async.__all__)
    assert all(getattr(containers, name) for name in containers.__all__)


@pytest.mark.parametrize("name", PAIRS)
def test_the_twins_have_the_same_members_and_signatures(name: str) -> None:
    mine, twin = getattr(containers, name), getattr(containers_async, PAIRS[name])
    assert public(mine) == public(twin)
    for member in public(mine):
        one, other = vars(mine)[member], vars(twin)[member]
        assert isinstance(one, property) == isinstance(other, property)
        if callable(one):
            ours, theirs = inspect.signature(one), inspect.signature(other)
            assert list(ours.parameters) == list(theirs.parameters), member
            for each, parameter in ours.parameters.items():
                assert parameter.default == theirs.parameters[each].default
                assert parameter.kind == theirs.parameters[each].kind


def test_the_functions_have_the_same_signatures_and_those_of_the_page() -> None:
    for name in containers.__all__:
        one, other = getattr(containers, name), getattr(containers_async, PAIRS.get(name, name))
        if inspect.isfunction(one):
            assert inspect.signature(one) == inspect.signature(other)
    made = inspect.signature(containers.create_new_container).parameters
    assert {name: made[name].default for name in OF_THE_PAGE} == OF_THE_PAGE
    assert list(made)[: len(OF_THE_PAGE)] == list(OF_THE_PAGE)
    assert {each.kind for each in made.values()} == {inspect.Parameter.KEYWORD_ONLY}
    run = inspect.signature(containers.Container.run).parameters
    assert {name: run[name].default for name in list(run)[2:]} == {
        "stream": False,
        "detach": False,
        "timeout": None,
        "max_output": 10_485_760,
        "lang": None,
    }


def test_the_fields_of_what_is_answered() -> None:
    fields = {
        containers.ExecResult: "exit_code stdout stderr duration_ms timed_out truncated",
        containers.StreamChunk: "stream data",
        containers.BufferSnapshot: "stdout stderr",
        containers.ContainerInfo: "id name status image created_at started_at uptime memory_usage"
        " memory_limit memory_percent cpu_percent pids network ip_address ports processes",
        containers.ContainerListItem: "id name status image created_at persist project",
        containers.ProfileInfo: "name image_tag dockerfile_dir network_default description"
        " size_estimate",
        containers.DoctorReport: "orphaned_containers stale_instance_dirs healthy",
    }
    for kind, names in fields.items():
        own = [field.name for field in dataclasses.fields(kind)]
        assert own[: len(names.split())] == names.split()
    assert containers.ExecResult(0).ok
    assert not containers.ExecResult(1).ok
    assert not containers.ExecResult(0, timed_out=True).ok


def test_importing_them_loads_nothing_heavy() -> None:
    code = (
        "import sys, sandbox_tui.api.containers, sandbox_tui.api.containers_async;"
        "assert not {'docker', 'libtmux', 'textual', 'click', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_errors_have_the_names_of_their_family() -> None:
    assert containers.PocketDockError is SandboxError
    for name in ("SocketError", "SocketConnectionError", "PodmanNotRunning"):
        assert getattr(containers, name) is errors.BackendUnavailableError
    assert issubclass(containers.ContainerGone, containers.ContainerNotFound)
    assert issubclass(containers.ContainerNotFound, containers.ContainerError)
    with pytest.raises(containers.ContainerNotFound), translated(known=False):
        raise NotFoundError("container:web")
    with pytest.raises(containers.ContainerGone), translated(known=True):
        raise NotFoundError("container:web")
    with pytest.raises(containers.ContainerNotRunning) as raised, translated(known=True):
        raise NotRunningError("container:web", "exited")
    assert raised.value.state == "exited"
    with pytest.raises(errors.CellNotFoundError), translated(known=True):
        raise errors.CellNotFoundError("1")
    assert containers.ProjectNotInitialized().hint


def test_wishes_become_a_spec() -> None:
    spec = wishes.called(None, wishes.DEFAULT_IMAGE, "dev", None, persist=False)
    assert spec.name.startswith("box-")
    assert (spec.image, spec.profile, spec.tty, spec.init) == ("", "dev", False, True)
    assert spec.entrypoint == WAITING
    persistent = wishes.called("a", "mine", "dev", None, persist=True)
    assert (persistent.image, persistent.entrypoint) == ("mine", IDLING)
    limited = wishes.limited(spec, "1.5g", 50, 10, 2.2)
    assert (limited.memory, limited.cpus) == (int(1.5 * 1024**3), 0.5)
    assert limited.entrypoint == ("sleep", "3")
    connected = wishes.connected(spec, {"/a": "/b:ro"}, {8080: 80}, ["/dev/x"], False)
    assert (connected.volumes, connected.ports) == (("/a:/b:ro",), ("8080:80",))
    assert (connected.access.devices, connected.network) == (("/dev/x",), "none")
    assert wishes.connected(spec, None, None, None, True).network == "bridge"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("mem_limit", ("much", None, None, None)),
        ("cpu_percent", (None, 0, None, None)),
        ("idle_timeout", (None, None, -1, None)),
        ("ttl", (None, None, None, float("nan"))),
    ],
)
def test_a_wish_that_cannot_be_is_told(field: str, wrong: tuple[str | None, ...]) -> None:
    spec = wishes.called("a", "x", None, None, persist=False)
    with pytest.raises(InvalidSpecError) as raised:
        wishes.limited(spec, *wrong)  # type: ignore[arg-type]
    assert raised.value.field == field


def test_a_language_is_a_program_and_its_arguments() -> None:
    assert command_of("print(1)", "Python") == ("python3", "-c", "print(1)")
    assert command_of("ls", None) == "ls"
    with pytest.raises(InvalidSpecError, match="cobol"):
        command_of("x", "cobol")
