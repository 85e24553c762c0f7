"""How a container comes to be, and how it goes with all that was kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sandbox_tui.api.containers_async import leaving
from sandbox_tui.api.containers_async.container import AsyncContainer
from sandbox_tui.api.containers_async.errors import translated
from sandbox_tui.api.containers_async.machine import Machine, machine
from sandbox_tui.hub import projects
from sandbox_tui.hub.profiles import Profiles
from sandbox_tui.hub.terms import OWNER, container_id
from sandbox_tui.model.actions import Create, PullImage
from sandbox_tui.model.errors import ImageNotFoundError, NotFoundError
from sandbox_tui.model.specs import ContainerSpec
from sandbox_tui.model.world import Sandbox
from sandbox_tui.runtime.identity import myself
from sandbox_tui.runtime.transfer import Progress, Transfer

Progressed = Callable[[Progress], object]


async def made(
    spec: ContainerSpec,
    *,
    timeout: float = 30,
    pull: bool = False,
    on_progress: Progressed | None = None,
    socket_path: str | None = None,
    owned: bool = True,
) -> AsyncContainer:
    """Make it and hold it; what is `owned` and does not persist ends with this program."""
    there = await machine(socket_path)
    root = await asyncio.to_thread(projects.find_root) if spec.persist else None
    if root is not None and not spec.project:
        name = (await asyncio.to_thread(projects.read, root)).project_name
        spec = msgspec.structs.replace(spec, project=name)
    owned = owned and not spec.persist
    if owned:
        spec = msgspec.structs.replace(spec, labels={OWNER: await asyncio.to_thread(myself)})
    with translated(known=False):
        box = await _created(there, spec, on_progress, pull=pull)
    if owned:
        there.keep(box)
    folder = await asyncio.to_thread(_kept, root, box, spec) if root is not None else None
    return await held(there, box, timeout, folder)


async def held(there: Machine, box: Sandbox, timeout: float, folder: Path | None) -> AsyncContainer:
    """Hold one that is there, and that its project keeps in `folder`, if any does."""
    book = await asyncio.to_thread(projects.logbook, folder) if folder is not None else None
    return AsyncContainer(there, box, timeout=timeout, folder=folder, logbook=book)


async def pulled(there: Machine, image: str, on_progress: Progressed | None) -> str:
    """Fetch an image; its id."""
    transfer = await there.api.perform(PullImage(image=image))
    assert isinstance(transfer, Transfer)
    try:
        async for progress in transfer:
            if on_progress is not None:
                on_progress(progress)
        return await transfer
    except asyncio.CancelledError:
        await transfer.cancel()
        raise


async def destroyed(there: Machine, box: Sandbox) -> None:
    """Remove it, running or not, and what the project here keeps of that very container."""
    await there.remove(box.ref, container_id(box), force=True)
    leaving.let_go(container_id(box))
    await asyncio.to_thread(projects.forget, box)


async def folder_of(box: Sandbox) -> Path | None:
    """What the project here keeps of that very container; `None` when it keeps nothing."""
    root = await asyncio.to_thread(projects.find_root)
    if root is None or not box.managed:
        return None
    instances = projects.Instances(root)
    kept = await asyncio.to_thread(instances.read, box.ref.name)
    return instances.folder(box.ref.name) if kept and kept.id == container_id(box) else None


async def _created(
    there: Machine, spec: ContainerSpec, on_progress: Progressed | None, *, pull: bool
) -> Sandbox:
    """Make it; when its image is missing and may be fetched, once more after that."""
    wish = Create(spec=spec, pull=False)
    try:
        ref = await there.api.perform(wish)
    except ImageNotFoundError as error:
        if not pull:
            raise _with_remedy(there.hub.profiles, error) from error
        await pulled(there, error.image, on_progress)
        ref = await there.api.perform(wish)
    box = there.hub.world.get(str(ref))
    if box is None:  # ended and removed by somebody already
        raise NotFoundError(str(ref))
    return box


def _with_remedy(profiles: Profiles, error: ImageNotFoundError) -> ImageNotFoundError:
    """An image of a profile is built here, not fetched from whoever has taken its name."""
    mine = [each.name for each in profiles if each.bundled and each.image == error.image]
    hint = f"Build it: sandbox-tui profiles build {mine[0]}" if mine else error.hint
    return ImageNotFoundError(error.image, hint=hint)


def _kept(root: Path, box: Sandbox, spec: ContainerSpec) -> Path:
    """The folder that the project keeps for it. Writes a file."""
    instance = projects.Instance(
        id=container_id(box),
        name=spec.name,
        image=box.title,
        project=spec.project,
        created_at=datetime.now(UTC).isoformat(),
    )
    return projects.Instances(root).write(instance)
