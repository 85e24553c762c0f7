"""Outputs as the text of a log, for views that show nothing but text."""

from __future__ import annotations

from sandbox_tui.model.cells import NotebookCell
from sandbox_tui.model.outputs import Display, Failure, Output, Text


def as_text(output: Output) -> Text:
    """A piece of text that says the same as well as text can."""
    match output:
        case Text():
            return output
        case Display(data=data):
            plain = data.get("text/plain")
            said = plain if isinstance(plain, str) else f"<{', '.join(data)}>"
            return Text("stdout", f"{said}\n")
        case Failure(name=name, message=message, traceback=lines):
            return Text("stderr", "\n".join(lines or (f"{name}: {message}",)) + "\n")


def cell_text(cell: NotebookCell) -> str:
    """A cell's source, and under it what it said."""
    outputs = cell.run.outputs if cell.run else ()
    said = "".join(as_text(output).text for output in outputs)
    return "\n\n".join(filter(None, (cell.cell.source, said.rstrip())))
