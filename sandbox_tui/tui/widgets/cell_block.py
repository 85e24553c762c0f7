"""One cell of a notebook as lines: its title, its source, and the end of what it said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from sandbox_tui.model.cells import Cell, CellKind, CellRun, NotebookCell
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Text
from sandbox_tui.tui.widgets import ansi, rich_values, units
from sandbox_tui.tui.widgets.fit import harmless

_TAIL = 500
"""Lines of output shown of one cell; the last ones."""
_TAIL_TEXT = 128 * 1024
"""Characters of one piece of output that are looked at; the last ones."""
_OUTCOMES = {
    Outcome.OK: ("●", "done", "cells--ok"),
    Outcome.ERROR: ("✕", "failed", "cells--failed"),
    Outcome.CANCELLED: ("✕", "interrupted", "cells--failed"),
    Outcome.TIMED_OUT: ("✕", "timed out", "cells--failed"),
    Outcome.DIED: ("✕", "kernel died", "cells--failed"),
}


class BlockLine(NamedTuple):
    """A line of a cell, with the component class and the pen that it begins with."""

    text: str
    look: str = ""
    pen: str = ""


def title(cell: NotebookCell, now: float) -> BlockLine:
    """The first line: prompt, state by shape and word, and how long it took or takes."""
    if cell.cell.kind is not CellKind.CODE:
        return BlockLine(str(cell.cell.kind), "cells--idle")
    run = cell.run
    if run is None:
        return BlockLine("In[ ]", "cells--idle")
    if run.outcome is Outcome.CANCELLED and run.started_at is None:
        return BlockLine("In[ ] ✕ did not run", "cells--idle")
    shape, word, look = _state(run)
    spent = run.duration
    if run.status == "running" and run.started_at is not None:
        spent = now - run.started_at
    prompt = f"In[{'*' if run.execution_count is None else run.execution_count}]"
    parts = (prompt, shape, word, _seconds(spent) if spent is not None else "")
    return BlockLine(" ".join(part for part in parts if part), look)


def source(cell: Cell) -> list[BlockLine]:
    """What a person wrote; of prose the headings stand out."""
    look = _code_look if cell.kind is CellKind.CODE else _prose_look
    return [BlockLine(harmless(line), look(line)) for line in cell.source.split("\n")]


def said(cell: NotebookCell) -> list[BlockLine]:
    """The end of what its latest run said."""
    return _outputs(cell.run) if cell.run is not None else []


def _code_look(_: str) -> str:
    return "cells--source"


def _prose_look(line: str) -> str:
    return "cells--heading" if line.startswith("#") else ""


def _state(run: CellRun) -> tuple[str, str, str]:
    if run.status == "running":
        return "●", "running", "cells--running"
    if run.status == "queued":
        return "◌", "queued", "cells--queued"
    return _OUTCOMES[run.outcome or Outcome.OK]


def _seconds(spent: float) -> str:
    return f"{spent:.1f}s" if spent < 10 else units.age(spent)


def _outputs(run: CellRun) -> list[BlockLine]:
    lines: list[BlockLine] = []
    is_cut = run.truncated
    for stream, group in _backwards(run.outputs):
        if len(lines) >= _TAIL:
            is_cut = True
            break
        lines = [*_lines_of(stream, group), *lines]
    is_cut = is_cut or len(lines) > _TAIL
    notice = [BlockLine("… truncated: only the last output is here", "cells--note")]
    return [*(notice if is_cut else []), *lines[-_TAIL:]]


def _backwards(outputs: Iterable[Output]) -> Iterator[tuple[str, list[Output]]]:
    """Runs of pieces of one stream, the last run first; every other output alone."""
    groups = groupby(outputs, key=lambda output: output.stream if isinstance(output, Text) else "")
    for stream, group in reversed([(stream, list(group)) for stream, group in groups]):
        yield from ((stream, part) for part in ([group] if stream else [[o] for o in group[::-1]]))


def _lines_of(stream: str, outputs: list[Output]) -> list[BlockLine]:
    first = outputs[0]
    if isinstance(first, Display):
        return _display(first)
    if isinstance(first, Failure):
        text = "\n".join(first.traceback) or f"{first.name}: {first.message}"
        return _coloured(text, "" if first.traceback else "cells--stderr")
    pieces = [output.text for output in outputs if isinstance(output, Text)]
    look = "cells--stderr" if stream == "stderr" else ""
    return _coloured("".join(pieces)[-_TAIL_TEXT:], look)


def _display(display: Display) -> list[BlockLine]:
    count = display.execution_count
    prompt = f"Out[{count}]: " if count is not None else ""
    text = rich_values.text_of(display.data.get("text/plain"))
    if text is None or rich_values.has_picture(display.data):
        return [BlockLine(f"{prompt}<{rich_values.note(display.data)}>", "cells--note")]
    first, *rest = _coloured(text, "")
    shift = " " * len(prompt) if rest else ""
    return [
        first._replace(text=prompt + first.text),
        *(line._replace(text=shift + line.text) for line in rest),
    ]


def _coloured(text: str, look: str) -> list[BlockLine]:
    """Lines of terminal output; colours run on from line to line."""
    lines: list[BlockLine] = []
    pen = ""
    for line in text.removesuffix("\n").split("\n"):
        lines.append(BlockLine(line, look, pen))
        pen = ansi.pen_after(line, pen)
    return lines
