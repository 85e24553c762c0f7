"""Containers as throw-away machines, for asyncio: the twins of `sandbox_tui.api.containers`.

async with await create_new_container(image="python:3.12") as box:
    print((await box.run("echo hello")).stdout)
"""

from sandbox_tui.api.containers_async.container import AsyncContainer
from sandbox_tui.api.containers_async.errors import (
    ContainerError,
    ContainerGone,
    ContainerNotFound,
    ContainerNotRunning,
    ImageNotFound,
    PocketDockError,
    PodmanNotRunning,
    ProjectNotInitialized,
    SessionClosed,
    SocketCommunicationError,
    SocketConnectionError,
    SocketError,
)
from sandbox_tui.api.containers_async.managing import (
    create_new_container,
    destroy_container,
    doctor,
    find_project_root,
    get_version,
    init_project,
    list_containers,
    list_profiles,
    prune,
    pull_image,
    resolve_profile,
    resume_container,
    stop_container,
)
from sandbox_tui.api.containers_async.running import AsyncExecStream, AsyncProcess
from sandbox_tui.api.containers_async.session import AsyncSession
from sandbox_tui.api.containers_async.values import (
    BufferSnapshot,
    ContainerInfo,
    ContainerListItem,
    DoctorReport,
    ExecResult,
    ProfileInfo,
    StreamChunk,
)

__all__ = [
    "AsyncContainer",
    "AsyncExecStream",
    "AsyncProcess",
    "AsyncSession",
    "BufferSnapshot",
    "ContainerError",
    "ContainerGone",
    "ContainerInfo",
    "ContainerListItem",
    "ContainerNotFound",
    "ContainerNotRunning",
    "DoctorReport",
    "ExecResult",
    "ImageNotFound",
    "PocketDockError",
    "PodmanNotRunning",
    "ProfileInfo",
    "ProjectNotInitialized",
    "SessionClosed",
    "SocketCommunicationError",
    "SocketConnectionError",
    "SocketError",
    "StreamChunk",
    "create_new_container",
    "destroy_container",
    "doctor",
    "find_project_root",
    "get_version",
    "init_project",
    "list_containers",
    "list_profiles",
    "prune",
    "pull_image",
    "resolve_profile",
    "resume_container",
    "stop_container",
]
