"""The text encoding: what goes out comes back, and whatever could not have gone out is refused."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from netlet.errors import ModelFormatError, NetletError
from netlet.program import Program
from netlet.testing.programs import sample_programs

PROGRAMS = {f"{name}, {dtype}": p for dtype in ("float32", "float64") for name, p in sample_programs(dtype).items()}
TEXT = sample_programs()["classifier, optimized"].to_json()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_comes_back_equal(name: str) -> None:
    p = PROGRAMS[name]
    text = p.to_json()
    assert text.isascii() and "\n" not in text
    assert Program.from_json(text) == p
    assert Program.from_json(text.encode()) == p
    assert Program.from_json(text).to_json() == text
    assert Program.from_json(p.without_training().to_json()) == p.without_training()
    assert pickle.loads(pickle.dumps(p)) == p == copy.deepcopy(p)


def test_spaces_and_the_order_of_keys_do_not_matter() -> None:
    tree = json.loads(TEXT)
    shuffled = json.dumps(dict(reversed(tree.items())), indent=2)
    assert Program.from_json(shuffled).to_json() == TEXT


def test_attributes_may_be_left_out() -> None:
    tree = json.loads(TEXT)
    tree["optimizer"]["attrs"] = {}
    assert Program.from_json(json.dumps(tree)).optimizer.attrs == {"momentum": 0.0, "nesterov": False}


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree of objects and arrays."""
    if path:
        yield path
    for key in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield from paths(tree[key], (*path, key))


def edited(path: tuple[Any, ...], change: Any) -> str:
    """TEXT with what is at ``path`` handed to ``change(parent, key)``."""
    tree = json.loads(TEXT)
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return json.dumps(tree)


PATHS = list(paths(json.loads(TEXT)))
# Attributes have defaults, the list of metrics may be of any length, a bias may go (its parameter then serves nobody).
DROPPABLE = [path for path in PATHS if path[-2:-1] == ("attrs",) or (path[0] == "metrics" and len(path) == 2)]
DROPPABLE += [("ops", 0, "params", 1), ("ops", 2, "params", 1)]


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path not in DROPPABLE], ids=lambda path: ".".join(map(str, path))
)
def test_dropping_anything_is_an_error(path: tuple[Any, ...]) -> None:
    with pytest.raises(ModelFormatError):
        Program.from_json(edited(path, lambda parent, key: parent.pop(key)))


WRONG = [None, True, 0.5, -1, 2**63, 10**400, "x", [], {}, [[]], {"op": 1}]


def right(path: tuple[Any, ...], value: Any) -> bool:
    """Whether ``value`` is not wrong at all at ``path``."""
    return {
        "name": value == "x",
        "attrs": value == {} and path[0] != "loss",  # the loss's output needs from_logits
        "params": value == [] and path[:2] == ("ops", 3),  # the softmax has none
        "state": value == [],
        "metrics": value == [],
        "optimizer": value is None,
        "from_logits": value is True,
        "nesterov": value is True,
        "per_class": value is True,
        "momentum": value == 0.5,
        "alpha": value in (0.5, 2**63),
        "threshold": value is None or value in (0.5, -1, 2**63),
        "output": value is None and path[0] == "loss",
    }.get(path[-1], False)


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_wrong_type_or_number_is_an_error(path: tuple[Any, ...], wrong: Any) -> None:
    def change(parent: Any, key: Any) -> None:
        parent[key] = wrong

    text = edited(path, change)
    if right(path, wrong):
        p = Program.from_json(text)
        assert Program.from_json(p.to_json()) == p
        return
    with pytest.raises(ModelFormatError, match=r"^program: "):
        Program.from_json(text)


def test_an_unknown_key_is_an_error_anywhere() -> None:
    objects = [(), *(path for path in PATHS if isinstance(path[-1], (int, str)))]
    tried = 0
    for path in objects:
        tree = json.loads(TEXT)
        place = tree
        for key in path:
            place = place[key]
        if isinstance(place, dict):
            place["extra"] = 1
            tried += 1
            with pytest.raises(ModelFormatError, match="extra"):
                Program.from_json(json.dumps(tree))
    assert tried > 15


@pytest.mark.parametrize("length", range(0, len(TEXT), 7))
def test_a_truncated_text_is_an_error(length: int) -> None:
    with pytest.raises(ModelFormatError):
        Program.from_json(TEXT[:length])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("null", "expected an object with format 'netlet-program', got None"),
        ("[]", "expected an object"),
        ('{"format":"keras"}', "expected an object with format"),
        (TEXT + "x", "not valid JSON"),
        (TEXT.replace('"version":1', '"version":2'), "version: expected 1, got 2"),
        (TEXT.replace('"version":1', '"version":1.0'), "version: expected 1, got 1.0"),
        (TEXT.replace('"version":1', '"version":true'), "version: expected 1, got True"),
        (TEXT.replace('"version":1', '"version":1,"version":1'), "'version' stands twice"),
        (TEXT.replace('"momentum":0.9', '"momentum":NaN'), "NaN is not JSON"),
        (TEXT.replace('"momentum":0.9', '"momentum":Infinity'), "Infinity is not JSON"),
        (TEXT.replace('"momentum":0.9', '"momentum":1e999'), "finite number"),
        (TEXT.replace('"momentum":0.9', '"momentun":0.9'), r"'momentun'.*Did you mean 'momentum'\?"),
        (TEXT.replace('"dtype":"float32"', '"dtype":"f4"'), "dtype: expected one of float32, float64, got 'f4'"),
        (TEXT.replace('"inputs":[0]', '"inputs":[' + "9" * 5000 + "]", 1), "program: "),
        ("[" * 100_000, "program: "),
        (b"\xff\xfe", "not valid JSON"),
    ],
)
def test_a_foreign_text_is_named(text: str | bytes, message: str) -> None:
    with pytest.raises(ModelFormatError, match=message) as caught:
        Program.from_json(text)
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, NetletError)


def test_something_that_is_no_text_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="expected str or bytes, got dict"):
        Program.from_json({})  # type: ignore[arg-type]
