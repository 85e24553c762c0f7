"""From a `Start` to the Spec it asks for: the entry in the configuration, with values over it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import asdict

from sandbox_tui.backends.base import Notebooks, Restarts
from sandbox_tui.hub.hub import Hub
from sandbox_tui.model.actions import Start
from sandbox_tui.model.errors import (
    AlreadyExistsError,
    DefinitionChangedError,
    InvalidSpecError,
    NotFoundError,
)
from sandbox_tui.model.limits import check
from sandbox_tui.model.refs import Kind, Ref, resolve
from sandbox_tui.model.specs import SPEC_OF, ContainerSpec, Spec, fingerprint, overlay
from sandbox_tui.model.world import Sandbox, State

_MEANT_BY = frozenset({"name", "kind", "pull", "replace"})
"""Fields of a `Start` that say which sandbox and how; every other is a field of the spec."""


def spec_for(hub: Hub, action: Start) -> Spec:
    """The spec to start. Raises `NotFoundError` when nothing says what that name should be."""
    defined = _definition(hub, action)
    kind = _kind(action, defined)
    name = defined.name if defined is not None else _bare(action.name)
    base = _as_kind(defined, kind, name)
    said = {key: value for key, value in asdict(action).items() if key not in _MEANT_BY}
    _refuse_foreign(said, kind, base)
    fields = base.__struct_fields__
    return overlay(base, {key: value for key, value in said.items() if key in fields})


def whole(hub: Hub, spec: Spec) -> Spec:
    """`spec` with what its profile says. Raises `InvalidSpecError` when nothing can be made of it.

    Raises `ProfileNotFoundError`, too.
    """
    if isinstance(spec, ContainerSpec):
        spec = hub.filled(spec)
        if not spec.image:
            raise InvalidSpecError("image", f"{spec.ref} names no image")
    check(spec)
    return spec


def may_run_again(box: Sandbox, spec: Spec) -> bool:
    """Whether it has ended and is what `spec` would make.

    Raises `AlreadyExistsError` while it lives, `DefinitionChangedError` when made otherwise.
    """
    if box.state.is_live:
        raise AlreadyExistsError(box.ref)
    if box.state not in (State.EXITED, State.FAILED):
        return False  # somebody may be just about to start it
    if box.made_from not in ("", fingerprint(spec)):
        raise DefinitionChangedError(box.ref)
    return bool(box.made_from)


def left_as_it_was(hub: Hub, action: Start) -> Ref | None:
    """What has ended under that name, when nothing says what else should be there.

    Raises `AlreadyExistsError` while it lives: another start of it may just have won.
    """
    if action != Start(name=action.name):
        return None
    try:
        ref = hub.find(action.name)
    except NotFoundError:
        return None
    box, backend = hub.world.get(ref), hub.backend(ref.place)
    if box is None or box.defined:
        return None
    if box.state.is_live:
        raise AlreadyExistsError(ref)
    opens_again = isinstance(backend, Notebooks)  # by its own start
    return ref if isinstance(backend, Restarts) and not opens_again else None


def _definition(hub: Hub, action: Start) -> Spec | None:
    known: Iterable[Ref] = hub.definitions
    as_said = (spec for spec in hub.definitions.values() if spec.ref == action.name)
    if (spec := next(as_said, None)) is not None:
        return spec
    try:
        return hub.definitions[resolve(action.name, known)]
    except NotFoundError:
        return _live_definition(hub, action)


def _live_definition(hub: Hub, action: Start) -> Spec | None:
    """What already has that name is started again as what it is; else the action must say."""
    told = (action.kind, action.image, action.command, action.kernel, action.profile)
    if any(each is not None for each in told):
        return None
    try:
        ref = hub.find(action.name)
    except NotFoundError as error:
        raise NotFoundError(action.name, [*error.known, *hub.definitions]) from None
    return SPEC_OF[ref.kind](name=ref.name) if ref.kind is Kind.ROOM else None


def _kind(action: Start, defined: Spec | None) -> Kind:
    if action.kind is not None:
        return action.kind
    prefix = action.name.partition(":")[0]
    if action.image is not None or action.profile is not None:
        return Kind.CONTAINER
    if action.kernel is not None:
        return Kind.ROOM
    if defined is not None:
        return defined.ref.kind
    return Kind(prefix) if prefix in set(Kind) else Kind.TMUX


def _bare(name: str) -> str:
    return Ref(name).name if name.partition(":")[0] in set(Kind) else name


def _as_kind(defined: Spec | None, kind: Kind, name: str) -> Spec:
    """The definition as a spec of `kind`: fields both have are kept, the others fall away."""
    if defined is None:
        return SPEC_OF[kind](name=name)
    if defined.ref.kind is kind:
        return defined
    wanted = SPEC_OF[kind]
    kept = {key: value for key, value in asdict(defined).items() if key in wanted.__struct_fields__}
    return wanted(**kept)


def _refuse_foreign(said: dict[str, object], kind: Kind, base: Spec) -> None:
    for field, value in said.items():
        if value is not None and field not in base.__struct_fields__:
            raise InvalidSpecError(field, f"a {kind} has none")
