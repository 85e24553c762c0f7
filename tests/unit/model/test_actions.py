import pytest

from sandbox_tui.hub import handlers
from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model import actions
from sandbox_tui.model.codec import from_json, to_json
from sandbox_tui.model.refs import Ref

ALL = actions.Action.__subclasses__()


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.__name__)
def test_every_action_has_a_handler_and_survives_json(action: type[actions.Action]) -> None:
    needed = {
        "ref": Ref("room:a"),
        "name": "a",
        "code": "1",
        "cell_id": "cell-1",
        "source": "x",
    }
    required = action.__struct_fields__[: len(action.__struct_fields__)]
    value = action(**{key: needed[key] for key in required if key in needed})

    assert from_json(to_json(value), action) == value
    assert action in handlers.performable()


def test_every_verb_performs_an_action_of_its_own() -> None:
    performed = [verb.action for verb in VERBS]

    assert len(set(performed)) == len(performed)
    assert set(performed) <= set(ALL)
