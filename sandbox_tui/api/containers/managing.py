"""Containers by name, for callers that wait: the async functions, each waiting for its result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from sandbox_tui.api.containers.container import Container
from sandbox_tui.api.containers.loop import portal, waiting
from sandbox_tui.api.containers_async import managing
from sandbox_tui.api.containers_async.container import AsyncContainer

P = ParamSpec("P")


def _holding(
    function: Callable[P, Coroutine[Any, Any, AsyncContainer]],
) -> Callable[P, Container]:
    """The same function, waiting for the container and holding it with this face."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Container:
        loop = portal()
        return Container(loop.call(function(*args, **kwargs)), loop)

    return call


create_new_container = _holding(managing.create_new_container)
resume_container = _holding(managing.resume_container)
list_containers = waiting(managing.list_containers)
stop_container = waiting(managing.stop_container)
destroy_container = waiting(managing.destroy_container)
prune = waiting(managing.prune)
doctor = waiting(managing.doctor)
pull_image = waiting(managing.pull_image)
