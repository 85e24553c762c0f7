"""The viewer, as a browser sees it: over plain HTTP, from every source it can have."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox_tui.api.remote import RemoteApi
from sandbox_tui.api.rooms import DaemonClient, RoomError, Session, Sidecar, sidecar
from sandbox_tui.api.rooms.client import portal
from sandbox_tui.model.actions import Remove
from sandbox_tui.model.refs import Kind, Ref
from sandbox_tui.model.world import RoomFacts
from tests.support import retry_until

RICH = """
from IPython.display import display
print("plain \\x1b[31mred\\x1b[0m")
display({"text/html": "<b>bold</b><script>1</script>", "text/plain": "bold"}, raw=True)
display({"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}, raw=True)
display({"image/svg+xml": "<svg/>"}, raw=True)
"""


class Browser:
    """One visitor of a page."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        self.port = parts.port or 0
        self.home = parts.path
        answer = self.get(f"?{parts.query}")
        self.status = answer.status
        self.cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """One request; its answer is read as far as the head."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        cookie = {"Cookie": self.cookie} if getattr(self, "cookie", "") else {}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        path = path if path.startswith("/") else self.home + path
        connection.request("GET", path, headers={**cookie, **names})
        return connection.getresponse()

    @contextmanager
    def events(self) -> Iterator[Iterator[list[Any]]]:
        """The drawings as they come."""
        answer = self.get("events")
        assert answer.status == 200
        try:
            yield _drawings(answer)
        finally:
            answer.close()

    def forms(self, wanted: str) -> list[dict[str, Any]]:
        """The forms of the first block that has `wanted` in one of them."""
        with self.events() as events:
            for drawings in events:
                for drawing in drawings:
                    if any(wanted in form["value"] for form in drawing["forms"]):
                        forms: list[dict[str, Any]] = drawing["forms"]
                        return forms
        pytest.fail(f"{wanted} never came")


def _drawings(answer: http.client.HTTPResponse) -> Iterator[list[Any]]:
    name = ""
    while line := answer.readline():
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text
        elif text.startswith("data: ") and not name:
            yield json.loads(text.removeprefix("data: "))
        elif not text:
            name = ""


@pytest.fixture
def page(session: Session) -> Iterator[Sidecar]:
    """A viewer of the room `lab`, which has said something."""
    session.run(RICH)
    with sidecar("lab", browse=False) as viewer:
        yield viewer


def connection_file() -> Path:
    """That of the kernel of the room `lab`."""

    async def ask() -> str:
        api = await RemoteApi.connect()
        box = (await api.settled()).get(Ref("room:lab"))
        await api.aclose()
        assert box is not None
        assert isinstance(box.facts, RoomFacts)
        return box.facts.connection_file

    return Path(portal().call(ask()))


def remove(name: str) -> None:
    """Take a room away."""

    async def ask() -> None:
        api = await RemoteApi.connect()
        await api.perform(Remove(ref=Ref.make(Kind.ROOM, name)))
        await api.aclose()

    portal().call(ask())


def test_a_room_with_text_pictures_and_html(page: Sidecar, session: Session) -> None:
    browser = Browser(page.url)
    assert browser.status == 303
    shown = browser.get("")
    body, policy = shown.read().decode(), shown.headers["Content-Security-Policy"]
    assert "EventSource" in body
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    forms = browser.forms("plain red")
    assert [form["kind"] for form in forms] == ["text", "frame", "picture", "picture"]
    assert forms[0]["value"] == "plain red\n"
    assert forms[2]["value"] == "data:image/png;base64,iVBORw0KGgo="
    assert forms[3]["value"].startswith("data:image/svg+xml;base64,")
    frame = browser.get(forms[1]["value"])
    assert "<b>bold</b>" in frame.read().decode()
    assert frame.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    with browser.events() as events:
        next(events)
        session.run("print('later')")
        assert any("later" in str(drawings) for drawings in events)


def test_who_may_not_look_is_refused(page: Sidecar) -> None:
    url = page.url
    browser = Browser(url)
    assert Browser(url).status == 401
    assert Browser(url[:-1]).status == 401
    host = f"127.0.0.1:{browser.port}"
    assert browser.get("", Host="evil.example").status == 403
    assert browser.get("", Host=host, Origin="http://evil.example").status == 403
    assert browser.get("", Host=host, Sec_Fetch_Site="cross-site").status == 403
    assert browser.get("", Host=host, Origin=f"http://{host}").status == 200
    assert browser.get("/nowhere").status == 404
    assert browser.get("frame/no/0").status == 404
    assert browser.get("frame/../../etc/passwd").status == 404
    browser.cookie = "sandbox-tui=wrong"
    for path in ("", "events", "frame/x/0", "/", "/nowhere"):
        assert browser.get(path).status == 401


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: HOST\r\n\r\n", b"405"),
        (b"GET / HTTP/9\r\nHost: HOST\r\n\r\n", b"400"),
        (b"GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n folded\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"400"),
        (b"\x00\xff\r\n\r\n", b"403"),
    ],
)
def test_nonsense_is_refused(request_head: bytes, status: bytes) -> None:
    with Session("lab") as session:
        session.connect()
        with sidecar("lab", browse=False) as viewer:
            port = urlsplit(viewer.url).port or 0
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(request_head.replace(b"HOST", f"127.0.0.1:{port}".encode()))
                assert client.recv(100).split()[1] == status


def test_closing_ends_the_page(page: Sidecar) -> None:
    url = page.url
    assert page.running
    assert "127.0.0.1" in repr(page)
    page.close()
    page.close()
    assert not page.running
    assert Browser(url).status == 401
    with pytest.raises(RoomError, match="closed"):
        _ = page.url


def test_a_page_is_there_for_as_long_as_anybody_wants_it(page: Sidecar, session: Session) -> None:
    """The daemon serves it: it is the same for all who ask, and outlives a client that left."""
    browser = Browser(page.url)
    with sidecar("room:lab", browse=False) as other:
        assert Browser(other.url).home == browser.home
    assert page.running
    ask = "from sandbox_tui.api.rooms import sidecar; print(sidecar('lab', browse=False).url)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    page.close()
    assert browser.get("").status == 200
    assert Browser(done.stdout.strip()).forms("plain red")
    session.shutdown_kernel()
    assert browser.get("").status == 200


def test_a_page_ends_with_its_room(page: Sidecar, session: Session) -> None:
    browser = Browser(page.url)
    answer = browser.get("events")
    session.shutdown_kernel()
    remove("lab")
    assert b"event: ended" in answer.read()
    assert not page.running
    assert browser.get("").status == 404
    with pytest.raises(RoomError):
        _ = page.url


def test_a_page_ends_with_the_daemon(page: Sidecar) -> None:
    url = page.url
    DaemonClient().shutdown()
    retry_until(lambda: not page.running, timeout=10)
    with pytest.raises(OSError, match="refused"):
        Browser(url)
    page.close()


def test_a_kernels_connection_file(session: Session) -> None:
    path = connection_file()
    with sidecar(path, browse=False) as viewer:
        browser = Browser(viewer.url)
        with browser.events() as events:

            def said() -> bool:
                session.run("print('over iopub'); 'a value'")
                return any("over iopub" in str(drawings) for drawings in [next(events)])

            retry_until(said, timeout=20)


@pytest.fixture
def own() -> Iterator[Session]:
    """A client whose kernel has this very program."""
    with Session("own") as session:
        session.start_kernel(env_source="")
        yield session


def test_inside_a_kernel_it_finds_the_kernel(own: Session) -> None:
    code = "from sandbox_tui.api.rooms import sidecar; s = sidecar(browse=False); print(s.url)"
    browser = Browser(own.run(code).stdout.strip())
    assert browser.status == 303
    with browser.events() as events:

        def said() -> bool:
            own.run(RICH)
            return any("frame" in str(drawings) for drawings in [next(events)])

        retry_until(said, timeout=20)
    assert own.run("s.close(); s.running").display_data[0].data == {"text/plain": "False"}


IPYTHON = """
import sys
sys.path.insert(0, ".")
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell.instance()
shell.run_cell("from sandbox_tui.api.rooms import sidecar; s = sidecar(browse=False)")
from tests.integration.rooms.test_sidecar import Browser
browser = Browser(shell.user_ns["s"].url)
shell.run_cell("from IPython.display import HTML, display; display(HTML('<i>shown</i>'))", True)
shell.run_cell("HTML('<i>value</i>')", True)
runs, frames = {}, []
with browser.events() as events:
    while len(frames) < 2:
        runs |= {drawing["id"]: drawing["forms"] for drawing in next(events)}
        frames = [form for forms in runs.values() for form in forms]
print([browser.get(form["value"]).read().decode()[-12:] for form in frames])
shell.run_cell("s.close()")
print(shell.display_formatter.active_types)
"""


def test_in_a_terminals_ipython_its_hooks_are_bridged() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IPYTHON], capture_output=True, text=True, timeout=50, check=False
    )
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["['<i>shown</i>', '<i>value</i>']", "['text/plain']"], done.stderr


def test_where_there_is_nothing_to_show() -> None:
    with pytest.raises(RoomError, match="IPython"):
        sidecar(browse=False)
    with pytest.raises(RoomError, match="connection file"):
        sidecar("/nonexistent/kernel-1.json", browse=False)
    with Session("lab") as session:
        session.connect()
        with pytest.raises(RoomError, match="nowhere"):
            sidecar("nowhere", browse=False)
    assert DaemonClient().ping()
