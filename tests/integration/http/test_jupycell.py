"""JupyCell's API over real kernels: its bodies to the byte, without its faults."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from tests.integration.http.conftest import Served, homely, run_server
from tests.integration.http.kernel import Kernel, text
from tests.support import retry_until


@pytest.fixture(scope="module")
def shared(server: Served, silence: Future[Any]) -> Iterator[Kernel]:
    """A kernel for tests that leave it as they found it."""
    del silence  # it lasts while these tests run; see `test_waiting`
    with server.client() as http:
        yield Kernel(http)


@pytest.fixture
def kernel(shared: Kernel, http: httpx.Client) -> Iterator[Kernel]:
    """That kernel without cells."""
    yield shared
    for number in range(-1, 10):
        shared.do("delete", number)


# --- the seed's own words ---------------------------------------------------------------------


def test_the_walk_of_the_readme(http: httpx.Client) -> None:
    kernel = Kernel(http)

    def post(**body: Any) -> Any:
        return Kernel.ok(http.post("/cell", json={"kernel_id": kernel.id, **body}))

    assert post(cell_number=1, code="x = 10", action="add") == {"status": "Cell 1 added."}
    assert post(cell_number=2, code="y = x * 2", action="add") == {"status": "Cell 2 added."}
    assert post(cell_number=3, code="print(y)", action="add") == {"status": "Cell 3 added."}
    said = [{"name": "stdout", "text": "20\n"}]
    assert post(action="run_all") == {
        "outputs": [
            {"cell_number": 1, "outputs": []},
            {"cell_number": 2, "outputs": []},
            {"cell_number": 3, "outputs": said},
        ]
    }
    assert kernel.outputs(3) == {"outputs": said}
    assert post(cell_number=2, code="y = x * 3", action="edit") == {"status": "Cell 2 updated."}
    assert text(post(action="run_all")["outputs"][2]) == "30\n"
    assert text(kernel.outputs(3)) == "30\n"
    assert post(cell_number=1, action="delete") == {"status": "Cell 1 deleted."}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"action": "add", "cell_number": 1},
            "cell_number and code are required for add/edit actions.",
        ),
        (
            {"action": "edit", "code": "1"},
            "cell_number and code are required for add/edit actions.",
        ),
        ({"action": "run"}, "cell_number is required for run action."),
        ({"action": "delete"}, "cell_number is required for delete action."),
        ({"action": "run", "cell_number": 9}, "Cell number does not exist."),
        ({"action": "delete", "cell_number": 9}, "Cell number does not exist."),
        (
            {"action": "edit", "cell_number": 9, "code": "1"},
            "Cell number does not exist. Use 'add' to create it.",
        ),
        (
            {"action": "dance"},
            "Invalid action. Use 'add', 'edit', 'run', 'delete', or 'run_all'.",
        ),
    ],
)
def test_what_is_wrong_is_told_in_its_words(
    kernel: Kernel, body: dict[str, Any], error: str
) -> None:
    response = kernel.http.post("/cell", json={"kernel_id": kernel.id, **body})

    assert (response.status_code, response.json()) == (200, {"error": error})


def test_an_unknown_kernel_and_a_taken_number(kernel: Kernel) -> None:
    stranger = Kernel(kernel.http, kernel.id - 1)
    taken = "Cell number already exists. Use 'edit' to modify it."

    assert stranger.do("run_all") == {"error": "Kernel not found"}
    assert stranger.outputs(1) == {"error": "Kernel not found"}
    assert kernel.outputs(1) == {"error": "Cell number does not exist."}
    assert kernel.do("ADD", 1, "1") == {"status": "Cell 1 added."}
    assert kernel.do("add", 1, "2") == {"error": taken}


def test_outputs_are_the_contents_of_jupyter_messages(kernel: Kernel) -> None:
    code = """
