"""What each Action does: one function per action, over the capabilities of its backend."""

from __future__ import annotations

import contextlib
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from sandbox_tui.backends.base import (
    Attaches,
    Images,
    Interrupts,
    Pauses,
    Restarts,
    Rests,
    Revives,
    Runs,
    RunsOnce,
    Shells,
    Types,
)
from sandbox_tui.backends.upkeep import Renews
from sandbox_tui.hub import cargo, notebooks
from sandbox_tui.hub.hub import Hub
from sandbox_tui.hub.registry import ENDED, is_made_anew
from sandbox_tui.hub.starting import left_as_it_was, may_run_again, spec_for, whole
from sandbox_tui.hub.terms import STARTER
from sandbox_tui.model.actions import (
    Action,
    Attach,
    Attachment,
    Create,
    Interrupt,
    Pause,
    Remove,
    Restart,
    Resume,
    Run,
    RunOnce,
    Send,
    Shell,
    Start,
    Stop,
)
from sandbox_tui.model.errors import (
    ImageNotFoundError,
    NotFoundError,
    OnlyDefinedError,
    UnsupportedError,
)
from sandbox_tui.model.limits import check
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec, Inside, Spec
from sandbox_tui.model.world import Sandbox, State
from sandbox_tui.runtime.execution import Execution
from sandbox_tui.runtime.identity import myself

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[object]])
Made = TypeVar("Made")
_HANDLERS: dict[type[Action], Callable[[Hub, Any], Awaitable[object]]] = {
    **cargo.HANDLERS,
    **notebooks.HANDLERS,
}


async def perform(hub: Hub, action: Action) -> object:
    """Do what `action` asks for. Raises `SandboxError`s only."""
    try:
        return await _HANDLERS[type(action)](hub, action)
    except NotFoundError as error:
        box = hub.world.get(getattr(action, "ref", ""))
        if box is not None and box.state is State.DEFINED and error.text == box.ref:
            raise OnlyDefinedError(box.ref) from error
        raise


def performable() -> frozenset[type[Action]]:
    """Every action that can be performed."""
    return frozenset(_HANDLERS)


def handles(*actions: type[Action]) -> Callable[[Handler], Handler]:
    """Register the one function that performs these actions."""

    def register(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(actions, handler))
        return handler

    return register


@handles(Start)
async def start(hub: Hub, action: Start) -> Ref:
    """Make it; a name that is taken is a conflict unless `replace` says to end that first."""
    if (ended := left_as_it_was(hub, action)) is not None:
        await _run_again(hub, ended)
        return ended
    return await make(hub, spec_for(hub, action), replace=action.replace, pull=action.pull)


async def make(hub: Hub, spec: Spec, *, replace: bool = False, pull: bool = False) -> Ref:
    """Have what `spec` describes, with its profile under it; what has ended runs again.

    Raises `AlreadyExistsError` while it lives, `DefinitionChangedError` when what has ended was
    made otherwise; `replace` ends that first, `pull` fetches a missing image.
    """
    spec = whole(hub, spec)
    ref = hub.home(spec)
    backend = hub.backend(ref.place)
    there = hub.world.get(ref)
    if there is not None and there.state is not State.DEFINED and replace:
        await _take_away(hub, ref)
    elif there is not None and may_run_again(there, spec):
        await _run_again(hub, ref)
        return ref
    if isinstance(spec, ContainerSpec) and pull:
        await _with_image(backend, spec.image, lambda: backend.start(spec))
    else:
        await backend.start(spec)
    await hub.refresh(ref.place)
    return ref


@handles(Create)
async def create(hub: Hub, action: Create) -> Ref:
    """Make a container as its spec and its profile say."""
    spec = hub.filled(action.spec)
    check(spec)
    ref = hub.home(spec)
    backend = hub.backend(ref.place)
    if action.pull:
        await _with_image(backend, spec.image, lambda: backend.start(spec))
    else:
        await backend.start(spec)
    await hub.refresh(ref.place)
    return ref


@handles(RunOnce)
async def run_once(hub: Hub, action: RunOnce) -> Execution:
    """Run the command of a container that exists for it only; its image is fetched when missing."""
    spec = hub.filled(action.spec)
    check(spec)
    spec = msgspec.structs.replace(spec, labels={**spec.labels, STARTER: await to_thread(myself)})
    able = hub.able(hub.home(spec), RunsOnce, "run a command once")
    return await _with_image(able, spec.image, lambda: able.run_once(spec, timeout=action.timeout))


@handles(Stop)
async def stop(hub: Hub, action: Stop) -> None:
    """End it: gracefully unless `force`. What is defined is then no more than that."""
    _must_be_live(hub, action.ref)
    box = hub.world.get(action.ref)
    backend = hub.backend(action.ref.place)
    grace = 0.0 if action.force else action.timeout
    if action.if_idle:
        able = hub.able(action.ref, Rests, "be stopped only when it is idle")
        await able.stop_idle(action.ref, grace=grace)
    else:
        await backend.stop(action.ref, grace=grace)
    if box is not None and is_made_anew(box):
        with contextlib.suppress(NotFoundError):
            await backend.remove(action.ref)
    await hub.refresh(action.ref.place)


