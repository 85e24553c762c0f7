"""Log lines that are JSON, as a person would have written them: `14:05:02 WARN text key=value`."""

from __future__ import annotations

from typing import cast

import msgspec

_TIMES = ("time", "ts", "timestamp", "@timestamp", "asctime")
_LEVELS = ("level", "lvl", "severity", "levelname", "log.level")
_MESSAGES = ("message", "msg", "event", "text")
_LONGEST = 8 * 1024
_ONE_LINE = str.maketrans({"\n": "⏎", "\r": "␍", "\t": " "})


def readable(text: str) -> str | None:
    """One line with a little ANSI (dim keys), or None when `text` is not a JSON object."""
    if len(text) > _LONGEST or not text.lstrip().startswith("{"):
        return None
    try:
        record = msgspec.json.decode(text.encode("utf-8", "replace"))
    except msgspec.DecodeError:
        return None
    return _sentence(cast("dict[str, object]", record)) if isinstance(record, dict) else None


def _sentence(record: dict[str, object]) -> str:
    head = (_take(record, _TIMES), _take(record, _LEVELS).upper(), _take(record, _MESSAGES))
    rest = (f"\x1b[2m{key}=\x1b[22m{_quoted(_value(value))}" for key, value in record.items())
    return " ".join(part for part in (*head, *rest) if part)


def _take(record: dict[str, object], names: tuple[str, ...]) -> str:
    """Remove and return what the record has under the first of these names."""
    name = next((name for name in names if name in record), None)
    return _value(record.pop(name)) if name else ""


def _value(value: object) -> str:
    if isinstance(value, str):
        return value.translate(_ONE_LINE)
    return msgspec.json.encode(value).decode()


def _quoted(value: str) -> str:
    return f'"{value}"' if not value or (" " in value and value[0] not in "{[") else value
