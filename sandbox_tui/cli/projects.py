"""`init` and `profiles`: folders that containers belong to, and what they are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.cli.names import machine
from sandbox_tui.cli.tables import table
from sandbox_tui.hub import projects
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.hub.profiles import Profile, Profiles
from sandbox_tui.model.actions import BuildImage
from sandbox_tui.model.codec import to_builtins
from sandbox_tui.model.errors import UsageError
from sandbox_tui.runtime.transfer import Transfer
from sandbox_tui.settings.load import load

TITLES = ("NAME", "IMAGE", "NETWORK", "SIZE", "DESCRIPTION")


@command(
    "init",
    click.Argument(["path"], required=False, type=click.Path(path_type=Path), metavar="[PATH]"),
    click.Option(["--name"], metavar="NAME", help="The project's name; the folder's by default."),
)
def init(frame: Frame, *, path: Path | None, name: str | None) -> int:
    """Make a folder a project: containers that persist are kept track of there."""
    root = projects.init(path, name)
    if frame.json:
        frame.show_json({"root": str(root), "project": projects.read(root).project_name})
    else:
        frame.show(str(root))
    return OK


@command(
    "profiles",
    click.Argument(["what"], type=click.Choice(["list", "show", "build"]), default="list"),
    click.Argument(["name"], required=False, metavar="[NAME]"),
    click.Option(["--runtime"], help=OPTIONS["runtime"].help, metavar="docker|podman"),
)
async def profiles(frame: Frame, *, what: str, name: str | None, runtime: str | None) -> int:
    """List kinds of containers, show one with its Dockerfile, or build its image."""
    known = Profiles((await asyncio.to_thread(load)).config.profiles)
    if what == "list":
        _list(frame, known)
        return OK
    if name is None:
        raise UsageError(f"{what} which profile?", hint="Run: sandbox-tui profiles")
    profile = known.get(name)
    if what == "show":
        await asyncio.to_thread(_show, frame, profile)
        return OK
    return await _build(frame, profile, runtime or "")


def _list(frame: Frame, known: Profiles) -> None:
    if frame.json:
        frame.show_json([_entry(profile) for profile in known])
        return
    rows = [
        (each.name, each.image, "yes" if each.networked else "no", each.size, each.description)
        for each in known
    ]
    frame.show(table(TITLES, rows, width=frame.width, colour=frame.colour))


def _show(frame: Frame, profile: Profile) -> None:
    """Its values, then its Dockerfile as it is."""
    file = profile.folder / "Dockerfile" if profile.folder else None
    text = file.read_text(encoding="utf-8") if file is not None else ""
    if frame.json:
        frame.show_json({**_entry(profile), "dockerfile": text})
    else:
        values = "\n".join(f"{key}: {value}" for key, value in _entry(profile).items())
        frame.show(f"{values}\n\n{text}".rstrip())


async def _build(frame: Frame, profile: Profile, runtime: str) -> int:
    if profile.folder is None:
        hint = f"Build {profile.image or 'its image'} yourself, or fetch it."
        raise UsageError(f"profile {profile.name!r} has no Dockerfile of ours", hint=hint)
    async with machine(frame.of_containers) as api:
        wish = BuildImage(image=profile.image, folder=str(profile.folder), runtime=runtime)
        transfer = await api.perform(wish)
        assert isinstance(transfer, Transfer)
        told = ""
        try:
            async for progress in transfer:
                if progress.step not in ("", told):
                    frame.tell(told := progress.step)
            image_id = await transfer
        except asyncio.CancelledError:
            await transfer.cancel()
            raise
    if frame.json:
        frame.show_json({"done": "build", "image": profile.image, "id": image_id})
    else:
        frame.show(image_id)
    return OK


def _entry(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "image": profile.image,
        "network": profile.networked,
        "size": profile.size,
        "description": profile.description,
        "folder": str(profile.folder or ""),
        "values": to_builtins(profile.values),
    }
