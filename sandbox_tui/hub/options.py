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
    "profile": Option("--profile", "What says the rest; alone it makes a container.", "NAME"),
    "labels": Option("--label", "Label, for you and for the filter.", "NAME=VALUE"),
    "user": Option("--user", "Who it runs as.", "USER[:GROUP]"),
    "network": Option("--network", "Which network: none, bridge, host, or its name.", "NAME"),
    "read_only": Option("--read-only", "Its root file system cannot be written."),
    "memory": Option("--memory", "Limit of its memory, as 256m or 1.5g.", "SIZE"),
    "cpus": Option("--cpus", "How many cores it may use.", "NUMBER"),
    "pids": Option("--pids", "How many processes it may have.", "NUMBER"),
    "security": Option("--security", "How high its wall is.", "normal|strict"),
    "ttl": Option("--ttl", "End and remove it after that, in seconds.", "SECONDS"),
    "idle_timeout": Option("--idle-timeout", "The same, without use.", "SECONDS"),
    "persist": Option("--persist", "It outlives whoever made it."),
    "kernel": Option("--kernel", "Kernelspec; alone it makes a room.", "NAME"),
    "env_source": Option("--env-source", "Where a room's packages come from.", "SOURCE"),
    "isolation": Option(
        "--isolation", "What a room's kernel is shut in.", "none|container|container+network"
    ),
    "notebook": Option("--notebook", "A notebook file that a new room is made from.", "FILE.ipynb"),
    "pull": Option("--pull", "Fetch the image when it is missing."),
    "replace": Option("--replace", "End what has that name first."),
    "fresh": Option("--fresh", "Replace a container by a new one like it."),
    "force": Option("--force", "Without asking it nicely first."),
    "timeout": Option("--timeout", "How long it may take, in seconds.", "SECONDS"),
    "enter": Option("--no-enter", "Do not press Enter afterwards."),
    "key": Option("--key", "A key to press, as tmux names it: C-c, Up, Enter.", "KEY"),
}
"""By the name of the field."""
