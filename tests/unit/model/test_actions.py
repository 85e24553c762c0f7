import msgspec
import pytest

from sandbox_tui.hub import handlers
from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model import actions
from sandbox_tui.model.codec import from_json, to_json
from sandbox_tui.model.refs import Ref
from sandbox_tui.model.specs import ContainerSpec

ALL = actions.Action.__subclasses__()


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.__name__)
def test_every_action_has_a_handler_and_survives_json(action: type[actions.Action]) -> None:
    needed = {
        "ref": Ref("room:a"),
        "name": "a",
        "code": "1",
        "cell_id": "cell-1",
        "source": "x",
        "target": "y",
        "spec": ContainerSpec(name="a", image="i"),
        "path": "/a",
        "paths": ("a.tar",),
        "content": b"\xff",
        "image": "i",
        "images": ("i",),
        "folder": ".",
        "text": "x",
        "index": 0,
        "key": "k",
        "cursor": 0,
    }
    required = [each.name for each in msgspec.structs.fields(action) if each.required]
    value = action(**{key: needed[key] for key in required})

    assert from_json(to_json(value), action) == value
    assert action in handlers.performable()


def test_every_verb_performs_an_action_of_its_own() -> None:
    performed = [verb.action for verb in VERBS]

    assert len(set(performed)) == len(performed)
    assert set(performed) <= set(ALL)
