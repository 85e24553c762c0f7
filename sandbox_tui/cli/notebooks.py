"""A room's notebook as text, as JSON, and as an `.ipynb` file."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox_tui.cli.escapes import only_colours, visible
from sandbox_tui.cli.lines import Lines
from sandbox_tui.documents.ipynb import StoredNotebook, StoredRun, encode
from sandbox_tui.model.cells import CellKind, CellRun, Notebook, NotebookCell
from sandbox_tui.model.errors import CellNotFoundError
from sandbox_tui.model.outputs import Output

INDENT = "    "


def as_text(notebook: Notebook) -> str:
    """Every cell with its number, id and what its latest run said."""
    cells = enumerate(notebook.cells, start=1)
    return "\n".join(line for number, cell in cells for line in _cell(number, cell))


def as_ipynb(notebook: Notebook, kernel: str) -> bytes:
    """The bytes of an `.ipynb` file with these cells and outputs."""
    runs = {
        entry.cell.id: StoredRun(entry.run.execution_count, entry.run.outputs)
        for entry in notebook.cells
        if entry.run is not None
    }
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}}
    return encode(StoredNotebook(tuple(entry.cell for entry in notebook.cells), runs, metadata))


def cell_id_of(notebook: Notebook, text: str) -> str:
    """The cell that `text` names: by its id, else by its number from 1. Raises `NotFoundError`."""
    ids = [entry.cell.id for entry in notebook.cells]
    if text in ids:
        return text
    if text.isdecimal() and 0 < int(text) <= len(ids):
        return ids[int(text) - 1]
    raise CellNotFoundError(text)


def _cell(number: int, entry: NotebookCell) -> Iterator[str]:
    kind = "" if entry.cell.kind is CellKind.CODE else f" {entry.cell.kind.value}"
    yield f"[{number}] {visible(entry.cell.id)}{kind}{_how(entry.run)}"
    for line in entry.cell.source.split("\n"):
        yield f"{INDENT}{visible(line)}"
    pieces = Lines()
    said = [line for output in _outputs(entry) for line in pieces.feed(output)]
    for line in (*said, *pieces.rest()):
        yield f"{INDENT}> {only_colours(line.text)}"


def _outputs(entry: NotebookCell) -> tuple[Output, ...]:
    return entry.run.outputs if entry.run is not None else ()


def _how(run: CellRun | None) -> str:
    """How its latest run went, behind its name."""
    if run is None:
        return ""
    state = run.outcome.value if run.outcome is not None else run.status
    count = "" if run.execution_count is None else f" In[{run.execution_count}]"
    return f"{count} {state}"
