"""JupyCell's three routes: its requests, its bodies, its words for what is wrong, at status 200."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from sandbox_tui.model.codec import to_json
from sandbox_tui.model.errors import CellNotFoundError, ConflictError
from sandbox_tui.model.outputs import Outcome, Result
from sandbox_tui.server.http.numbered import NumberedKernels
from sandbox_tui.server.http.outputs import bounded, content, contents
from sandbox_tui.server.http.schemas import ERRORS
from sandbox_tui.server.http.streaming import while_there

NO_KERNEL = "Kernel not found"
NO_ACTION = "Invalid action. Use 'add', 'edit', 'run', 'delete', or 'run_all'."
NO_CODE = "cell_number and code are required for add/edit actions."
NO_NUMBER = "cell_number is required for {} action."
TAKEN = "Cell number already exists. Use 'edit' to modify it."
NO_CELL_TO_EDIT = "Cell number does not exist. Use 'add' to create it."
NO_CELL = "Cell number does not exist."

_SAFE = 2**53 - 1
Number = Annotated[int, Field(ge=-_SAFE, le=_SAFE)]


def _no_text(value: object) -> object:
    """A body has numbers where it has to; only an address writes them as text."""
    if isinstance(value, bool | str):
        raise ValueError("a number is wanted")  # noqa: TRY004  # what pydantic listens to
    return value


InBody = BeforeValidator(_no_text)

Answer = Mapping[str, object]


class CellRequest(BaseModel):
    """What to do with a cell, or with all of them."""

    kernel_id: Annotated[Number, InBody]
    cell_number: Annotated[Number, InBody] | None = None
    code: str | None = None
    action: str
    """`add`, `edit`, `run`, `run_all` or `delete`, in any case."""
    timeout: Annotated[float, Field(gt=0, le=604800), InBody] | None = None
    """Seconds that a cell may run; not among JupyCell's own fields."""


class Started(BaseModel):
    """The kernel that was started."""

    kernel_id: int


class Item(BaseModel):
    """The content of a Jupyter message, or with `run_all` a cell's number and its outputs."""

    model_config = {"extra": "allow"}


class CellAnswer(BaseModel):
    """One of `status`, `outputs` and `error`."""

    status: str | None = None
    outputs: list[Item] | None = None
    error: str | None = None
    outcome: Literal["timed_out", "died", "cancelled"] | None = None
    """How a run ended that did not end by itself; `run_all` has it with each cell."""


class JupyCell:
    """The routes, over kernels by number. `most` is the most output of a run, in characters."""

    def __init__(self, kernels: NumberedKernels, most: int) -> None:
        self._kernels = kernels
        self._most = most
        self._deeds: Mapping[str, Callable[[CellRequest], Awaitable[Answer]]] = {
            "add": self._add,
            "edit": self._edit,
            "run": self._run,
            "run_all": self._run_all,
            "delete": self._delete,
        }

    def router(self) -> APIRouter:
        """Them, for the app."""
        router = APIRouter(tags=["JupyCell"], responses=ERRORS)
        router.add_api_route("/start", self.start, methods=["POST"], response_model=Started)
        router.add_api_route("/cell", self.cell, methods=["POST"], response_model=CellAnswer)
        router.add_api_route("/cell_outputs", self.cell_outputs, response_model=CellAnswer)
        return router

    async def start(self) -> Response:
        """Start a kernel: a room, on every list and on the screen too."""
        return _json({"kernel_id": await self._kernels.start()})

    async def cell(self, asked: CellRequest, request: Request) -> Response:
        """Add, edit, run or delete a cell, or run all. What is wrong is told with status 200."""
        if not self._kernels.has(asked.kernel_id):
            return _error(NO_KERNEL)
        deed = self._deeds.get(asked.action.lower())
        if deed is None:
            return _error(NO_ACTION)
        answer = await while_there(request, deed(asked))
        return _json(answer or {})

    async def cell_outputs(
        self,
        kernel_id: Number,
        cell_number: Number,
    ) -> Response:
        """What a cell's last run said, as far as it is kept."""
        if not self._kernels.has(kernel_id):
            return _error(NO_KERNEL)
        entry = (await self._kernels.cells(kernel_id)).get(cell_number)
        if entry is None:
            return _error(NO_CELL)
        run = entry.run
        outputs = bounded(run.outputs, self._most, cut=run.truncated) if run else ()
        return _json({"outputs": [content(output) for output in outputs]})

    async def _add(self, asked: CellRequest) -> Answer:
        if asked.cell_number is None or asked.code is None:
            return {"error": NO_CODE}
        try:
            await self._kernels.add(asked.kernel_id, asked.cell_number, asked.code)
        except ConflictError:
            return {"error": TAKEN}
        return {"status": f"Cell {asked.cell_number} added."}

    async def _edit(self, asked: CellRequest) -> Answer:
        if asked.cell_number is None or asked.code is None:
            return {"error": NO_CODE}
        try:
            await self._kernels.edit(asked.kernel_id, asked.cell_number, asked.code)
        except CellNotFoundError:
            return {"error": NO_CELL_TO_EDIT}
        return {"status": f"Cell {asked.cell_number} updated."}

    async def _run(self, asked: CellRequest) -> Answer:
        if asked.cell_number is None:
            return {"error": NO_NUMBER.format("run")}
        try:
            result = await self._kernels.run(asked.kernel_id, asked.cell_number, asked.timeout)
        except CellNotFoundError:
            return {"error": NO_CELL}
        return self._told(result)

    async def _run_all(self, asked: CellRequest) -> Answer:
        results = await self._kernels.run_all(asked.kernel_id, asked.timeout)
        each = ({"cell_number": at, **self._told(result)} for at, result in results.items())
        return {"outputs": list(each)}

    async def _delete(self, asked: CellRequest) -> Answer:
        if asked.cell_number is None:
            return {"error": NO_NUMBER.format("delete")}
        try:
            await self._kernels.delete(asked.kernel_id, asked.cell_number)
        except CellNotFoundError:
            return {"error": NO_CELL}
        return {"status": f"Cell {asked.cell_number} deleted."}

    def _told(self, result: Result) -> Answer:
        outputs = {"outputs": contents(result, self._most)}
        by_itself = result.outcome in (Outcome.OK, Outcome.ERROR)
        return outputs if by_itself else {**outputs, "outcome": result.outcome}


def _error(text: str) -> Response:
    return _json({"error": text})


def _json(body: Answer) -> Response:
    return Response(to_json(body), media_type="application/json")
