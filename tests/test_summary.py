"""The text of ``model.summary()``."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, layers
from netlet.models.summary import format_bytes, summary

MNIST = """\
Model: "mnist"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ (None, 256)            │       200,960 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │         2,570 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 203,530 (795.04 KB)
 Trainable params: 203,530 (795.04 KB)
 Non-trainable params: 0 (0.00 B)
"""


@dataclass
class Dense:
    """What a summary looks at of a layer."""

    name: str
    output_shape: tuple[int | None, ...] | None
    params: int
    built: bool = True
    trainable: bool = True

    def count_params(self) -> int:
        if not self.built:
            raise ValueError(f"{self.name} is not built")
        return self.params


@dataclass
class Model:
    name: str
    layers: list[Any] = field(default_factory=list)
    dtype: str = "float32"
    trainable: bool = True


@pytest.fixture
def mnist() -> Model:
    return Model("mnist", [Dense("dense", (None, 256), 200_960), Dense("dense_1", (None, 10), 2_570)])


def text_of(model: Model, line_length: int | None = 76) -> str:
    calls: list[str] = []
    summary(model, line_length=line_length, print_fn=calls.append)
    assert len(calls) == 1  # the whole text at once
    return calls[0]


def test_summary_has_the_shape_that_keras_prints(mnist):
    assert text_of(mnist) == MNIST


def test_summary_goes_to_stdout_in_eighty_columns(mnist, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    summary(mnist)
    assert capsys.readouterr().out == MNIST


def test_float64_parameters_take_twice_the_bytes(mnist):
    mnist.dtype = "float64"
    assert " Total params: 203,530 (1.55 MB)\n" in text_of(mnist)


def test_frozen_layer_counts_as_non_trainable(mnist):
    mnist.layers[0].trainable = False
    text = text_of(mnist)
    assert " Trainable params: 2,570 (10.04 KB)\n" in text
    assert " Non-trainable params: 200,960 (785.00 KB)\n" in text


def test_frozen_model_has_no_trainable_parameters(mnist):
    mnist.trainable = False
    assert " Trainable params: 0 (0.00 B)\n Non-trainable params: 203,530 (795.04 KB)\n" in text_of(mnist)


def test_layer_that_is_not_built(mnist):
    mnist.layers = [Dense("dense", None, 0, built=False)]
    text = text_of(mnist)
    assert "│ dense (Dense)                   │ ?                      │   0 (unbuilt) │" in text
    assert " Total params: 0 (0.00 B)\n" in text


def test_model_without_layers(mnist):
    mnist.layers = []
    assert text_of(mnist).count("\n") == 8


@pytest.mark.parametrize("line_length", [30, 40, 60, 88, 120])
def test_every_line_is_as_long_as_asked(mnist, line_length):
    mnist.layers[0].name = "a_layer_with_a_name_longer_than_its_cell"
    lines = text_of(mnist, line_length).splitlines()
    assert {len(line) for line in lines[1:-3]} == {line_length}


@pytest.mark.parametrize("line_length", [40, 60])
def test_narrow_table_breaks_names_but_not_counts(mnist, line_length):
    mnist.layers[0].name = "q" * 50
    text = text_of(mnist, line_length)
    assert text.count("q") == 50
    assert " 200,960 │" in text


def test_line_length_has_a_lower_bound(mnist):
    with pytest.raises(ValueError, match="line_length: expected at least 30 characters, got 12"):
        summary(mnist, line_length=12)


def test_terminal_gets_colours_and_print_fn_does_not(mnist, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert "\x1b" not in text_of(mnist)
    summary(mnist, line_length=76)
    assert "(\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m256\x1b[0m)" in terminal.getvalue()


def test_encoding_without_box_characters(mnist, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    summary(mnist, line_length=76)
    lines = raw.getvalue().decode("ascii").splitlines()
    assert lines[4] == "| dense (Dense)                   | (None, 256)            |       200,960 |"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (3 << 30, "3.00 GB"), (1 << 60, "1024.00 PB")],
)
def test_sizes_are_in_units_of_1024(count, text):
    assert format_bytes(count) == text


def test_summary_of_a_model_as_it_is_made():
    from netlet.layers import Dense, Input
    from netlet.models import Sequential

    layers = [Input((784,)), Dense(256, activation="relu", name="dense"), Dense(10, name="dense_1")]
    calls: list[str] = []
    Sequential(layers, name="mnist").summary(line_length=76, print_fn=calls.append)
    assert calls == [MNIST]


# As Keras 3.15 prints it.
TWINS = """\
Model: "twins"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape      ┃    Param # ┃ Connected to      ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━┩
│ a (InputLayer)      │ (None, 3)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ b (InputLayer)      │ (None, 3)         │          0 │ -                 │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ twin (Dense)        │ (None, 4)         │         16 │ a[0][0], b[0][0]  │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ cat (Concatenate)   │ (None, 8)         │          0 │ twin[0][0],       │
│                     │                   │            │ twin[1][0]        │
├─────────────────────┼───────────────────┼────────────┼───────────────────┤
│ out (Dense)         │ (None, 1)         │          9 │ cat[0][0]         │
└─────────────────────┴───────────────────┴────────────┴───────────────────┘
 Total params: 25 (100.00 B)
 Trainable params: 25 (100.00 B)
 Non-trainable params: 0 (0.00 B)
