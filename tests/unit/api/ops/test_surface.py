"""Names, signatures, defaults and errors of the ops face, as its users know them."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import msgspec
import pytest

from sandbox_tui.api import ops
from sandbox_tui.api.ops import (
    BackendType,
    SessionConfig,
    SessionManager,
    SessionState,
    SessionStatus,
    exceptions,
)
from sandbox_tui.api.ops.config import config_of, defined_status, status_of
from sandbox_tui.api.ops.exceptions import OpsError, SessionConfigError, translated
from sandbox_tui.cli.diagnostics import exit_code_of
from sandbox_tui.model import errors
from sandbox_tui.model.errors import SandboxError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.specs import ContainerSpec, TmuxSpec
from sandbox_tui.model.world import ContainerFacts, Sandbox, State, TmuxFacts


def test_every_name_is_there_and_nothing_is_loaded_before() -> None:
    assert all(getattr(ops, name) for name in ops.__all__)
    code = (
        "import sys; import sandbox_tui.api.ops as ops;"
        "assert not {'sandbox_tui.hub', 'asyncio.base_events'} & set(sys.modules) or"
        " 'sandbox_tui.api.ops.session' not in sys.modules; ops.SessionManager;"
        "assert not {'docker', 'libtmux', 'textual', 'click'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    with pytest.raises(AttributeError):
        ops.nothing  # noqa: B018


def test_fields_and_defaults() -> None:
    assert [field.name for field in dataclasses.fields(SessionStatus)][:9] == [
        *("name", "state", "backend", "pid", "created_at"),
        *("window_count", "socket_name", "image", "exit_code"),
    ]
    assert [field.name for field in dataclasses.fields(SessionConfig)] == [
        *("name", "backend", "command", "working_dir", "env", "image"),
        *("volumes", "ports", "runtime", "log_volume", "socket_name"),
    ]
    assert SessionConfig("a") == SessionConfig("a", BackendType.TMUX, None, None, {}, None, [], [])
    assert {state.value for state in SessionState} == {
        *("running", "stopped", "exited", "defined", "unknown")
    }


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("stop", ["self", "graceful", "timeout"]),
        ("attach", ["self"]),
        ("status", ["self"]),
        ("logs", ["self", "lines"]),
        ("exists", ["self"]),
        ("is_running", ["self"]),
    ],
)
def test_methods(method: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(SessionManager, method)).parameters) == parameters


def test_a_manager_is_what_was_said() -> None:
    manager = SessionManager(
        "astro-prod",
        backend="container",
        image="astro-bot:latest",
        volumes=["./data:/app/data"],
        log_volume="./logs:/app/logs",
        ports=["8081:8080"],
        env={"ASTRO_ENV": "production"},
    )
    assert (manager.name, manager.backend) == ("astro-prod", BackendType.CONTAINER)
    assert manager.config.image == "astro-bot:latest"


@pytest.mark.parametrize(
    "options",
    [
        {"backend": "vm"},
        {"name": "a\n"},
        {"backend": "container", "image": "x y"},
        {"backend": "container", "image": "x", "ports": ["80:80\n"]},
        {"backend": "container", "image": "x", "volumes": ["nowhere"]},
        {"env": {"A B": "1"}},
        {"command": ""},
        {"nonsense": 1},
        {"socket_name": "../x"},
    ],
)
def test_what_no_session_can_be_is_refused_at_once(options: dict[str, object]) -> None:
    name = options.pop("name", "a")
    if options.get("command") == "":
        options["command"] = " "
    with pytest.raises(SessionConfigError) as caught:
        SessionManager(name, **options)  # type: ignore[arg-type]
    assert caught.value.hint


def test_numbers_are_taken_for_ports_and_values() -> None:
    config = SessionConfig(
        "a",
        BackendType.CONTAINER,
        image="x",
        ports=[8080],  # type: ignore[list-item]
        env={"PORT": 8080},  # type: ignore[dict-item]
    )
    assert config.spec == ContainerSpec(
        name="a", image="x", ports=("8080:8080",), env={"PORT": "8080"}
    )
    words = SessionConfig("a", command=["a", "b"])  # type: ignore[arg-type]
    assert words.spec == TmuxSpec(name="a", command=("a", "b"))


def test_a_definition_goes_there_and_back() -> None:
    for spec in (
        TmuxSpec(name="a", command="x", socket="work", env={"A": "1"}),
        ContainerSpec(name="b", image="x", ports=("1:1",), volumes=("/a:/b",), runtime="podman"),
        ContainerSpec(name="c", image="x", security="strict", memory=1 << 30, labels={"a": "b"}),
    ):
        assert config_of(spec).spec == spec
    other = dataclasses.replace(config_of(spec), image="y", env={"A": "1"}).spec
    assert other == msgspec.structs.replace(spec, image="y", env={"A": "1"})
    moved = dataclasses.replace(config_of(spec), backend=BackendType.TMUX, command="x").spec
    assert moved == TmuxSpec(name="c", command="x")


def box(state: State, **facts: object) -> Sandbox:
    return Sandbox(ref=Ref("container:web"), state=state, facts=ContainerFacts(**facts))  # type: ignore[arg-type]


def test_states_in_five_words_and_a_finer_one() -> None:
    told = {state: status_of(box(state)) for state in State}
    assert told[State.PAUSED].state is SessionState.STOPPED
    assert told[State.PAUSED].detail == "paused"
    assert told[State.STARTING].detail == "starting"
    assert told[State.FAILED].state is SessionState.EXITED
    assert told[State.RUNNING].detail == ""
    assert {one.state for one in told.values()} == set(SessionState)


def test_a_status_has_what_its_kind_has() -> None:
    facts = TmuxFacts(windows=3, exit_code=2)
    seen = Sandbox(ref=Ref("tmux:a@work"), state=State.EXITED, facts=facts, created_at=1.6, pid=7)
    assert status_of(seen) == SessionStatus(
        "a", SessionState.EXITED, BackendType.TMUX, 7, "2", 3, "work", None, 2
    )
    assert status_of(box(State.RUNNING, image="x:1")).image == "x:1"
    assert defined_status(SessionConfig("a", image="y")).state is SessionState.DEFINED


LEAVES = [
    (exceptions.BackendNotFoundError, ("datum",), 4),
    (exceptions.TmuxNotFoundError, ("datum",), 4),
    (exceptions.ContainerRuntimeNotFoundError, ("datum",), 4),
    (exceptions.SessionExistsError, ("datum", "tmux"), 1),
    (exceptions.SessionNotFoundError, ("datum", "tmux"), 3),
    (exceptions.SessionStartError, ("datum", "tmux", "why"), 1),
    (exceptions.SessionStopError, ("datum", "tmux", "why"), 1),
    (exceptions.SessionAttachError, ("datum", "tmux", "why"), 1),
    (exceptions.SessionAmbiguousError, ("datum", ["tmux:datum", "container:datum"]), 2),
    (exceptions.SessionConfigError, ("datum",), 2),
]


@pytest.mark.parametrize(("leaf", "data", "code"), LEAVES, ids=lambda part: str(part)[:40])
def test_every_error_has_its_datum_a_hint_and_an_exit_code(
    leaf: type[OpsError], data: tuple[object, ...], code: int
) -> None:
    error = leaf(*data)  # type: ignore[arg-type]
    if leaf is SessionConfigError:
        error = leaf("datum", hint="Do that.")
    assert isinstance(error, OpsError)
    assert "datum" in str(error)
    assert error.hint
    assert exit_code_of(error) == code


def test_a_missing_backend_is_a_missing_file() -> None:
    assert issubclass(exceptions.TmuxNotFoundError, FileNotFoundError)
    assert issubclass(exceptions.ContainerRuntimeNotFoundError, FileNotFoundError)


@pytest.mark.parametrize(
    ("raised", "wanted"),
    [
        (errors.NotFoundError("x"), exceptions.SessionNotFoundError),
        (errors.AlreadyExistsError("tmux:x"), exceptions.SessionExistsError),
        (errors.DefinitionChangedError("tmux:x"), exceptions.SessionExistsError),
        (errors.AmbiguousNameError("x", ["a", "b"]), exceptions.SessionAmbiguousError),
        (errors.InvalidSpecError("env", "no"), exceptions.SessionConfigError),
        (errors.ConfigError("f.yml", "no", line=3), exceptions.SessionConfigError),
        (errors.ToolMissingError("tmux", "tmux"), exceptions.TmuxNotFoundError),
        (errors.StartFailedError("tmux:x", "no"), exceptions.SessionStartError),
        (errors.OperationFailedError("tmux:x", "stop", "no"), exceptions.SessionStopError),
        (errors.DeadlineError("stop", 2.0), exceptions.SessionStopError),
        (errors.TerminalNeededError("attach"), exceptions.SessionAttachError),
        (errors.NotRunningError("tmux:x", "exited"), exceptions.SessionAttachError),
    ],
    ids=lambda part: type(part).__name__,
)
def test_errors_of_the_hub_become_ours(raised: SandboxError, wanted: type[OpsError]) -> None:
    reasoned = {exceptions.SessionStopError, exceptions.SessionAttachError}
    failed = wanted if wanted in reasoned else exceptions.SessionStartError
    with pytest.raises(wanted) as caught, translated(Kind.TMUX, "x", failed):  # type: ignore[arg-type]
        raise raised
    assert caught.value.__cause__ is raised
