"""The list's filter: `web is:failed kind:room label:team=ml -old`, every word must fit.

A word without a known prefix is looked for in everything a row says. A leading `-` turns a word
round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sandbox_tui.model.refs import Ref
from sandbox_tui.model.world import ContainerFacts, RoomFacts, Sandbox, State, TmuxFacts

Test = Callable[[Sandbox], bool]

FAILURES = frozenset({State.FAILED, State.EXITED})


class Filter:
    """What was typed, as a test of sandboxes; the empty one lets everything through."""

    def __init__(self, text: str = "", *, needing: Collection[Ref] = ()) -> None:
        self.text = text.strip()
        self._tests = [_word(word, needing) for word in self.text.split()]

    def __bool__(self) -> bool:
        return bool(self._tests)

    def __call__(self, box: Sandbox) -> bool:
        """Whether `box` fits every word."""
        return all(test(box) for test in self._tests)

    def of(self, boxes: Sequence[Sandbox]) -> Sequence[Sandbox]:
        """Those that fit, in their order."""
        return [box for box in boxes if self(box)] if self._tests else boxes


def _word(word: str, needing: Collection[Ref]) -> Test:
    if len(word) > 1 and word.startswith("-"):
        wanted = _word(word[1:], needing)
        return lambda box: not wanted(box)
    prefix, _, value = word.partition(":")
    if prefix == "is" and value:
        return _is(value.lower(), needing)
    if prefix == "kind" and value:
        return lambda box: box.ref.kind.value.startswith(value.lower())
    if prefix == "label" and value:
        return _label(value)
    needle = word.lower()
    return lambda box: needle in _said(box)


def _is(value: str, needing: Collection[Ref]) -> Test:
    tests: dict[str, Test] = {
        "failed": lambda box: box.state is State.FAILED or _ended_badly(box),
        "live": lambda box: box.state.is_live,
        "stale": lambda box: box.stale_since is not None,
        "managed": lambda box: box.managed,
        "defined": lambda box: box.defined,
        "needy": lambda box: box.ref in needing,
    }
    return tests.get(value, lambda box: box.state.value.startswith(value))


def _label(value: str) -> Test:
    key, equals, wanted = value.partition("=")
    if not equals:
        return lambda box: key in box.labels
    return lambda box: box.labels.get(key) == wanted


def _ended_badly(box: Sandbox) -> bool:
    return box.state in FAILURES and box.exit_code not in (None, 0)


def _said(box: Sandbox) -> str:
    words = (box.ref, box.title, box.state.value, box.detail, _facts(box))
    return " ".join(words).lower()


def _facts(box: Sandbox) -> str:
    match box.facts:
        case TmuxFacts(command=command, path=path):
            return f"{command} {path}"
        case ContainerFacts(image=image, command=command):
            return f"{image} {command}"
        case RoomFacts(kernel=kernel):
            return kernel
