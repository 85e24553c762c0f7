"""`image`: what containers are made of, fetched, built, and carried as files."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sandbox_tui.cli.diagnostics import OK
from sandbox_tui.cli.frame import Frame, command
from sandbox_tui.cli.names import machine
from sandbox_tui.cli.transfers import carried
from sandbox_tui.hub.options import OPTIONS
from sandbox_tui.model.actions import Action, BuildImage, ExportImages, ImportImages, PullImage
from sandbox_tui.runtime.transfer import Transfer


def _runtime() -> click.Option:
    option = OPTIONS["runtime"]
    return click.Option([option.flag], default="", help=option.help, metavar=option.metavar)


@command("pull", click.Argument(["image"]), _runtime())
async def pull(frame: Frame, *, image: str, runtime: str) -> int:
    """Fetch an image from its registry and print its id."""
    made = await _made(frame, PullImage(image=image, runtime=runtime))
    return _say(frame, "pull", made, image=image, id=made)


@command(
    "build",
    click.Argument(["image"]),
    click.Argument(["folder"], default=".", metavar="[FOLDER]"),
    click.Option(["-f", "--file"], default="Dockerfile", help="Dockerfile, within FOLDER."),
    _runtime(),
)
async def build(frame: Frame, *, image: str, folder: str, file: str, runtime: str) -> int:
    """Build an image from a folder and print its id."""
    action = BuildImage(image=image, folder=folder, dockerfile=file, runtime=runtime)
    made = await _made(frame, action)
    return _say(frame, "build", made, image=image, id=made)


@command(
    "export",
    click.Argument(["file"], metavar="FILE.tar"),
    click.Argument(["images"], nargs=-1, required=True, metavar="IMAGE..."),
    _runtime(),
)
async def export(frame: Frame, *, file: str, images: Sequence[str], runtime: str) -> int:
    """Write images into a file, for an engine that has no registry."""
    made = await _made(frame, ExportImages(images=tuple(images), target=file, runtime=runtime))
    return _say(frame, "export", made, file=made, images=list(images))


@command("import", click.Argument(["file"], metavar="FILE.tar"), _runtime())
async def import_file(frame: Frame, *, file: str, runtime: str) -> int:
    """Take in the images of such a file and print their names."""
    made = await _made(frame, ImportImages(source=file, runtime=runtime))
    return _say(frame, "import", made, file=file, images=made.splitlines())


image = click.Group(
    "image",
    commands=[pull, build, export, import_file],
    help="Images: what containers are made of.",
)


async def _made(frame: Frame, action: Action) -> str:
    async with machine(frame.of_containers) as api:
        transfer = await api.perform(action)
        assert isinstance(transfer, Transfer)
        return await carried(frame, transfer)


def _say(frame: Frame, done: str, made: str, **values: object) -> int:
    if frame.json:
        frame.show_json({"done": done, **values})
    else:
        frame.show(made)
    return OK