import sys
from IPython.display import HTML, display
print('out'); print('err', file=sys.stderr); display(HTML('<b>x</b>'))
6 * 7
"""
    out, err, shown, value = kernel.run(code)["outputs"]

    assert out == {"name": "stdout", "text": "out\n"}
    assert err == {"name": "stderr", "text": "err\n"}
    assert shown["data"]["text/html"] == "<b>x</b>"
    assert set(shown) == {"data", "metadata", "transient"}
    assert value["data"] == {"text/plain": "42"}
    assert set(value) == {"data", "metadata", "execution_count"}
    assert kernel.outputs(1)["outputs"] == [out, err, shown, value]
    [failure] = kernel.run("1 / 0")["outputs"]
    assert (failure["ename"], failure["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert set(failure) == {"ename", "evalue", "traceback"}


def test_all_run_in_the_order_of_numbers_and_past_failures(kernel: Kernel) -> None:
    for number in (3, 1, 2, -1):
        kernel.do("add", number, f"print({number})" if number != 1 else "1 / 0")
    answer = kernel.do("run_all")["outputs"]

    assert [entry["cell_number"] for entry in answer] == [-1, 1, 2, 3]
    assert [text(entry) for entry in answer] == ["-1\n", "", "2\n", "3\n"]
    assert answer[1]["outputs"][0]["ename"] == "ZeroDivisionError"


def test_an_edited_cell_has_no_outputs(kernel: Kernel) -> None:
    kernel.run("print(1)")
    kernel.do("edit", 1, "print(2)")

    assert kernel.outputs(1) == {"outputs": []}


# --- a kernel is a room -----------------------------------------------------------------------


def test_it_is_on_the_list_and_has_its_cells_in_order(server: Served, http: httpx.Client) -> None:
    kernel = Kernel(http)
    for number in (5, 2):
        kernel.do("add", number, f"print({number})")

    assert f"room:{kernel.room}" in server.command("ls", "--backend", "room")
    cells = http.get(f"/v1/rooms/{kernel.room}").json()["cells"]
    assert [entry["cell"]["source"] for entry in cells] == ["print(2)", "print(5)"]
    http.delete(f"/v1/rooms/{kernel.room}")
    assert kernel.do("run_all") == {"error": "Kernel not found"}


def test_numbers_outlive_the_server() -> None:
    with homely() as (home, env):
        with run_server(home, env, "serve", "room") as served, served.client() as http:
            first = Kernel(http)
            first.run("x = 7; print(x)", 4)
        with run_server(home, env, "serve", "room") as served, served.client() as http:
            again = Kernel(http, first.id)
            assert text(again.outputs(4)) == "7\n"
            assert text(again.run("print(x + 1)", 4)) == "8\n"
            assert "error" in again.do("add", 4, "1")


# --- what must hold ---------------------------------------------------------------------------


def test_ids_cannot_be_guessed(server: Served, http: httpx.Client) -> None:
    ids = [Kernel(http).id for _ in range(3)]
    try:
        assert len(set(ids)) == len(ids)
        assert all(0 < number < 2**53 for number in ids)
        assert min(abs(a - b) for a in ids for b in ids if a != b) > 2**20
    finally:
        for number in ids:
            http.delete(f"/v1/rooms/http-{number}")


def test_a_ready_kernel_answers_without_a_fixed_wait(kernel: Kernel) -> None:
    kernel.do("add", 1, "print(1)")
    fastest = math.inf
    for _ in range(5):
        began = time.monotonic()
        assert kernel.do("run", 1) == {"outputs": [{"name": "stdout", "text": "1\n"}]}
        fastest = min(fastest, time.monotonic() - began)
    assert fastest < 0.5


def test_the_first_run_has_no_noise(http: httpx.Client) -> None:
    with ThreadPoolExecutor(3) as pool:
        kernels = [pool.submit(Kernel, http) for _ in range(3)]
        runs = [pool.submit(each.result().run, "print('only this')") for each in kernels]
        answers = [run.result() for run in runs]

    assert answers == [{"outputs": [{"name": "stdout", "text": "only this\n"}]}] * 3


def test_six_runs_at_once_get_their_own_outputs(kernel: Kernel) -> None:
    for number in range(6):
        code = f"import time\nfor _ in range(5): print({number}, flush=True); time.sleep(0.01)"
        kernel.do("add", number, code)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: kernel.do("run", number), range(6)))

    assert [text(answer) for answer in answers] == [f"{number}\n" * 5 for number in range(6)]


def test_a_slow_cell_delays_no_other_kernel(kernel: Kernel, http: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(kernel.run, "import time; time.sleep(1.5); print('slow')")
        other = Kernel(http)
        assert text(other.run("print('quick')")) == "quick\n"
        assert not slow.done()
        assert text(slow.result()) == "slow\n"


def test_an_endless_loop_ends_at_its_timeout(kernel: Kernel) -> None:
    answer = kernel.run("print('on', flush=True)\nwhile True: pass", timeout=1)

    assert answer["outcome"] == "timed_out"
    assert text(answer) == "on\n"
    assert answer["outputs"][-1]["ename"] == "CellTimeoutError"
    assert text(kernel.run("print('next')")) == "next\n"


def test_input_does_not_brick_a_kernel(kernel: Kernel) -> None:
    assert "ename" in kernel.run("input('name? ')", timeout=5)["outputs"][-1]
    assert text(kernel.run("print('next')")) == "next\n"


def test_a_kernel_that_dies_is_told_at_once_and_keeps_its_cells(http: httpx.Client) -> None:
    kernel = Kernel(http)
    kernel.do("add", 1, "x = 1; print('alive')")
    kernel.do("add", 2, "import os; os._exit(3)")
    kernel.do("run", 1)
    began = time.monotonic()
    answer = kernel.do("run", 2)

    assert time.monotonic() - began < 1
    assert answer["outcome"] == "died"
    assert answer["outputs"][-1]["ename"] == "DeadKernelError"
    retry_until(lambda: _state(http, kernel) == "failed")
    assert http.post(f"/v1/rooms/{kernel.room}/kernel/restart").status_code == 204
    assert kernel.do("run", 1) == {"outputs": [{"name": "stdout", "text": "alive\n"}]}


def _state(http: httpx.Client, kernel: Kernel) -> str:
    return http.get(f"/v1/rooms/{kernel.room}/kernel").json()["state"]


def test_fifty_megabytes_are_cut_and_memory_stays_bounded(server: Served, kernel: Kernel) -> None:
    process = psutil.Process(server.process.pid)
    kernel.run("print(1)")
    before = process.memory_info().rss
    answer = kernel.run("for _ in range(50): print('x' * 1_000_000)")

    assert answer["outputs"][0]["text"].startswith("… the output was cut")
    assert 3_000_000 < len(text(answer)) < 5_000_000
    assert process.memory_info().rss - before < 150_000_000


def test_a_cell_can_be_deleted_while_it_runs(kernel: Kernel) -> None:
    kernel.do("add", 1, "import time; time.sleep(1); print('ended')")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(kernel.do, "run", 1)
        retry_until(lambda: _state(kernel.http, kernel) == "busy")
        assert kernel.do("delete", 1) == {"status": "Cell 1 deleted."}
        assert text(running.result()) == "ended\n"
    assert kernel.outputs(1) == {"error": "Cell number does not exist."}
