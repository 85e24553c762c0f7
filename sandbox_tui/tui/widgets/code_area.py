"""A field for code: indents like the line before, and shows what it holds as harmless text."""

from __future__ import annotations

from unicodedata import category

from rich.text import Text
from textual.widgets import TextArea

OPENERS = (":", "(", "[", "{")
"""How a line ends that opens a block."""

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_JOINER = "\u200d"


class CodeArea(TextArea):
    """Plain text with soft wraps, without frame and line numbers; tab indents."""

    def __init__(self) -> None:
        super().__init__(
            compact=True,
            soft_wrap=True,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="indent",
        )

    def get_line(self, line_index: int) -> Text:
        """One line as it is painted: what would command the terminal is a picture instead."""
        line = self.document.get_line(line_index)
        shown = line if line.isprintable() else "".join(map(_shown, line))
        return Text(shown, end="", no_wrap=True)

    def break_line(self) -> None:
        """Begin a new line, as far in as the code is there."""
        start, end = self.selection
        self.replace(f"\n{self._indent()}", start, end, maintain_selection_offset=False)

    def opens_block(self) -> bool:
        """Whether the line of the cursor goes on in a deeper one."""
        return self._line().rstrip().endswith(OPENERS)

    def _indent(self) -> str:
        """What the next line begins with."""
        line = self._line()
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}    " if self.opens_block() else indent

    def _line(self) -> str:
        return self.document.get_line(self.cursor_location[0])


def _shown(char: str) -> str:
    """One character for one, so that columns stay columns; tabs are for the field itself."""
    if char in ("\t", _JOINER) or category(char) not in _UNSAFE:
        return char
    return chr(0x2400 + ord(char)) if char < " " else "\ufffd"
