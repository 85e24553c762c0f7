"""What the keys do besides: other screens, copying, saving, themes, several at once, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import strftime
from typing import TYPE_CHECKING

from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model.actions import Start
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.tui.command_line import about
from sandbox_tui.tui.commands import command
from sandbox_tui.tui.desk import Notice
from sandbox_tui.tui.palette import Choice, Entry, actions, key_list, palette
from sandbox_tui.tui.situation import Half

if TYPE_CHECKING:
    from sandbox_tui.tui.screens.dashboard import Dashboard

RECENT = 50
"""How many choices of the palette are remembered."""


class Managing:
    """Manages the dashboard that it is given."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._on = dashboard
        self._recent: list[Choice] = []
        self._plain: Mapping[str, Callable[[], object]] = {
            "mark.act": self._bulk,
            "mark.logs": self._together,
            "view.save": self._save,
            "program.palette": self._palette,
            "program.keys": self._keys,
            "program.log": self._command_log,
            "program.suspend": dashboard.program.action_suspend_process,
            "program.quit": self._quit,
        }
        self._for_one: Mapping[str, Callable[[Ref], object]] = {
            "view.pin": self._pin,
            "copy.text": self._copy_text,
            "copy.command": self._copy_command,
            "program.actions": self._actions,
        }
        self._with_words: Mapping[str, Callable[[str], object]] = {
            "sandbox.new": self._new,
            "program.theme": dashboard.program.wear,
        }

    def does(self, command_id: str, ref: Ref | None, words: str) -> bool:
        """Do it, if it is a command of this kind."""
        if command_id in self._plain:
            self._plain[command_id]()
        elif command_id in self._with_words:
            self._with_words[command_id](words)
        elif command_id in self._for_one and ref is not None:
            self._for_one[command_id](ref)
        else:
            return False
        return True

    # Lists to choose from.

    def _palette(self) -> None:
        entries = palette(
            self._on.desk.world, self._on.situation, self._on.keymap, self._on.program.theme_names
        )
        self._choose("what to do", entries)

    def _actions(self, ref: Ref) -> None:
        box = self._on.desk.box(ref)
        if box is not None:
            self._choose(str(box.ref), actions(box, self._on.situation, self._on.keymap))

    def _keys(self) -> None:
        self._choose("keys", key_list(self._on.situation, self._on.keymap))

    def _choose(self, title: str, entries: Sequence[Entry]) -> None:
        from sandbox_tui.tui.screens.palette import PaletteScreen

        self._on.program.ask(PaletteScreen(title, entries, self._recent), self._chosen)

    def _chosen(self, choice: Choice | None) -> None:
        if choice is not None:
            self._recent = [choice, *(old for old in self._recent if old != choice)][:RECENT]
            self._on.run_command(choice.command, choice.ref or self._on.selected, choice.words)

    def _command_log(self) -> None:
        from sandbox_tui.tui.screens.command_log import CommandLog

        self._on.program.ask(CommandLog(self._on.desk.chronicle.commands), lambda _: None)

    # Several at once, and what is not there yet.

    @property
    def _marked(self) -> Sequence[Sandbox]:
        """The marked sandboxes, in the order of the list."""
        listing = self._on.listing
        marked = (self._on.desk.box(ref) for ref in listing.shown if ref in listing.marks)
        return [box for box in marked if box]

    def _together(self) -> None:
        from sandbox_tui.tui.screens.together import Together

        there = [box.ref for box in self._marked if box.state is not State.DEFINED]
        self._on.stage.together = screen = Together(there)
        self._on.program.ask(screen, self._apart)
        self._on.refresh_view()

    def _apart(self, _: None) -> None:
        self._on.stage.together = None
        self._on.refresh_view()

    def _bulk(self) -> None:
        boxes = self._marked
        entries = [
            Entry(
                title=f"{verb.title.lower()} {_count(boxes, verb.id)}",
                choice=Choice(verb.id),
                keys=self._on.keymap.label(verb.id),
            )
            for verb in VERBS
            if verb.id in BULK and _count(boxes, verb.id)
        ]
        self._choose_bulk(entries, boxes)

    def _choose_bulk(self, entries: Sequence[Entry], boxes: Sequence[Sandbox]) -> None:
        from sandbox_tui.tui.screens.palette import PaletteScreen

        def chosen(choice: Choice | None) -> None:
            verb = command(choice.command).verb if choice else None
            if verb is not None:
                self._on.acting.bulk(boxes, verb)

        self._on.program.ask(PaletteScreen(f"{len(boxes)} marked", entries, ()), chosen)

    def _new(self, kind: str) -> None:
        """A form for that kind, or for one more of the selected."""
        selected = self._on.selected
        kind = kind or (selected.kind if selected else "")
        from sandbox_tui.tui.screens.new import NewSandbox

        def filled(action: Start | None) -> None:
            if action is not None:
                self._on.acting.perform(action)

        self._on.program.ask(NewSandbox(kind), filled)

    def _pin(self, ref: Ref) -> None:
        self._on.tell(Notice(self._on.stage.toggle_pin(ref)))
        self._on.refresh_view()

    # Copying and saving.

    def _copy_text(self, ref: Ref) -> None:
        """In the view its text; in the list the full name."""
        in_view = self._on.half is Half.VIEW
        self._copy(self._on.viewer.panels.text() if in_view else str(ref))

    def _copy_command(self, ref: Ref) -> None:
        self._copy(self._on.desk.chronicle.last_command(ref) or about(ref))

    def _copy(self, text: str) -> None:
        if not text:
            self._on.tell(Notice("there is nothing to copy"))
            return
        self._on.program.copy_to_clipboard(text)
        self._on.run_worker(self._copy_further(text), group="copy", exclusive=True)

    async def _copy_further(self, text: str) -> None:
        from sandbox_tui.tui.clipboard import copy_beyond_terminal

        ways = ("terminal", *await copy_beyond_terminal(text))
        first, _, rest = text.partition("\n")
        what = f"{rest.count(chr(10)) + 2} lines" if rest else first
        self._on.tell(Notice(f"copied {what}\nto: {', '.join(ways)}"))

    def _save(self) -> None:
        """Write what the view shows into a file of the present folder."""
        box = self._on.viewer.box
        text = self._on.viewer.panels.text()
        if box is None or not text:
            self._on.tell(Notice("there is nothing to save"))
            return
        safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in box.ref.name)
        path = Path(f"{box.ref.kind}-{safe}-{strftime('%Y%m%d-%H%M%S')}.txt")
        self._on.run_worker(self._write(path, text + "\n"), group="save")

    async def _write(self, path: Path, text: str) -> None:
        try:
            await asyncio.to_thread(path.write_text, text, "utf-8")
        except OSError as error:
            self._on.tell(Notice(f"could not save {path}: {error.strerror}", "error"))
        else:
            self._on.tell(Notice(f"saved {path}, in the folder the dashboard was started in"))

    def _quit(self) -> None:
        """Back; at the root, out."""
        if self._on.half is Half.VIEW or self._on.has_class("-zoomed"):
            self._on.run_command("program.home", None)
        else:
            self._on.program.exit()


BULK = frozenset({
    "sandbox.start",
    "sandbox.stop",
    "sandbox.restart",
    "sandbox.pause",
    "sandbox.resume",
    "sandbox.interrupt",
    "sandbox.remove",
})  # fmt: skip
"""Verbs that make sense for several at once."""


def _count(boxes: Sequence[Sandbox], verb_id: str) -> str:
    """How many of them the verb is possible for, as `3 of 5`; empty for none."""
    verb = command(verb_id).verb
    able = sum(not verb.impossible(box) for box in boxes) if verb else 0
    return f"{able} of {len(boxes)}" if able else ""
