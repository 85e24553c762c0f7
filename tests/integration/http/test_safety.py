"""Who may ask for what, and how much of it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.integration.http.conftest import (
    PATIENCE,
    PROGRAM,
    Served,
    homely,
    run_server,
    serving,
)
from tests.integration.http.kernel import Kernel, text
from tests.support import retry_until

CONFIG = """
server:
  kernels: 2
  idle: 1.5
  body: 20000
  upload: 1
  names: [lab.example]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server with a token and small limits."""
    with serving("--token", "sesam", config=CONFIG) as served:
        yield served


@pytest.fixture
def http(server: Served) -> Iterator[httpx.Client]:
    with server.client(headers={"authorization": "Bearer sesam"}) as client:
        yield client


PATHS = ["/v1/world", "/openapi.json", "/docs", "/swagger/swagger-ui.css", "/cell_outputs", "/nil"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer sesam2", "Basic sesam", "Bearer sésam"])
def test_without_the_token_nothing_is_told(server: Served, path: str, given: str | None) -> None:
    headers = [] if given is None else [(b"authorization", given.encode("latin-1"))]
    with server.client() as stranger:
        response = stranger.get(path, headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["type"] == "UnauthorizedError"


def test_a_browser_keeps_the_token_in_a_cookie(server: Served) -> None:
    with server.client() as browser:
        first = browser.get("/docs", params={"token": "sesam"})
        assert (first.status_code, first.headers["location"]) == (303, "/docs")
        assert "HttpOnly; SameSite=Strict" in first.headers["set-cookie"]
        assert "swagger-ui" in browser.get("/docs").text
        again = browser.get("/docs", params={"token": "sesam"})
        assert again.headers["location"] == "/docs"  # it does not stay in the address either
        assert browser.post("/start?token=sesam").status_code == 200  # by its cookie
        for box in browser.get("/v1/rooms").json():
            browser.delete(f"/v1/rooms/{box['ref']}")
    with server.client() as browser:
        assert browser.post("/start?token=sesam").status_code == 401
        elsewhere = browser.get(f"{server.url}//evil.example/?token=sesam&a=b")
        assert elsewhere.headers["location"] == "/evil.example/?a=b"


def test_swagger_loads_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(links) == 3
    assert all(link.startswith(str(http.base_url)) for link in links)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1.evil.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"host": "evil.example"},
        {"host": "evil.example:8000"},
        {"host": "localhost.evil.example"},
        {"origin": "http://["},
        {"origin": ""},
        {"host": ""},
        {"host": "["},
        {"host": '127.0.0.1/"><script>'},
        {"host": "evil.example@127.0.0.1"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/start"), ("GET", "/v1/world")])
def test_a_foreign_page_can_do_nothing(
    http: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    before = len(http.get("/v1/rooms").json())

    assert http.request(method, path, headers=headers).status_code == 403
    assert len(http.get("/v1/rooms").json()) == before


def test_a_link_on_another_page_may_lead_here(http: httpx.Client) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    assert http.get("/docs", headers=followed).status_code == 200
    assert http.post("/start", headers=followed).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8000", "LAB.example"])
def test_its_own_names_are_fine(http: httpx.Client, host: str) -> None:
    own = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}

    assert http.get("/v1/world", headers=own).status_code == 200


def test_a_body_that_is_too_long_is_refused(http: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    for content in (b"x" * 30_000, pieces()):
        response = http.post("/v1/actions", content=content)
        assert (response.status_code, response.json()["error"]["type"]) == (413, "BodyTooLongError")


def test_a_body_that_does_not_come_is_not_waited_for(server: Served) -> None:
    head = "POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesam\r\n"
    with socket.create_connection(_address(server), timeout=10) as client:
        client.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))  # and then it hangs up

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"BodyTooSlowError" in answer


def test_a_message_over_a_websocket_is_no_longer_than_a_body(
    server: Served, http: httpx.Client
) -> None:
    http.post("/v1/rooms", json={"name": "lab"})
    where = f"{server.url.replace('http', 'ws')}/v1/rooms/lab/sync"
    headers = {"authorization": "Bearer sesam"}
    with connect(where, proxy=None, additional_headers=headers) as talk:
        talk.send("{}")
        talk.recv(timeout=10)
        talk.send(json.dumps({"type": "Announce", "name": "x" * 30_000}))
        with pytest.raises(ConnectionClosedError) as closed:
            list(talk)
    http.delete("/v1/rooms/lab")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def _address(server: Served) -> tuple[str, int]:
    url = httpx.URL(server.url)
    return url.host, url.port or 0


def test_there_are_only_so_many_kernels_and_idle_ones_end(http: httpx.Client) -> None:
    kernels = [http.post("/start").json()["kernel_id"] for _ in range(2)]
    refused = http.post("/start")
    assert refused.status_code == 429
    assert refused.json()["error"] == {
        "type": "LimitReachedError",
        "message": "there are 2 kernels already",
        "hint": "Stop a room, or raise server.kernels in the configuration.",
    }

    busy, idle = (f"/v1/rooms/http-{number}" for number in kernels)
    asked = {"kernel_id": kernels[0], "cell_number": 1, "code": "import time; time.sleep(4)"}
    http.post("/cell", json={**asked, "action": "add"})
    cell = http.get(busy).json()["cells"][0]["cell"]["id"]
    http.post(f"{busy}/cells/{cell}/run", json={})
    hasty = {"type": "Stop", "ref": f"room:http-{kernels[0]}", "if_idle": True}
    assert http.post("/v1/actions", json=hasty).status_code == 409
    retry_until(lambda: http.get(f"{idle}/kernel").json()["state"] == "stopped", 6)
    assert http.get(f"{busy}/kernel").json()["state"] == "busy"
    assert http.post("/start").status_code == 200


def test_read_only_is_kept_by_the_api() -> None:
    with homely() as (home, env):
        with run_server(home, env, "serve", "room") as served, served.client() as http:
            http.post("/v1/rooms", json={"name": "lab"})
        with (
            run_server(home, env, "serve", "room", "--read-only") as served,
            served.client() as http,
        ):
            assert http.get("/v1/rooms/lab").status_code == 200
            for method, path, body in (
                ("POST", "/start", {}),
                ("POST", "/v1/rooms", {"name": "new"}),
                ("DELETE", "/v1/rooms/lab", None),
                ("POST", "/v1/rooms/lab/cells", {"source": "1"}),
                ("POST", "/v1/sandboxes/lab/execute", {"code": "1"}),
                ("POST", "/v1/actions", {"type": "Stop", "ref": "room:lab"}),
            ):
                response = http.request(method, path, json=body)
                assert response.status_code == 403, path
                assert response.json()["error"]["type"] == "ReadOnlyError"


# --- the command ------------------------------------------------------------------------------


def test_an_address_for_others_needs_a_token() -> None:
    with serving("--host", "0.0.0.0") as served:
        assert len(served.token) > 30
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))):
            pass
        with served.client() as http:
            assert http.get("/v1/world").status_code == 401
            assert http.get("/health").status_code == 200
            own = {"authorization": f"Bearer {served.token}"}
            assert http.get("/v1/world", headers=own).status_code == 200


def test_what_is_started_here_does_not_know_the_token() -> None:
    with homely() as (home, env):
        env["SANDBOX_TUI_TOKEN"] = "sesam"
        own = {"authorization": "Bearer sesam"}
        with (
            run_server(home, env, "serve", "room") as served,
            served.client(headers=own) as http,
        ):
            kernel = Kernel(http)
            code = "import os; print(os.environ.get('SANDBOX_TUI_TOKEN'))"
            assert text(kernel.run(code)) == "None\n"


def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.socket() as other, homely() as (home, env):
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [PROGRAM, "serve", "--backend", "room", "--port", str(port)],
            env=env,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use",
        "hint: Choose another one with --port, or 0 for any.",
    ]


def test_ctrl_c_ends_it_also_while_somebody_listens() -> None:
    with homely() as (home, env), run_server(home, env, "serve", "room") as served:
        with served.client() as http, http.stream("GET", "/v1/events") as events:
            next(events.iter_lines())
            served.process.send_signal(signal.SIGINT)
            assert served.process.wait(PATIENCE) == 0
        assert "Traceback" not in (home / "server.log").read_text()
