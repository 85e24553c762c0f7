"""How the fields of actions are written in a shell: flag and meaning, once for all verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Option(NamedTuple):
    """One option of the command line."""

    flag: str
    help: str
    metavar: str = ""


OPTIONS: Mapping[str, Option] = {
    "kind": Option("--backend", "Kind of sandbox; no other is asked.", "tmux|container|room"),
    "command": Option("--command", "What to run in it, through a shell.", "TEXT"),
    "image": Option("--image", "Container image; alone it makes a container.", "IMAGE"),
    "volumes": Option("--volume", "Mount of a folder or volume.", "HOST:CONTAINER[:MODE]"),
    "ports": Option("--port", "Published port.", "[ADDRESS:]HOST:CONTAINER[/PROTOCOL]"),
    "env": Option("--env", "Environment variable.", "NAME=VALUE"),
    "working_dir": Option("--workdir", "Folder to start in.", "FOLDER"),
    "log_volume": Option("--log-volume", "One more mount, for logs.", "HOST:CONTAINER"),
    "socket": Option("--socket", "Which tmux server, by the name of its socket.", "NAME"),
    "runtime": Option("--runtime", "Which container engine.", "docker|podman"),
    "kernel": Option("--kernel", "Kernelspec; alone it makes a room.", "NAME"),
    "replace": Option("--replace", "End what has that name first."),
    "force": Option("--force", "Without asking it nicely first."),
    "timeout": Option("--timeout", "How long it may take, in seconds.", "SECONDS"),
    "enter": Option("--no-enter", "Do not press Enter afterwards."),
    "key": Option("--key", "A key to press, as tmux names it: C-c, Up, Enter.", "KEY"),
}
"""By the name of the field."""
