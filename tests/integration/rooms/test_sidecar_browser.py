"""The page of `sidecar()` in a real browser: what it draws, and what a kernel's HTML can reach."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from sandbox_tui.api.rooms import AsyncSession, sidecar
from tests.support import require_program

PLOT = """
import struct, zlib, base64
from IPython.display import display
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = zlib.compress(b"\\0" + b"\\xff\\0\\0" * 8 + b"\\0" + b"\\0\\0\\xff" * 8)
png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 2, 8, 2, 0, 0, 0))
png += chunk(b"IDAT", rows) + chunk(b"IEND", b"")
display({"image/png": base64.b64encode(png).decode(), "text/plain": "<Figure>"}, raw=True)
"""

THIEF = r"""
from IPython.display import HTML
HTML('''<p id=said></p><script>
const tried = {};
const attempt = (name, steal) => {
  try { tried[name] = String(steal()); } catch { tried[name] = "refused"; }
};
attempt("cookie", () => document.cookie);
attempt("page", () => parent.document.body.innerHTML);
attempt("address", () => parent.location.href);
attempt("storage", () => localStorage.length);
attempt("top", () => { top.location = "http://127.0.0.1:9/"; return "left"; });
const show = () => { said.textContent = JSON.stringify(tried); };
const reach = (name, address) =>
  fetch(address).then(answer => answer.text(), () => "refused")
    .then(text => { tried[name] = text; });
Promise.all([reach("home", "PAGE"), reach("away", "http://127.0.0.1:9/")]).then(show);
</script>''')
"""


@pytest.fixture
async def page(room: AsyncSession) -> AsyncIterator[Page]:
    """The page of the room `lab`, visited with its token."""
    program = require_program("chromium")
    await room.connect()
    viewer = await asyncio.to_thread(sidecar, "lab", browse=False)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(15_000)
        await page.goto(await viewer.twin.url())
        await page.get_by_text("live", exact=True).wait_for()
        yield page
        await browser.close()
    await asyncio.to_thread(viewer.close)


async def test_a_plot_comes_by_itself_and_what_follows_too(page: Page, room: AsyncSession) -> None:
    assert "token" not in page.url
    assert await page.locator("#name").text_content() == "room:lab"
    await room.run(PLOT)
    picture = page.locator("section img")
    await picture.wait_for()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 8
    await room.run("print('<b>no markup</b>')")
    await page.get_by_text("<b>no markup</b>").wait_for()
    cell = await room.create_cell("1/0")
    await room.execute_cell(cell)
    await page.locator("pre.error", has_text="ZeroDivisionError").wait_for()
    assert await page.locator("section").count() == 3


async def test_html_is_drawn_and_reaches_nothing(page: Page, room: AsyncSession) -> None:
    """A script of an output runs, and has neither the visitor's secret nor the page nor a net."""
    await room.run(THIEF.replace("PAGE", page.url))
    said = page.frame_locator("section iframe").locator("#said", has_text="away")
    await said.wait_for()
    tried = json.loads(await said.text_content() or "")
    assert tried == dict.fromkeys(tried, "refused")
    assert len(tried) == 7
    await page.reload()
    await said.wait_for()
