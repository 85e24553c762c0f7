"""The magics with a server as their backend: this program's own, and one that is not well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.http.conftest import Served, serving
from tests.integration.magics.conftest import IMAGE, Notebook
from tests.integration.magics.test_docker import containers
from tests.support import retry_until


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving("--token", "secret", kind="container") as served:
        yield served


@pytest.fixture
def sick() -> Iterator[str]:
    """A server that answers with something else."""

    class Sick(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>not found</html>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Sick) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_cells_and_bangs_run_over_there(notebook: Notebook, server: Served) -> None:
    said = notebook.run(f"%docker_backend api {server.url} secret")
    assert f"Backend:       api {server.url}" in said.stdout
    assert "Available:     yes" in said.stdout
    said = notebook.run(
        f"%%docker -e 'A=x y' {IMAGE}\ncd /tmp; echo $A in $PWD; echo bad >&2; exit 3"
    )
    assert (said.stdout, said.red) == ("x y in /tmp\n", "bad\n[exit code 3]\n")
    assert notebook.value("_exit_code") == "3"
    notebook.run(f"%docker {IMAGE}")
    assert notebook.run("!echo there").stdout == "there\n"
    notebook.run("%docker_backend docker")
    assert notebook.run("!echo here").stdout == "here\n"


def test_an_interrupt_ends_the_container_over_there(notebook: Notebook, server: Served) -> None:
    notebook.run(f"%docker_backend api {server.url} secret")
    request = notebook.begin(f"%%docker --name st-magic-far {IMAGE}\nsleep 60")
    retry_until(lambda: containers("name=^/st-magic-far$"))
    notebook.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in notebook.end(request).error
    retry_until(lambda: not containers("name=^/st-magic-far$"))


def test_what_is_refused_here_is_refused_there_too(notebook: Notebook, server: Served) -> None:
    notebook.run(f"%docker_backend api {server.url} secret")
    assert "is refused" in notebook.run(f"%%docker --privileged {IMAGE}\ntrue").stderr
    with server.client(headers={"Authorization": "Bearer secret"}) as client:
        body = {"cmd": "true", "args": f"--privileged {IMAGE}"}
        assert client.post("/execute", json=body).status_code == 403


def test_a_server_that_is_not_well_says_so(notebook: Notebook, server: Served, sick: str) -> None:
    cell = f"%%docker {IMAGE}\ntrue"
    notebook.run(f"%docker_backend api {sick}")
    assert "Invalid JSON response from Dockyter API." in notebook.run(cell).stderr
    said = notebook.run("%docker_backend api http://127.0.0.1:1")
    assert "API backend unreachable at http://127.0.0.1:1" in said.stdout
    assert "API backend unreachable at http://127.0.0.1:1" in notebook.run(cell).stderr
    notebook.run(f"%docker_backend api {server.url} wrong")
    assert f"{server.url} answers 401" in notebook.run(cell).stderr


def test_the_file_names_the_server(notebook: Notebook, server: Served, home) -> None:
    said = f'[backend]\nmode = "api"\napi_url = "{server.url}"\napi_token = "secret"\n'
    (home / "notebook/dockyter.toml").write_text(said)
    notebook.run("%reload_ext sandbox_tui")
    assert notebook.run(f"%%docker {IMAGE}\necho there").stdout == "there\n"