@handles(Restart)
async def restart(hub: Hub, action: Restart) -> None:
    """Run it again in place; one that has ended is not ended first."""
    box, backend = hub.known(action.ref), hub.backend(action.ref.place)
    if not action.fresh and box.state in ENDED and isinstance(backend, Revives):
        await backend.revive(action.ref)
    elif action.fresh:
        await hub.able(action.ref, Renews, "be made anew").renew(action.ref, grace=action.timeout)
    else:
        able = hub.able(action.ref, Restarts, "be restarted")
        await able.restart(action.ref, grace=action.timeout)
    await hub.refresh(action.ref.place)


@handles(Pause)
async def pause(hub: Hub, action: Pause) -> None:
    """Freeze it."""
    await hub.having(action.ref, Pauses, "be paused").pause(action.ref)
    await hub.refresh(action.ref.place)


@handles(Resume)
async def resume(hub: Hub, action: Resume) -> None:
    """Thaw it."""
    await hub.having(action.ref, Pauses, "be resumed").resume(action.ref)
    await hub.refresh(action.ref.place)


@handles(Remove)
async def remove(hub: Hub, action: Remove) -> None:
    """Take it away, with what the project here keeps of it; a live one only with `force`."""
    _must_be_live(hub, action.ref)
    box = hub.world.get(action.ref)
    if action.force:
        await _take_away(hub, action.ref)
    else:
        await hub.backend(action.ref.place).remove(action.ref)
    if box is not None:
        await to_thread(_forget, box)
    await hub.refresh(action.ref.place)


@handles(Attach)
async def attach(hub: Hub, action: Attach) -> Attachment:
    """How to hand the terminal over to its main process."""
    return await hub.having(action.ref, Attaches, "be attached to").attachment(action.ref)


@handles(Shell)
async def shell(hub: Hub, action: Shell) -> Attachment:
    """How to hand the terminal over to a new shell."""
    return await hub.having(action.ref, Shells, "open a shell").shell(action.ref)


@handles(Run)
async def run(hub: Hub, action: Run) -> Execution:
    """Run code; a terminal has no exit code and is sent to instead."""
    hub.known(action.ref)
    backend = hub.backend(action.ref.place)
    if not isinstance(backend, Runs):
        hint = f"Run: sandbox-tui send {action.ref} TEXT"
        raise UnsupportedError(action.ref, "run code and say how it ended", hint=hint)
    inside = Inside(
        env=action.env or {},
        working_dir=action.working_dir or "",
        user=action.user or "",
        held=action.held,
    )
    return hub.occupied(
        await backend.execute(
            action.ref,
            action.code,
            timeout=action.timeout,
            cap=action.cap,
            keep=action.keep,
            inside=inside,
        )
    )


@handles(Send)
async def send(hub: Hub, action: Send) -> None:
    """Type text, then press the key if there is one."""
    able = hub.having(action.ref, Types, "be typed into")
    if action.text or not action.key:
        await able.type(action.ref, action.text, enter=action.enter and not action.key)
    if action.key:
        await able.press(action.ref, action.key)


@handles(Interrupt)
async def interrupt(hub: Hub, action: Interrupt) -> None:
    """End what runs in it."""
    await hub.having(action.ref, Interrupts, "be interrupted").interrupt(action.ref)


async def _run_again(hub: Hub, ref: Ref) -> None:
    """Start what has ended; of several at once, one does."""
    backend = hub.backend(ref.place)
    if isinstance(backend, Revives):
        await backend.revive(ref)
        await hub.refresh(ref.place)
    else:
        await restart(hub, Restart(ref=ref))


async def _with_image(backend: object, image: str, make: Callable[[], Awaitable[Made]]) -> Made:
    """Do it; where the image is missing, fetch it and do it again."""
    try:
        return await make()
    except ImageNotFoundError:
        if not isinstance(backend, Images):
            raise
        await (await backend.pull_image(image))
    return await make()


async def _take_away(hub: Hub, ref: Ref) -> None:
    """End and remove whatever has that name; what is gone already is fine."""
    backend = hub.backend(ref.place)
    for step in (backend.stop, backend.remove):
        try:
            await step(ref)
        except NotFoundError:
            return


def _forget(box: Sandbox) -> None:
    """Delete what the project here keeps of it. Reads and writes files."""
    from sandbox_tui.hub import projects  # a listing needs none of what it reads them with

    projects.forget(box)


def _must_be_live(hub: Hub, ref: Ref) -> None:
    if hub.known(ref).state is State.DEFINED:
        raise NotFoundError(ref, ())
