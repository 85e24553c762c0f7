"""Containers as throw-away machines.

    with create_new_container(image="python:3.12") as box:
        print(box.run("echo hello").stdout)

`sandbox_tui.api.containers_async` is the same for asyncio.
"""

from sandbox_tui.api.containers.container import Container
from sandbox_tui.api.containers.managing import (
    create_new_container,
    destroy_container,
    doctor,
    list_containers,
    prune,
    pull_image,
    resume_container,
    stop_container,
)
from sandbox_tui.api.containers.running import ExecStream, Process, Session
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
    find_project_root,
    get_version,
    init_project,
    list_profiles,
    resolve_profile,
)
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
    "BufferSnapshot",
    "Container",
    "ContainerError",
    "ContainerGone",
    "ContainerInfo",
    "ContainerListItem",
    "ContainerNotFound",
    "ContainerNotRunning",
    "DoctorReport",
    "ExecResult",
    "ExecStream",
    "ImageNotFound",
    "PocketDockError",
    "PodmanNotRunning",
    "Process",
    "ProfileInfo",
    "ProjectNotInitialized",
    "Session",
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
