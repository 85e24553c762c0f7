"""Pens: what a terminal writes with, as the escape codes that would set it.

A pen is a string such as `1;38;5;9`: the colours and attributes in force, each once, in a fixed
order; `""` is the plain pen. Strings hash once and compare by identity, so the styles that cost
milliseconds to combine are looked up by pen instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rich.color import Color
from rich.style import Style

_ATTRIBUTES = {
    "1": Style(bold=True),
    "2": Style(dim=True),
    "3": Style(italic=True),
    "4": Style(underline=True),
    "5": Style(blink=True),
    "6": Style(blink2=True),
    "7": Style(reverse=True),
    "8": Style(conceal=True),
    "9": Style(strike=True),
    "21": Style(underline2=True),
    "53": Style(overline=True),
}
_ENDS = {
    "22": ("1", "2"),
    "23": ("3",),
    "24": ("4", "21"),
    "25": ("5", "6"),
    "27": ("7",),
    "28": ("8",),
    "29": ("9",),
    "39": ("38",),
    "49": ("48",),
    "55": ("53",),
}
"""Which slots a code empties."""
_EXTENDED = frozenset(("38", "48", "58"))
_COLOURS = {
    f"{first + n}": (slot, bright + n)
    for slot, first, bright in (("38", 30, 0), ("48", 40, 0), ("38", 90, 8), ("48", 100, 8))
    for n in range(8)
}
"""The sixteen named colours: code → the slot it fills and its number in the palette."""


@lru_cache(maxsize=8192)
def turn(pen: str, codes: str) -> str:
    """The pen after `codes`, the part of an escape sequence between `[` and `m`.

    Unknown and broken codes change nothing.
    """
    slots: dict[str, str] = {}
    _apply(slots, pen)
    _apply(slots, codes or "0")
    return ";".join(slots[slot] for slot in sorted(slots))


@lru_cache(maxsize=8192)
def ink(base: Style, pen: str) -> Style:
    """`base` with everything that `pen` sets, combined once."""
    slots: dict[str, str] = {}
    _apply(slots, pen)
    style = base
    for slot, codes in slots.items():
        style += _ATTRIBUTES[slot] if slot in _ATTRIBUTES else _colour_style(slot, codes)
    return style


def _apply(slots: dict[str, str], codes: str) -> None:
    parts = iter(codes.split(";"))
    for part in parts if codes else ():
        code, *details = part.split(":")
        code = code.lstrip("0") or "0"
        if code in _EXTENDED:
            _fill(slots, code, _extended(_without_space(details) if details else parts))
        elif code == "4" and details:
            _underline(slots, details[0])
        else:
            _set(slots, code)


def _set(slots: dict[str, str], code: str) -> None:
    if code == "0":
        slots.clear()
    elif code in _ATTRIBUTES:
        slots[code] = code
    elif code in _COLOURS:
        slot, number = _COLOURS[code]
        slots[slot] = f"{slot};5;{number}"
    else:
        for slot in _ENDS.get(code, ()):
            slots.pop(slot, None)


def _underline(slots: dict[str, str], kind: str) -> None:
    """`4:0` is none, `4:2` double, every other kind (curly, dotted) a plain line."""
    _set(slots, "24")
    if kind != "0":
        _set(slots, "21" if kind == "2" else "4")


def _fill(slots: dict[str, str], slot: str, colour: str) -> None:
    if colour and slot != "58":
        slots[slot] = f"{slot};{colour}"


def _extended(parts: Iterator[str]) -> str:
    """Read `5;n` or `2;r;g;b`; empty when it is neither."""
    mode = next(parts, "")
    count = {"5": 1, "2": 3}.get(mode, 0)
    numbers = [next(parts, "") for _ in range(count)]
    if not count or not all(_is_byte(number) for number in numbers):
        return ""
    return ";".join((mode, *(str(int(number or "0")) for number in numbers)))


def _without_space(details: list[str]) -> Iterator[str]:
    """The parts of `2:SPACE:r:g:b` and `5:n`; the colour space may be missing or empty."""
    count = 3 if details[0] == "2" else 1
    return iter([details[0], *details[1:][-count:]])


def _is_byte(number: str) -> bool:
    return len(number) < 4 and (not number or (number.isdecimal() and int(number) < 256))


def _colour_style(slot: str, codes: str) -> Style:
    _, mode, *numbers = codes.split(";")
    values = [int(number) for number in numbers]
    colour = Color.from_ansi(values[0]) if mode == "5" else Color.from_rgb(*values[:3])
    return Style(color=colour) if slot == "38" else Style(bgcolor=colour)
