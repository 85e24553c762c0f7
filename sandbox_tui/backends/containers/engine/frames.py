"""What an engine sends on a stream, taken apart: HTTP chunks, frames of two streams, text.

Each part is fed with bytes as they come and keeps what is unfinished, so a reader may take 64 KB
at a time. The HTTP library would hand over every chunk, that is every log line, by itself: twice
the processor time, and a wake-up of the event loop for each line.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterable

from sandbox_tui.model.outputs import Text

_HEADER = struct.Struct(">BxxxL")
_LARGEST_FRAME = 64 * 1024 * 1024
_NAMES = {0: "stdout", 1: "stdout", 2: "stderr", 3: "stderr"}

STDOUT, STDERR = 1, 2

Frame = tuple[int, bytes]


class Chunks:
    """Body of an HTTP/1.1 reply in chunks (RFC 9112, 7.1).

    Raises `ValueError` for anything else.
    """

    def __init__(self) -> None:
        self.complete = False
        self._rest: bytes = b"\r\n"
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """The body bytes in `data`; `complete` is set after the last one."""
        data = self._rest + data if self._rest else data
        at, body, view = 0, list[memoryview](), memoryview(data)
        while at < len(data) and not self.complete:
            if self._left:
                piece = view[at : at + self._left]
                at, self._left = at + len(piece), self._left - len(piece)
                body.append(piece)
            elif (end := data.find(b"\r\n", at + 2)) >= 0:
                self._begin(data[at:end])
                at = end + 2
            else:
                break
        self._rest = data[at:]
        return b"".join(body)

    def _begin(self, size: bytes) -> None:
        """A line with a size in hexadecimal; the line end of the chunk before is left on it."""
        self._left = int(size.partition(b";")[0], 16)
        self.complete = self._left == 0
        if self._left < 0:
            raise ValueError(f"no chunk has the size {size!r}")


class Frames:
    """stdout and stderr on one connection: eight bytes of header, then that many of payload.

    As in the engine API's page on attaching. Raises `ValueError` for anything else.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The whole frames so far; an unfinished one waits for the rest of it."""
        data, at, frames = self._rest + data, 0, list[Frame]()
        while len(data) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(data, at)
            if stream not in _NAMES or size > _LARGEST_FRAME:
                raise ValueError(f"no frame starts with {data[at : at + 8]!r}")
            start = at + _HEADER.size
            if start + size > len(data):
                break
            at = start + size
            frames.append((stream, data[start:at]))
        self._rest = data[at:]
        return frames

    def rest(self) -> list[Frame]:
        """Nothing; raises `EOFError` when the stream has ended within a frame."""
        if self._rest:
            raise EOFError("the stream ends within a frame")
        return []


class Voice:
    """The bytes of one stream as text; an unfinished character waits for the rest of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""

    def text(self, data: bytes, *, final: bool = False) -> Text:
        """`data` as far as it is whole, or (`final`) all of it. It may be empty."""
        data = self._rest + data
        text, used = codecs.utf_8_decode(data, "replace", final)
        data, self._rest = data[:used], data[used:]
        lossless = "\ufffd" not in text or text.encode() == data
        return Text(self._name, text, raw=None if lossless else data)


class Voices:
    """Frames as text: UTF-8 put together across frames, neighbours of one stream joined."""

    def __init__(self) -> None:
        self._voices = {name: Voice(name) for name in ("stdout", "stderr")}

    def decode(self, stream: int, data: bytes) -> str:
        """`data` as text; the first bytes of an unfinished character wait for the rest of it."""
        return self._voices[_NAMES[stream]].text(data).text

    def texts(self, frames: Iterable[Frame]) -> list[Text]:
        """One `Text` for each run of frames of the same stream."""
        said = [self._voices[name].text(data) for name, data in joined(frames)]
        return [text for text in said if text.text]

    def rest(self) -> list[Text]:
        """What is left of unfinished characters when the streams have ended."""
        said = [voice.text(b"", final=True) for voice in self._voices.values()]
        return [text for text in said if text.text]


def joined(frames: Iterable[Frame]) -> list[tuple[str, bytes]]:
    """Runs of frames of the same stream, put together, by its name."""
    runs: list[tuple[str, list[bytes]]] = []
    for stream, data in frames:
        if not runs or runs[-1][0] != _NAMES[stream]:
            runs.append((_NAMES[stream], []))
        runs[-1][1].append(data)
    return [(name, b"".join(data)) for name, data in runs]


def name_of(stream: int) -> str:
    """`stdout` or `stderr`; what the engine itself says goes to stderr."""
    return _NAMES[stream]
