"""What is there, as one cheap listing tells it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable

import pytest

from sandbox_tui.backends.containers.backend import ContainerBackend
from sandbox_tui.model.errors import NotFoundError
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import ContainerFacts, Sandbox, State
from tests.integration.containers.conftest import Outside, on_docker
from tests.integration.containers.peers import Answer, Peer, reply
from tests.support import retry_until_async


async def look(backend: ContainerBackend, name: str) -> Sandbox:
    ref = Ref.make(Kind.CONTAINER, name, backend.place.where)
    return next(box for box in await backend.poll() if box.ref == ref)


async def until(backend: ContainerBackend, name: str, *states: State) -> Sandbox:
    async def there() -> Sandbox | None:
        box = await look(backend, name)
        return box if box.state in states else None

    box = await retry_until_async(there, timeout=10)
    assert box is not None
    return box


async def test_a_running_one_is_told_with_its_facts(
    backend: ContainerBackend, outside: Outside
) -> None:
    ports = {"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}}
    name = outside.run(
        "sleep", "1000", host=ports, ExposedPorts={"80/tcp": {}}, Labels={"team": "[/red]x"}
    )
    box = await until(backend, name, State.RUNNING)
    facts, known = box.facts, await backend.inspect(box.ref)

    assert isinstance(facts, ContainerFacts)
    assert facts.container_id == known["Id"]
    assert facts.runtime == outside.engine.kind
    assert facts.image == box.title and "busybox" in facts.image
    assert facts.ports[0].startswith("127.0.0.1:") and facts.ports[0].endswith("->80/tcp")
    assert box.labels["team"] == "[/red]x"
    assert (box.managed, facts.exit_code, box.detail) == (False, None, "")
    state = known["State"]
    assert isinstance(state, dict) and box.pid == state["Pid"]


@pytest.mark.parametrize(
    ("script", "state", "code", "detail"),
    [
        ("exit 0", State.EXITED, 0, ""),
        ("exit 3", State.FAILED, 3, ""),
        ("kill -KILL $$", State.FAILED, 137, "signal 9"),
    ],
)
async def test_an_ended_one_is_told_by_how_it_ended(
    backend: ContainerBackend,
    outside: Outside,
    script: str,
    state: State,
    code: int,
    detail: str,
) -> None:
    box = await until(backend, outside.shell(script), State.EXITED, State.FAILED)

    assert (box.state, box.exit_code, box.detail, box.pid) == (state, code, detail, None)


@on_docker
async def test_what_the_kernel_ended_for_its_memory_says_so(
    backend: ContainerBackend, outside: Outside
) -> None:
    hungry = "head -c 100000000 /dev/zero | tail"
    # The engine may learn of it after the end, and then says so with an event.
    backend.listen(lambda: None)
    name = outside.shell(hungry, host={"Memory": 8_000_000})
    box = await until(backend, name, State.FAILED)

    async def told() -> bool:
        return (await look(backend, name)).detail == "OOM killed"

    await retry_until_async(told)
    assert box.exit_code == 137


async def test_others_are_told_apart(backend: ContainerBackend, outside: Outside) -> None:
    created, paused = outside.make("true"), outside.run("sleep", "1000")
    outside.client.pause(paused)

    box = await look(backend, created)
    assert (box.state, box.detail, box.exit_code) == (State.STOPPED, "created, never started", None)
    assert (await until(backend, paused, State.PAUSED)).pid


@on_docker
async def test_one_that_starts_again_and_again_says_so(
    backend: ContainerBackend, outside: Outside
) -> None:
    name = outside.shell("exit 2", host={"RestartPolicy": {"Name": "always"}})
    box = await until(backend, name, State.STARTING)

    assert isinstance(box.facts, ContainerFacts)
    assert box.facts.restarting


@on_docker
async def test_what_is_unchanged_stays_the_same_object(
    backend: ContainerBackend, outside: Outside
) -> None:
    first = outside.run("sleep", "1000")
    await until(backend, first, State.RUNNING)

    async def is_the_same() -> bool:
        before = await backend.poll()
        return await backend.poll() is before

    # Others may use the same engine.
    await retry_until_async(is_the_same)
    before = await backend.poll()

    second = outside.run("sleep", "1000")
    await until(backend, second, State.RUNNING)
    after = await backend.poll()
    assert after is not before
    (kept,) = [box for box in before if box.ref.name == first]
    assert any(box is kept for box in after)


async def test_a_name_is_only_ever_a_name(backend: ContainerBackend, outside: Outside) -> None:
    name = outside.run("sleep", "1000")
    box = await until(backend, name, State.RUNNING)
    assert isinstance(box.facts, ContainerFacts)

    for other in (name[:-1], box.facts.container_id[:12], box.facts.image, "bridge"):
        with pytest.raises(NotFoundError):
            await backend.stop(Ref.make(Kind.CONTAINER, other))
    with pytest.raises(NotFoundError) as caught:
        await backend.inspect(Ref.make(Kind.CONTAINER, name[:-1]))
    assert name in caught.value.hint


# --- an engine that says what it is told to ----------------------------------------------------

Say = Callable[[list[dict[str, object]]], None]


def listed(name: str, **fields: object) -> dict[str, object]:
    return {"Id": name.ljust(64, "0"), "Names": [f"/{name}"], "Image": "i", "Created": 7, **fields}


@pytest.fixture
async def told(
    peer: Callable[[dict[str, Answer]], Peer],
) -> AsyncIterator[tuple[ContainerBackend, Say]]:
    """A backend, and how to say what its engine lists."""
    engine = peer({})
    backend = ContainerBackend(engine.url, patience=2)

    def say(containers: list[dict[str, object]]) -> None:
        engine.answers["/containers/json"] = reply(json.dumps(containers).encode())

    yield backend, say
    await backend.aclose()


@pytest.mark.parametrize(
    ("state", "status", "expected", "health"),
    [
        ("running", "Up 3 hours (healthy)", State.RUNNING, "healthy"),
        ("running", "Up 3 hours (unhealthy)", State.RUNNING, "unhealthy"),
        ("running", "Up 1 second (health: starting)", State.RUNNING, "starting"),
        ("paused", "Up 3 hours (Paused)", State.PAUSED, ""),
        ("restarting", "Restarting (1) 5 seconds ago", State.STARTING, ""),
        ("exited", "Exited (0) 2 days ago", State.EXITED, ""),
        ("exited", "Exited (255) 2 days ago", State.FAILED, ""),
        ("created", "Created", State.STOPPED, ""),
        ("removing", "Removal In Progress", State.STOPPED, ""),
        ("dead", "Dead", State.FAILED, ""),
        ("levitating", "", State.UNKNOWN, ""),
    ],
)
async def test_states_in_the_engines_words(
    told: tuple[ContainerBackend, Say], state: str, status: str, expected: State, health: str
) -> None:
    backend, say = told
    say([listed("web", State=state, Status=status)])
    (box,) = await backend.poll()

    assert box.state is expected
    assert isinstance(box.facts, ContainerFacts)
    assert box.facts.health == health


async def test_the_clock_in_the_listing_is_no_change(told: tuple[ContainerBackend, Say]) -> None:
    backend, say = told
    say([listed("web", State="exited", Status="Exited (0) 2 minutes ago")])
    before = await backend.poll()
    say([listed("web", State="exited", Status="Exited (0) 3 minutes ago")])
    assert await backend.poll() is before

    say([listed("web", State="exited", Status="Exited (1) 1 second ago")])
    (after,) = await backend.poll()
    assert after.exit_code == 1


async def test_the_order_of_ports_is_no_change(told: tuple[ContainerBackend, Say]) -> None:
    backend, say = told
    ports = [{"PrivatePort": 80, "Type": "tcp"}, {"PrivatePort": 9, "Type": "udp"}]
    say([listed("web", State="created", Ports=ports)])
    before = await backend.poll()
    say([listed("web", State="created", Ports=ports[::-1])])

    assert await backend.poll() is before


async def test_odd_entries_are_taken_as_they_are(told: tuple[ContainerBackend, Say]) -> None:
    backend, say = told
    say(
        [
            listed("a", Names=["/other/link", "/a"], Labels=None, Ports=None, Command=None),
            listed("b", Names=None),
            listed("c", Ports=[{"IP": "::", "PrivatePort": 1, "PublicPort": 2, "Type": "tcp"}]),
        ]
    )
    a, b, c = await backend.poll()

    assert (a.ref.name, b.ref.name) == ("a", "b".ljust(12, "0"))
    assert c.facts.ports == ("[::]:2->1/tcp",)  # type: ignore[union-attr]


async def test_details_are_asked_for_once(
    peer: Callable[[dict[str, Answer]], Peer],
) -> None:
    body = json.dumps([listed("web", State="running", Status="Up 1 second")]).encode()
    state = b'{"State": {"Running": true, "Pid": 42}}'
    engine = peer({"/containers/json": reply(body), f"{'web'.ljust(64, '0')}/json": reply(state)})
    backend = ContainerBackend(engine.url, patience=2)
    for _ in range(3):
        (box,) = await backend.poll()

    assert box.pid == 42
    assert len([path for path in engine.asked if path.endswith("0/json")]) == 1
    await backend.aclose()
