"""Key maps: presets, the user's own keys, and the clashes they may not have."""

from __future__ import annotations

import pytest

from sandbox_tui.hub.registry import VERBS
from sandbox_tui.model.actions import Stop
from sandbox_tui.model.errors import ConfigError
from sandbox_tui.model.refs import Ref
from sandbox_tui.tui.chrome.input_purposes import Purpose
from sandbox_tui.tui.commands import COMMANDS, command
from sandbox_tui.tui.keys import Stroke, keymap
from sandbox_tui.tui.outfit import Outfit, load_rules
from sandbox_tui.tui.presets import PRESETS
from sandbox_tui.tui.situation import Situation
from tests.tui.machine import Machine

WEB = Ref("container:web")


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_has_a_clash_and_each_names_real_commands(preset: str) -> None:
    keymap(preset)
    assert PRESETS[preset].keys() <= {entry.id for entry in COMMANDS}


def test_every_verb_of_the_registry_has_a_key() -> None:
    assert all(keymap().label(verb.id) for verb in VERBS)


def test_ids_are_unique() -> None:
    ids = [entry.id for entry in COMMANDS]
    assert len(ids) == len(set(ids))


def test_a_clash_names_both() -> None:
    with pytest.raises(ConfigError) as caught:
        keymap(own={"view.save": ["S"]})
    assert "sandbox.stop" in caught.value.message
    assert "view.save" in caught.value.message
    assert "'S'" in caught.value.message


def test_what_never_works_at_the_same_time_may_share_a_key() -> None:
    keymap(own={"sandbox.send": ["s"], "sandbox.run": ["s"]})


def test_once_and_twice_on_one_key_is_a_clash() -> None:
    with pytest.raises(ConfigError, match=r"sandbox\.interrupt"):
        keymap(own={"view.wrap": ["I"]})


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"sandbox.stopp": ["S"]}, "no command is called 'sandbox.stopp'"),
        ({"sandbox.stop": ["Shift-Banana"]}, "'Shift-Banana' is not a key"),
        ({"sandbox.stop": ["a b"]}, "'a b' is not a key"),
    ],
)
def test_what_is_not_there_is_said(own: dict[str, list[str]], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        keymap(own=own)
    assert said in caught.value.message
    assert caught.value.hint


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        keymap("vim")
    assert "lazydocker" in caught.value.hint


def test_a_command_may_be_left_to_the_palette() -> None:
    assert keymap(own={"sandbox.remove": []}).label("sandbox.remove") == ""


@pytest.mark.parametrize(
    ("stroke", "label"),
    [("S", "S"), ("ctrl+s", "^s"), ("I I", "II"), ("enter", "⏎"), ("shift+tab", "⇧tab")],
)
def test_labels(stroke: str, label: str) -> None:
    assert Stroke.parse(stroke, "x").label == label


async def test_a_remapped_key_works_and_the_old_one_does_not(machine: Machine) -> None:
    keys = keymap("lazydocker", {"sandbox.stop": ["f8", "ctrl+x"]})
    machine.outfit = Outfit(keymap=keys, rules=load_rules)
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.press("s", "S")
        await sight.press("f8")
        await sight.sees("Stop web?")
        await sight.press("y")
        await sight.until(lambda: machine.actions == [Stop(ref=WEB)])


async def test_the_footer_shows_only_what_works_now(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        sight.select(WEB)
        await sight.sees("p pause", "s run", "S stop")
        assert "resume" not in sight.text()
        sight.select("tmux:api")
        await sight.sees("s send")
        await sight.misses("p pause")


async def test_every_key_of_every_command_is_bound(machine: Machine) -> None:
    async with machine.dashboard() as sight:
        bound = set(sight.app._bindings.key_to_bindings)
        actions = {
            binding.action
            for bindings in sight.app._bindings.key_to_bindings.values()
            for binding in bindings
        }
        assert len(bound) > 50
        for entry in COMMANDS:
            assert not entry.keys or any(f"'{entry.id}'" in action for action in actions)


def test_commands_are_found_by_id() -> None:
    assert command("sandbox.stop").verb is not None


def test_words_name_the_keys_that_are_bound() -> None:
    own = keymap(own={"view.search": ["ctrl+f"], "mark.toggle": []})
    assert own.spell("{view.search} finds, {mark.toggle} marks") == "^f finds, : marks"
    assert own.spell("{nothing.such} and {} stay") == "{nothing.such} and {} stay"


def test_every_reason_and_every_help_is_spelt_whole() -> None:
    keys, nowhere = keymap(), Situation()
    words = [entry.impossible(nowhere) for entry in COMMANDS] + [one.help for one in Purpose]
    assert not [text for text in map(keys.spell, words) if "{" in text]
