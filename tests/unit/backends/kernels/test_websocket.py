"""Frames of a Jupyter server: texts, and bytes with attachments."""

from __future__ import annotations

import json
import struct

import msgspec
import pytest

from sandbox_tui.backends.kernels.foreign.websocket import message_of
from sandbox_tui.backends.kernels.messages import Message
from sandbox_tui.backends.kernels.wire import unpack

SAID = {
    "channel": "iopub",
    "header": {"msg_type": "stream", "msg_id": "2"},
    "parent_header": {"msg_id": "1"},
    "metadata": {},
    "content": {"name": "stdout", "text": "é\ud800"},
    "buffers": [],
}


def test_a_text_is_one_message() -> None:
    message = message_of(json.dumps(SAID))
    assert message[:3] == ("iopub", "stream", "1")
    assert unpack(message) == {"name": "stdout", "text": "é?"}


@pytest.mark.parametrize("attachments", [[], [b"picture"], [b"", b"\xff\x00"]])
def test_bytes_are_a_message_with_attachments(attachments: list[bytes]) -> None:
    parts = [json.dumps(SAID).encode(), *attachments]
    starts = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        starts.append(starts[-1] + len(part))
    frame = struct.pack(f"!{len(parts) + 1}I", len(parts), *starts) + b"".join(parts)
    assert message_of(frame) == message_of(json.dumps(SAID))


def test_what_the_server_says_itself_has_no_cause() -> None:
    said = {"header": {"msg_type": "status"}, "content": {"execution_state": "dead"}}
    expected = Message("iopub", "status", "", b'{"execution_state":"dead"}')
    assert message_of(json.dumps(said, separators=(",", ":"))) == expected


@pytest.mark.parametrize("frame", ["", "[]", "{}", b"", b"\0\0", b"\0\0\0\2\0\0\0\1", b"\0" * 4])
def test_anything_else_is_refused(frame: str | bytes) -> None:
    with pytest.raises((ValueError, msgspec.MsgspecError, struct.error, IndexError)):
        message_of(frame)
