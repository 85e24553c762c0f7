"""What a run said, as it is answered: bounded, joined, and for JupyCell in Jupyter's words."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping

import msgspec

from sandbox_tui.api.progress import joined
from sandbox_tui.model.outputs import Display, Failure, Outcome, Output, Result, Text

CUT = "… the output was cut: only its last {most} characters are here …\n"

ENDS = {
    Outcome.TIMED_OUT: "CellTimeoutError",
    Outcome.DIED: "DeadKernelError",
    Outcome.CANCELLED: "CellCancelledError",
}
"""Ends that came from outside of the code, and that the code's own outputs do not tell."""


def bounded(outputs: Iterable[Output], most: int, *, cut: bool = False) -> tuple[Output, ...]:
    """The newest outputs of at most `most` characters, neighbouring texts joined.

    Where some are missing (`cut` says that some were before), a line at the start says so.
    """
    kept: list[Output] = []
    left = most
    for output in reversed(list(outputs)):
        if weight(output) > left:
            cut = True
            if isinstance(output, Text) and left:
                kept.append(Text(output.stream, output.text[-left:], output.at))
            break
        kept.append(output)
        left -= weight(output)
    mark = [Text("stderr", CUT.format(most=most))] if cut else []
    return (*mark, *joined(reversed(kept)))


async def newest(outputs: AsyncIterator[Output], most: int) -> tuple[Output, ...]:
    """`bounded` for outputs that are read one by one: no more than these is ever held."""
    kept: deque[Output] = deque()
    size = 0
    async for output in outputs:
        kept.append(output)
        size += weight(output)
        while size - weight(kept[0]) > most:  # still more than may be: the mark is not lost
            size -= weight(kept.popleft())
    return bounded(kept, most)


def result_within(result: Result, most: int) -> Result:
    """The same with its outputs bounded."""
    cut = result.truncated or sum(map(weight, result.outputs)) > most
    outputs = bounded(result.outputs, most, cut=cut)
    return msgspec.structs.replace(result, outputs=outputs, truncated=cut)


def weight(output: Output) -> int:
    """About how many characters it takes to write."""
    match output:
        case Text(text=text):
            return len(text)
        case Display(data=data):
            return sum(len(v) if isinstance(v, str) else 1024 for v in data.values())
        case Failure(message=message, traceback=traceback):
            return len(message) + sum(map(len, traceback))


def contents(result: Result, most: int) -> list[Mapping[str, object]]:
    """The outputs of a run as the contents of Jupyter messages; last, how it ended if oddly."""
    told = [content(output) for output in bounded(result.outputs, most, cut=result.truncated)]
    name = ENDS.get(result.outcome)
    if name is not None:
        why = result.detail or str(result.outcome)
        told.append({"ename": name, "evalue": why, "traceback": list[str]()})
    return told


def content(output: Output) -> Mapping[str, object]:
    """One output as the content of the Jupyter message that it came as."""
    match output:
        case Text():
            return {"name": output.stream, "text": output.text}
        case Display(execution_count=None):
            named = {"display_id": output.display_id} if output.display_id else {}
            return {"data": output.data, "metadata": output.metadata, "transient": named}
        case Display():
            return {
                "data": output.data,
                "metadata": output.metadata,
                "execution_count": output.execution_count,
            }
        case Failure():
            traceback = list(output.traceback)
            return {"ename": output.name, "evalue": output.message, "traceback": traceback}
