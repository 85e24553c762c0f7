"""Lines into a log as fast as it takes them: `log_app.py WIDGET LINES FILE`.

WIDGET is `ours`, `Log` or `RichLog`; the seconds of processor time and the bytes of memory that
it took are written to FILE.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import time
from pathlib import Path

import psutil
from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import Log, RichLog

from sandbox_tui.model.outputs import Text
from sandbox_tui.tui.widgets.log import LogView

BATCH = 1000
PIECE = 50
"""Lines that arrive as one piece, which is about the 4 KiB that a pipe or a terminal hands on."""


class LogApp(App[None]):
    """One log; ends by itself when every line is in."""

    def __init__(self, widget: str, lines: int, file: Path) -> None:
        super().__init__()
        self.widget, self.lines, self.file = widget, lines, file

    def compose(self) -> ComposeResult:
        makers = {"ours": LogView, "Log": Log, "RichLog": RichLog}
        log: Widget = makers[self.widget]()
        yield log

    def on_ready(self) -> None:
        self.run_worker(self.feed())

    async def feed(self) -> None:
        """Feed everything, a batch at a time, so that the screen can follow."""
        log = next(iter(self.screen.query("LogView, Log, RichLog")))
        made = batches()
        gc.collect()
        memory, began = psutil.Process().memory_info().rss, time.process_time()
        for batch in itertools.islice(itertools.cycle(made), self.lines // BATCH):
            take(log, batch)
            await asyncio.sleep(0)
        result = {
            "cpu": time.process_time() - began,
            "memory": psutil.Process().memory_info().rss - memory,
        }
        self.file.write_text(json.dumps(result))
        self.exit()


def batches() -> list[list[str]]:
    """Lines as programs write them, 80 characters long; making them is no part of the work."""
    lines = [
        f"{f'14:05:{n % 60:02} INFO  step {n} tool=write_file path=src/api.py':<80}"
        for n in range(20 * BATCH)
    ]
    return [lines[at : at + BATCH] for at in range(0, len(lines), BATCH)]


def take(log: Widget, batch: list[str]) -> None:
    """Give a batch the way each widget likes best."""
    match log:
        case LogView():
            starts = range(0, len(batch), PIECE)
            texts = ("\n".join(batch[at : at + PIECE]) + "\n" for at in starts)
            log.append(*(Text("stdout", text) for text in texts))
        case Log():
            log.write_lines(batch)
        case RichLog():
            for line in batch:
                log.write(line)


if __name__ == "__main__":
    LogApp(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])).run()
