"""The dashboard in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, WebSocket, sync_playwright
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.http.conftest import Served, serving
from tests.support import require_program, retry_until

TITLE = re.compile(r"─ \S+ ([\w.-]+)\s+Live ")
"""The sandbox that is shown, at the top of its view."""


class Tab:
    """A page with the dashboard; what it shows is read from what it is sent."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._frames: list[bytes] = []
        page.on("websocket", self._listen)

    def seen(self, pattern: re.Pattern[str]) -> str:
        """Wait for a text, and give its first group."""

        def found() -> re.Match[str] | None:
            self.page.wait_for_timeout(20)  # lets the browser's events in
            return pattern.search(self._text())

        match = retry_until(found, 15)
        assert match is not None
        return match[1]

    def press(self, key: str) -> None:
        """Press a key and forget what was shown before."""
        self._frames.clear()
        self.page.keyboard.press(key)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self._frames.append(_bytes(data)))

    def _text(self) -> str:
        said = b"".join(self._frames).decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    """The dashboard on the made-up machine, to be looked at only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_TUI_DEMO", "1")
        with serving("--read-only", command="web") as served:
            yield served


@pytest.fixture
def tab(browser: Browser, site: Served) -> Iterator[Tab]:
    """The page, visited with the token."""
    context = browser.new_context()
    tab = Tab(context.new_page())
    tab.page.goto(f"{site.url}/?token={site.token}")
    yield tab
    context.close()


def test_a_key_moves_the_selection_and_nothing_can_be_changed(tab: Tab) -> None:
    tab.page.wait_for_selector("body.-first-byte", timeout=15_000)
    tab.page.focus("textarea.xterm-helper-textarea")
    assert "token" not in tab.page.url

    tab.seen(re.compile("(agent-web)"))
    tab.press("ArrowDown")
    first = tab.seen(TITLE)
    tab.press("ArrowDown")
    assert tab.seen(TITLE) != first

    tab.press("/")
    tab.page.keyboard.type("postgres")
    tab.page.keyboard.press("Enter")
    tab.press("p")
    tab.seen(re.compile("(here one may only look)"))


def test_a_page_that_is_closed_leaves_no_dashboard_behind(browser: Browser, site: Served) -> None:
    process = psutil.Process(site.process.pid)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/?token={site.token}")
    retry_until(process.children, 10)
    context.close()
    retry_until(lambda: not process.children(recursive=True), 10)


def test_a_wrong_token_gets_nothing(browser: Browser, site: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108
    response = page.goto(f"{site.url}/?token=wrong")
    assert response is not None
    assert response.status == 401
    assert "terminal" not in page.content()
    assert not sockets
    context.close()


@pytest.mark.parametrize("path", ["/", "/ws", "/static/js/textual.js", "/download/x"])
def test_without_the_token_nothing_is_served(site: Served, path: str) -> None:
    with site.client() as http:
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"host": "evil.example:80"}]
)
def test_a_foreign_page_gets_no_terminal(site: Served, headers: dict[str, str]) -> None:
    headers = {"authorization": f"Bearer {site.token}", **headers}
    with site.client() as http:
        assert http.get("/", headers=headers).status_code == 403
    if "origin" in headers:
        where = f"{site.url.replace('http', 'ws')}/ws"
        with pytest.raises(InvalidStatus, match="403"), connect(where, additional_headers=headers):
            pass


def test_the_page_loads_nothing_from_elsewhere(site: Served) -> None:
    with site.client(headers={"authorization": f"Bearer {site.token}"}) as http:
        page: httpx.Response = http.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
