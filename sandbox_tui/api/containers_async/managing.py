"""Containers by name: make, resume, list, stop, destroy, prune, and look whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import sandbox_tui
from sandbox_tui.api.containers_async import wishes
from sandbox_tui.api.containers_async.container import AsyncContainer
from sandbox_tui.api.containers_async.errors import ProjectNotInitialized, translated
from sandbox_tui.api.containers_async.machine import machine
from sandbox_tui.api.containers_async.making import (
    Progressed,
    destroyed,
    folder_of,
    held,
    made,
    pulled,
)
from sandbox_tui.api.containers_async.values import (
    ContainerListItem,
    DoctorReport,
    ProfileInfo,
)
from sandbox_tui.hub import projects
from sandbox_tui.hub.profiles import Profile, Profiles
from sandbox_tui.hub.pruning import prunable
from sandbox_tui.hub.terms import container_id, terms_of
from sandbox_tui.model.actions import Restart, Resume, Stop
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.settings.load import load


async def create_new_container(
    *,
    image: str = wishes.DEFAULT_IMAGE,
    name: str | None = None,
    timeout: float = 30,
    mem_limit: str | None = None,
    cpu_percent: float | None = None,
    persist: bool = False,
    volumes: Mapping[str, str] | None = None,
    project: str | None = None,
    profile: str | None = None,
    devices: Sequence[str] | None = None,
    ports: Mapping[int, int] | None = None,
    env: Mapping[str, str] | None = None,
    workdir: str | None = None,
    user: str | None = None,
    network: str | bool | None = None,
    read_only: bool = False,
    security: Literal["normal", "strict"] = "normal",
    idle_timeout: float | None = None,
    ttl: float | None = None,
    pull: bool = False,
    on_progress: Progressed | None = None,
    socket_path: str | None = None,
) -> AsyncContainer:
    """Make a container that waits for commands.

    Without `persist` it ends with `shutdown`, and with this program at the latest. `timeout` is
    that of its commands; `ttl` and `idle_timeout` say when it is ended and removed (all seconds).
    100 of `cpu_percent` is one core. `pull` fetches an image that is missing; `on_progress` hears
    how far that is. `socket_path` names the engine, and no other is asked then.
    """
    spec = wishes.called(name, image, profile, project, persist=persist)
    spec = wishes.limited(spec, mem_limit, cpu_percent, idle_timeout, ttl)
    spec = wishes.connected(spec, volumes, ports, devices, network)
    spec = wishes.inside(spec, env, workdir, user, security, read_only=read_only)
    return await made(
        spec, timeout=timeout, pull=pull, on_progress=on_progress, socket_path=socket_path
    )


async def resume_container(
    name: str, *, socket_path: str | None = None, timeout: float = 30
) -> AsyncContainer:
    """Hold the container of exactly that name, started again if it has ended or is paused.

    It may be any container, whoever made it. Raises `ContainerNotFound`.
    """
    there = await machine(socket_path)
    with translated(known=False):
        box = await there.find(name)
        if box.state is State.PAUSED:
            await there.api.perform(Resume(ref=box.ref))
        elif not box.state.is_live:
            await there.api.perform(Restart(ref=box.ref))
        box = there.hub.world.get(box.ref) or box
    return await held(there, box, timeout, await folder_of(box))


async def list_containers(
    *, socket_path: str | None = None, project: str | None = None
) -> list[ContainerListItem]:
    """Every container that this program made, running or not; of one project, if it is named."""
    there = await machine(socket_path)
    boxes = [box for box in await there.boxes() if box.managed]
    return [_item(box) for box in boxes if project in (None, terms_of(box).project)]


async def stop_container(name: str, *, socket_path: str | None = None) -> None:
    """Stop a container and leave it there. Raises `ContainerNotFound`."""
    there = await machine(socket_path)
    with translated(known=False):
        box = await there.find(name)
        await there.api.perform(Stop(ref=box.ref))


async def destroy_container(name: str, *, socket_path: str | None = None) -> None:
    """Remove a container, running or not, with what a project keeps of it.

    Raises `ContainerNotFound`.
    """
    there = await machine(socket_path)
    with translated(known=False):
        await destroyed(there, await there.find(name))


async def prune(*, socket_path: str | None = None, project: str | None = None) -> int:
    """Remove containers of this program that were created or have ended; how many.

    Those that run or are paused stay.
    """
    there = await machine(socket_path)
    ended = [box for box in await there.boxes() if prunable(box, project)]
    for box in ended:
        await destroyed(there, box)
    return len(ended)


async def doctor(
    *, project_root: Path | None = None, socket_path: str | None = None
) -> DoctorReport:
    """Hold a project's folders against the containers there are.

    Raises `ProjectNotInitialized` where there is no project.
    """
    root = project_root or await asyncio.to_thread(projects.find_root)
    if root is None:
        raise ProjectNotInitialized
    boxes = await (await machine(socket_path)).boxes()
    found = await asyncio.to_thread(projects.cross_check, root, boxes)
    return DoctorReport(
        orphaned_containers=found.orphaned_containers,
        stale_instance_dirs=found.stale_instance_dirs,
        healthy=found.healthy,
    )


async def pull_image(
    image: str, *, on_progress: Progressed | None = None, socket_path: str | None = None
) -> str:
    """Fetch an image; its id. Raises `ImageNotFound`."""
    return await pulled(await machine(socket_path), image, on_progress)


# --- without an engine ------------------------------------------------------------------------


def find_project_root(start: Path | None = None) -> Path | None:
    """The nearest folder with `.pocketdock/pocketdock.yaml`, from `start` (or here) upward."""
    return projects.find_root(start)


def init_project(path: Path | None = None, *, project_name: str | None = None) -> Path:
    """Make a folder a project; its root. One that is a project already stays as it is."""
    return projects.init(path, project_name)


def resolve_profile(name: str) -> ProfileInfo:
    """The profile of exactly that name. Raises `ProfileNotFoundError`."""
    return _profile_info(_profiles().get(name))


def list_profiles() -> list[ProfileInfo]:
    """The six that come with the program, and those of the configuration."""
    return list(map(_profile_info, _profiles()))


def get_version() -> str:
    """The version of this program."""
    return sandbox_tui.__version__


def _profiles() -> Profiles:
    return Profiles(load().config.profiles)


def _profile_info(profile: Profile) -> ProfileInfo:
    return ProfileInfo(
        name=profile.name,
        image_tag=profile.image,
        dockerfile_dir=str(profile.folder or ""),
        network_default=profile.networked,
        description=profile.description,
        size_estimate=profile.size,
    )


def _item(box: Sandbox) -> ContainerListItem:
    terms = terms_of(box)
    return ContainerListItem(
        id=container_id(box),
        name=box.ref.name,
        status=box.state.value,
        image=box.title,
        created_at=datetime.fromtimestamp(box.created_at or 0.0, UTC).isoformat(),
        persist=terms.persist,
        project=terms.project,
    )