"""


def twins():
    from netlet.layers import Concatenate, Dense, Input
    from netlet.models import Model

    a, b = Input((3,), name="a"), Input((3,), name="b")
    twin = Dense(4, name="twin")
    return Model([a, b], Dense(1, name="out")(Concatenate(name="cat")([twin(a), twin(b)])), name="twins")


def test_graph_shows_what_each_layer_is_called_on():
    assert text_of(twins(), 76) == TWINS


@pytest.mark.parametrize("line_length", [40, 60, 108, 120])
def test_every_line_of_a_graph_is_as_long_as_asked(line_length):
    lines = text_of(twins(), line_length).splitlines()
    assert {len(line) for line in lines[1:-3]} == {line_length}


def test_graph_that_is_a_chain_has_three_columns_and_its_input():
    from netlet.layers import Dense, Input
    from netlet.models import Model

    a = Input((3,), name="a")
    text = text_of(Model(a, Dense(1, name="out")(Dense(4, name="h")(a)), name="chain"))
    assert "Connected to" not in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("│")] == ["a", "h", "out"]


def test_graph_lists_layers_by_their_distance_from_the_outputs():
    """The order is that of Keras 3.15 for the same graph."""
    from netlet.layers import Add, Concatenate, Dense, Embedding, Flatten, Input, Multiply
    from netlet.models import Model

    x, item = Input((8,), name="x"), Input((3,), name="item")
    a = Dense(16, name="d12")(Dense(16, name="d11")(Dense(16, name="d1")(x)))
    b = Dense(16, name="d21")(Dense(16, name="d2")(x))
    e = Flatten(name="flat")(Embedding(10, 4, name="emb")(item))
    joined = Concatenate(name="cat")([Multiply(name="mul")([a, b]), e])
    y = Add(name="add")([Dense(1, name="d3")(joined), Dense(1, name="d4")(x)])
    lines = text_of(Model([x, item], y), 108).splitlines()
    assert [line.split()[1] for line in lines if line.startswith("│")] == [
        "x", "d1", "d11", "d2", "item", "d12", "d21", "emb", "mul", "flat", "cat", "d3", "d4", "add"
    ]  # fmt: skip


def test_trainable_layers_are_marked_and_the_optimizer_counted():
    first = layers.Dense(5, name="d1", trainable=False)
    model = Sequential([Input((6,)), first, layers.Dropout(0.5, name="dr"), layers.Dense(3, name="d2")], name="m")
    model.compile("adam", "mse")
    model.fit(np.zeros((8, 6)), np.zeros((8, 3)), verbose=0)
    calls = []
    model.summary(line_length=100, print_fn=calls.append, show_trainable=True)
    # As Keras 3.15.1 prints it, but for the header, which that cuts to "Traina…", and for the slots of frozen weights,
    # which its optimizers do not keep: it counts 38.
    assert calls == [
        """\
Model: "m"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
┃ Layer (type)                          ┃ Output Shape                  ┃        Param # ┃ Trainab ┃
┃                                       ┃                               ┃                ┃   le    ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
│ d1 (Dense)                            │ (None, 5)                     │             35 │    N    │
├───────────────────────────────────────┼───────────────────────────────┼────────────────┼─────────┤
│ dr (Dropout)                          │ (None, 5)                     │              0 │    -    │
├───────────────────────────────────────┼───────────────────────────────┼────────────────┼─────────┤
│ d2 (Dense)                            │ (None, 3)                     │             18 │    Y    │
└───────────────────────────────────────┴───────────────────────────────┴────────────────┴─────────┘
 Total params: 161 (644.00 B)
 Trainable params: 18 (72.00 B)
 Non-trainable params: 35 (140.00 B)
 Optimizer params: 108 (432.00 B)
"""
    ]


def test_a_narrow_table_with_what_is_trainable():
    model = Sequential([Input((6,)), layers.Dense(5)])
    calls = []
    model.summary(line_length=42, print_fn=calls.append, show_trainable=True)
    assert {len(line) for line in calls[0].splitlines()[1:-3]} == {42}
    with pytest.raises(ValueError, match="at least 42"):
        model.summary(line_length=41, show_trainable=True)
