"""`/v1` over real rooms: the world, actions, runs, cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.http.conftest import Served
from tests.support import retry_until

LAB = "room:lab"
EXECUTE = "/v1/sandboxes/lab/execute"
AS_JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def _lab(server: Served) -> None:
    """A room with a kernel and without cells."""
    with server.client() as http:
        http.post("/v1/rooms", json={"name": "lab"})
        for entry in http.get("/v1/rooms/lab").json()["cells"]:
            http.delete(f"/v1/rooms/lab/cells/{entry['cell']['id']}")


def perform(http: httpx.Client, kind: str, **fields: Any) -> httpx.Response:
    """Ask for an action."""
    return http.post("/v1/actions", json={"type": kind, **fields})


def ended(http: httpx.Client, execution_id: str) -> Any:
    """A run when it has ended."""

    def done() -> Any:
        run = http.get(f"/v1/executions/{execution_id}").json()
        return run if run["status"] == "done" else None

    return retry_until(done, 10)


@contextmanager
def listening(http: httpx.Client, method: str, path: str, **more: Any) -> Iterator[Iterator[Any]]:
    """The events of a stream: name, data, id."""
    headers = {"accept": "text/event-stream", **more.pop("headers", {})}
    with http.stream(method, path, headers=headers, **more) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _events(response)


def _events(response: httpx.Response) -> Iterator[tuple[str, Any, str]]:
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line.startswith(":"):
            continue
        if not line and fields:
            yield fields["event"], json.loads(fields["data"]), fields.get("id", "")
            fields = {}
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value


# --- the world --------------------------------------------------------------------------------


def test_the_world_has_an_etag(http: httpx.Client) -> None:
    def same() -> bool:
        tag = http.get("/v1/world").headers["etag"]
        return http.get("/v1/world", headers={"if-none-match": tag}).status_code == 304

    retry_until(same)
    world = http.get("/v1/world").json()
    assert LAB in [box["ref"] for box in world["sandboxes"]]
    tag = http.get("/v1/world").headers["etag"]
    http.post("/v1/rooms", json={"name": "other"})
    http.delete("/v1/rooms/other")
    assert http.get("/v1/world", headers={"if-none-match": tag}).status_code == 200


def test_events_tell_each_change_and_go_on_where_they_were(http: httpx.Client) -> None:
    with listening(http, "GET", "/v1/events") as events:
        name, world, last = next(events)
        assert (name, world["health"][0]["ok"]) == ("world", True)
        http.post("/v1/rooms/lab/cells", json={"source": "1"})
        changed = next(event for event in events if _cells(event[1]) == 1)
        assert changed[2] != last
    http.post("/v1/rooms/lab/cells", json={"source": "2"})
    again = {"last-event-id": changed[2]}
    with listening(http, "GET", "/v1/events", headers=again) as events:
        assert next(event for event in events if _cells(event[1]) == 2)[2] != changed[2]


def _cells(world: Any) -> int:
    return next(box["facts"]["cells"] for box in world["sandboxes"] if box["ref"] == LAB)


def test_one_sandbox(http: httpx.Client) -> None:
    for name in ("lab", LAB):
        assert http.get(f"/v1/sandboxes/{name}").json()["ref"] == LAB
    assert http.get("/v1/sandboxes/lab/details").json()["spec"]["name"] == "lab"
    assert http.get("/v1/sandboxes/lab/vitals").json()["memory"] > 1_000_000
    assert http.get("/v1/sandboxes/lab/screen").json() is None


# --- actions and runs -------------------------------------------------------------------------


def test_actions_answer_by_type(http: httpx.Client) -> None:
    added = perform(http, "AddCell", ref=LAB, source="6 * 7")
    assert added.status_code == 200
    cell_id = added.json()["answer"]

    begun = perform(http, "RunCell", ref=LAB, cell_id=cell_id)
    assert begun.status_code == 202
    run = ended(http, begun.json()["answer"]["id"])
    assert run["result"]["outcome"] == "ok"
    assert run["result"]["outputs"][0]["data"] == {"text/plain": "42"}

    [one] = perform(http, "RunAll", ref=LAB).json()["answer"]
    assert ended(http, one["id"])["result"]["outcome"] == "ok"
    assert perform(http, "EditCell", ref=LAB, cell_id=cell_id, source="1").status_code == 200
    assert perform(http, "RemoveCell", ref=LAB, cell_id=cell_id).status_code == 200


def test_a_cell_can_have_an_id_of_the_clients_choice(http: httpx.Client) -> None:
    wanted = {"ref": LAB, "source": "1", "cell_id": "mine"}
    assert perform(http, "AddCell", **wanted).json() == {"answer": "mine"}
    taken = perform(http, "AddCell", **wanted)
    assert (taken.status_code, taken.json()["error"]["type"]) == (409, "ConflictError")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"type": "Attach", "ref": LAB}, 400, "UnsupportedError"),
        ({"type": "Shell", "ref": LAB}, 400, "UnsupportedError"),
        ({"type": "Pause", "ref": LAB}, 400, "UnsupportedError"),
        ({"type": "Stop", "ref": "room:nobody"}, 404, "NotFoundError"),
        ({"type": "Stop", "ref": "nobody"}, 400, "InvalidNameError"),
        ({"type": "Dance", "ref": LAB}, 400, "UsageError"),
        ({"type": "Stop"}, 400, "UsageError"),
        ({"type": "Stop", "ref": LAB, "soon": True}, 400, "UsageError"),
        ({"type": "RunCell", "ref": LAB, "cell_id": "x"}, 404, "CellNotFoundError"),
        ({"type": "Start", "name": "lab", "kind": "room"}, 409, "AlreadyExistsError"),
        ([], 400, "UsageError"),
    ],
)
def test_what_is_wrong_has_one_shape(http: httpx.Client, body: Any, status: int, kind: str) -> None:
    response = http.post("/v1/actions", json=body)

    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"type", "message", "hint"}
    assert error["type"] == kind


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/rooms/nobody", 404),
        ("GET", "/v1/executions/none", 404),
        ("GET", "/v1/rooms/lab/cells/none", 404),
        ("PATCH", "/v1/world", 405),
        ("GET", "/v1/sandboxes/lab/logs?tail=x", 422),
    ],
)
def test_so_has_what_no_action_is_about(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    response = http.request(method, path)

    assert (response.status_code, set(response.json())) == (status, {"error"})


def test_a_run_streams_while_it_runs(http: httpx.Client) -> None:
    code = {"code": "import time; print('on', flush=True); time.sleep(0.3); print('off')"}
    with listening(http, "POST", f"/v1/sandboxes/{LAB}/execute", json=code) as events:
        told = list(events)

    assert [name for name, _, _ in told] == ["run", "output", "output", "run"]
    assert [data["text"] for name, data, _ in told if name == "output"] == ["on\n", "off\n"]
    assert told[-1][1]["result"]["outcome"] == "ok"
    again = f"/v1/executions/{told[0][1]['id']}"
    with listening(http, "GET", again) as events:
        assert [data["text"] for name, data, _ in events if name == "output"] == ["on\n", "off\n"]


def test_a_run_can_be_awaited(http: httpx.Client) -> None:
    run = http.post(EXECUTE, json={"code": "print(1)"}, headers=AS_JSON).json()

    [said] = run["result"]["outputs"]
    assert (said["type"], said["stream"], said["text"]) == ("text", "stdout", "1\n")


def test_who_hangs_up_ends_the_run(http: httpx.Client) -> None:
    code = {"code": "import time\ntry: time.sleep(60)\nfinally: print('ended')"}
    with listening(http, "POST", f"/v1/sandboxes/{LAB}/execute", json=code) as events:
        run = next(events)[1]
        retry_until(lambda: http.get("/v1/sandboxes/lab").json()["state"] == "busy")
    assert ended(http, run["id"])["result"]["outcome"] in ("cancelled", "error")

    with pytest.raises(httpx.ReadTimeout):
        http.post(EXECUTE, json=code, headers=AS_JSON, timeout=0.5)
    retry_until(lambda: http.get("/v1/sandboxes/lab").json()["state"] == "idle")


def test_a_run_can_be_cancelled(http: httpx.Client) -> None:
    answer = perform(http, "Run", ref=LAB, code="import time; time.sleep(60)").json()["answer"]
    assert http.delete(f"/v1/executions/{answer['id']}").status_code == 202
    assert ended(http, answer["id"])["result"]["outcome"] == "cancelled"


def test_logs_are_told_and_followed(http: httpx.Client) -> None:
    http.post(
        "/v1/sandboxes/lab/execute",
        json={"code": "print('so it was said')"},
        headers={"accept": "application/json"},
    )
    log = http.get("/v1/sandboxes/lab/logs", params={"tail": 50}).json()
    assert "so it was said" in "".join(output["text"] for output in log)
    with listening(http, "GET", "/v1/sandboxes/lab/logs?follow=true&tail=0") as events:
        perform(http, "Run", ref=LAB, code="print('and again')")
        assert next(event for event in events if "and again" in event[1]["text"])


# --- rooms ------------------------------------------------------------------------------------


def test_cells_of_a_room(http: httpx.Client) -> None:
    cells = "/v1/rooms/lab/cells"
    first = http.post(cells, json={"source": "x = 1"}).json()["cell"]["id"]
    http.post(cells, json={"source": "# title", "kind": "markdown", "index": 0})
    edited = http.put(f"{cells}/{first}", json={"source": "print('é')"}).json()
    assert edited["cell"]["source"] == "print('é')"

    begun = http.post(f"{cells}/{first}/run")
    assert begun.status_code == 202
    assert ended(http, begun.json()["id"])["result"]["outcome"] == "ok"
    shown = http.get(f"{cells}/{first}").json()["run"]
    assert shown["outputs"][0]["text"] == "é\n"
    kinds = [entry["cell"]["kind"] for entry in http.get("/v1/rooms/lab").json()["cells"]]
    assert kinds == ["markdown", "code"]
    assert http.delete(f"{cells}/{first}").status_code == 204
    assert http.get(f"{cells}/{first}").status_code == 404


def test_the_kernel_and_the_queue_of_a_room(http: httpx.Client) -> None:
    kernel = "/v1/rooms/lab/kernel"
    for source in ("import time; time.sleep(60)", "1"):
        http.post("/v1/rooms/lab/cells", json={"source": source})
    assert len(http.post("/v1/rooms/lab/run-all").json()) == 2

    def statuses() -> list[str]:
        return [entry["run"]["status"] for entry in http.get("/v1/rooms/lab/queue").json()]

    retry_until(lambda: statuses() == ["running", "queued"])
    assert http.delete("/v1/rooms/lab/queue").status_code == 204
    retry_until(lambda: statuses() == [])

    pid = http.get(kernel).json()["pid"]
    assert http.post(f"{kernel}/restart").status_code == 204
    assert http.get(kernel).json()["pid"] != pid
    assert http.post(f"{kernel}/stop").status_code == 204
    assert http.get(kernel).json()["state"] == "stopped"
    assert http.post("/v1/rooms", json={"name": "lab"}).status_code == 201


def test_a_name_with_odd_signs(http: httpx.Client) -> None:
    name = "a b/ü%"
    assert http.post("/v1/rooms", json={"name": name}).status_code == 201
    assert http.get(f"/v1/sandboxes/{quote(name)}").json()["ref"] == f"room:{name}"
    assert perform(http, "Remove", ref=f"room:{name}", force=True).status_code == 200
