"""Key maps for hands that come from another program; what a preset does not name keeps its key."""

from __future__ import annotations

from collections.abc import Mapping

Keys = tuple[str, ...]

PRESETS: Mapping[str, Mapping[str, Keys]] = {
    "default": {},
    "lazydocker": {
        "sandbox.stop": ("s",),
        "sandbox.remove": ("d",),
        "sandbox.shell": ("E",),
        "sandbox.send": ("c",),
        "sandbox.run": ("c",),
        "copy.text": ("y",),
        "tab.logs": ("m",),
        "tab.events": ("e",),
        "view.open": ("enter", "right"),
        "view.back": ("escape", "left"),
        "move.left": ("shift+left",),
        "move.right": ("shift+right",),
    },
    "k9s": {
        "sandbox.shell": ("s",),
        "sandbox.send": ("e",),
        "sandbox.run": ("e",),
        "sandbox.stop": ("ctrl+k",),
        "sandbox.remove": ("ctrl+d",),
        "tab.inspect": ("d", "y"),
        "view.wrap": ("w",),
        "program.palette": (":", "ctrl+p", "ctrl+a"),
    },
    "claude-squad": {
        "sandbox.attach": ("enter", "o"),
        "view.open": ("right", "a"),
        "view.back": ("escape", "left"),
        "move.left": ("shift+left",),
        "move.right": ("shift+right",),
        "sandbox.pause": ("c",),
        "sandbox.resume": ("r",),
        "sandbox.start": ("r",),
        "sandbox.restart": ("R",),
        "copy.text": ("y",),
        "tab.next": ("tab", "]"),
        "tab.previous": ("shift+tab", "["),
        "move.next_section": ("}",),
        "move.previous_section": ("{",),
    },
}
