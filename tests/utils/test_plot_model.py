"""``model_to_dot`` and ``plot_model``: the graph's text, what boxes say, and the picture with and without Graphviz."""

from __future__ import annotations

import re
import shutil
import stat
import sys
import types
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib import image

from netlet import Input, Model, Sequential
from netlet.errors import NotBuiltError
from netlet.layers import Add, Dense, Layer
from netlet.utils import model_to_dot, plot_model
from netlet.utils.layered_layout import layered_layout


def residual() -> Model:
    """Two inputs, a connection that skips layers, a layer that is called twice."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    twin = Dense(4, "tanh", name="twin")
    left = twin(a)
    hidden = Dense(4, "relu", name="h2")(Dense(4, "relu", name="h1")(left))
    return Model([a, b], Dense(1, name="out")(Add(name="sum")([left, hidden, twin(b)])), name="residual")


def parsed(text: str) -> tuple[dict[str, list[str]], set[tuple[str, str]]]:
    """Of DOT text the words in each box and the edges between their heads."""
    boxes = {}
    for number, label in re.findall(r"^  (\d+) \[label=<(.*)>\];$", text, re.MULTILINE):
        table = ElementTree.fromstring(label)  # fails unless well-formed
        boxes[number] = ["".join(cell.itertext()) for cell in table.iter("td")]
    edges = re.findall(r"^  (\d+) -> (\d+);$", text, re.MULTILINE)
    return {words[0]: words[1:] for words in boxes.values()}, {(boxes[a][0], boxes[b][0]) for a, b in edges}


def test_graph_has_a_box_for_each_layer_and_a_line_for_each_pair():
    boxes, edges = parsed(model_to_dot(residual()).to_string())
    assert set(boxes) == {
        "a (InputLayer)", "b (InputLayer)", "twin (Dense)", "h1 (Dense)", "h2 (Dense)", "sum (Add)", "out (Dense)"
    }  # fmt: skip
    assert edges == {
        ("a (InputLayer)", "twin (Dense)"), ("b (InputLayer)", "twin (Dense)"), ("twin (Dense)", "h1 (Dense)"),
        ("h1 (Dense)", "h2 (Dense)"), ("twin (Dense)", "sum (Add)"), ("h2 (Dense)", "sum (Add)"),
        ("sum (Add)", "out (Dense)"),
    }  # fmt: skip


def test_boxes_say_what_is_asked():
    model = Sequential([Input((3,)), Dense(2, activation="relu", name="first"), Dense(1, name="second")])
    model.layers[0].trainable = False
    everything = model_to_dot(
        model, show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True
    )  # fmt: skip
    boxes, edges = parsed(str(everything))
    assert boxes == {
        "first (Dense)": ["Activation: relu", "Input shape: (None, 3)", "Output shape: (None, 2)", "Dtype: float32",
                          "Trainable: no"],
        "second (Dense)": ["Activation: linear", "Input shape: (None, 2)", "Output shape: (None, 1)", "Dtype: float32",
                           "Trainable: yes"],
    }  # fmt: skip
    assert edges == {("first (Dense)", "second (Dense)")}
    assert list(parsed(str(model_to_dot(residual(), show_layer_names=False)))[0]) == ["InputLayer", "Dense", "Add"]


def test_names_are_escaped():
    model = Sequential([Input((1,)), Dense(1, name='<b>&"x"')], name='say "hi"')
    text = str(model_to_dot(model, subgraph=True))
    assert text.startswith('subgraph "cluster_say \\"hi\\"" {\n')
    assert list(parsed(text)[0]) == ['<b>&"x" (Dense)']


def test_direction_and_resolution_are_written():
    assert 'graph [rankdir="LR", dpi="72", splines="line"];' in str(
        model_to_dot(residual(), rankdir="LR", dpi=72, splines="line")
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"rankdir": "UP"}, "rankdir: expected one of TB, BT, LR, RL, got 'UP'"),
        ({"splines": "wavy"}, "splines: expected one of ortho"),
        ({"dpi": 0}, "dpi: expected a positive number, got 0"),
    ],
)
def test_bad_arguments_are_named(argument, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        model_to_dot(residual(), **argument)
    with pytest.raises(ValueError, match=message):
        plot_model(residual(), tmp_path / "m.png", **argument)


def test_model_that_is_not_built_is_refused():
    with pytest.raises(NotBuiltError, match="draw: the model is not built"):
        model_to_dot(Sequential([Dense(1)], name="draw"))


# Pictures


@pytest.fixture
def no_graphviz(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, *a, **k: None)


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_picture_without_graphviz(no_graphviz, tmp_path, rankdir):
    path = tmp_path / "model.png"
    assert plot_model(residual(), path, show_shapes=True, rankdir=rankdir, dpi=60) is None
    pixels = image.imread(path)[..., :3]
    height, width, _ = pixels.shape
    assert (height > width) == (rankdir in ("TB", "BT"))
    np.testing.assert_array_equal(pixels[[0, 0, -1, -1], [0, -1, 0, -1]], 1.0)  # white corners
    dark = np.all(np.abs(pixels - [0x1F / 255, 0x3A / 255, 0x5F / 255]) < 0.02, axis=-1)
    assert 0.02 < dark.mean() < 0.6  # the heads of the boxes


def test_vector_picture_and_text_without_graphviz(no_graphviz, tmp_path):
    plot_model(residual(), tmp_path / "m.svg", show_layer_names=True)
    assert ElementTree.parse(tmp_path / "m.svg").getroot().tag.endswith("svg")
    plot_model(residual(), str(tmp_path / "m.dot"), show_layer_names=True)
    assert (tmp_path / "m.dot").read_text() == str(model_to_dot(residual()))
    with pytest.raises(ValueError, match=r"to_file: without Graphviz, expected an ending out of .*png.*, got 'xyz'"):
        plot_model(residual(), tmp_path / "m.xyz")
    with pytest.raises(ImportError, match="Graphviz, whose program `dot` is not on the PATH"):
        model_to_dot(residual()).create("png")


def test_without_graphviz_and_matplotlib_the_error_names_both(no_graphviz, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'netlet\[plot\]'\) or Graphviz"):
        plot_model(residual(), tmp_path / "m.png")


def test_dot_program_draws_where_it_is_installed(tmp_path, monkeypatch):
    """A stand-in for Graphviz: writes its arguments and the text that it is given."""
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = -Tbad ] && { echo "Format: bad not recognized" >&2; exit 1; }\necho "$1"; cat\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    plot_model(residual(), tmp_path / "model.svg", show_layer_names=True)
    assert (tmp_path / "model.svg").read_text() == "-Tsvg\n" + str(model_to_dot(residual()))
    plot_model(residual(), tmp_path / "model", show_layer_names=True)
    assert (tmp_path / "model").read_text().startswith("-Tpng\n")
    with pytest.raises(ValueError, match="format 'bad': dot says: Format: bad not recognized"):
        plot_model(residual(), tmp_path / "model.bad")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_understands_the_text(tmp_path):
    plot_model(residual(), tmp_path / "m.png", show_shapes=True)
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


def test_notebook_is_shown_the_picture(no_graphviz, tmp_path, monkeypatch):
    notebook, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    notebook.get_ipython = lambda: object()
    display.Image = lambda filename: ("image", filename)
    display.SVG = lambda filename: ("svg", filename)
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert plot_model(residual(), tmp_path / "m.png") == ("image", str(tmp_path / "m.png"))
    assert plot_model(residual(), tmp_path / "m.svg") == ("svg", str(tmp_path / "m.svg"))
    assert plot_model(residual(), tmp_path / "m.dot") is None


# Layout


def random_graph(seed: int) -> tuple[list[float], list[tuple[int, int]]]:
    rng = np.random.default_rng(seed)
    boxes = int(rng.integers(1, 14))
    edges = [
        (int(s), t) for t in range(1, boxes) for s in rng.choice(t, size=min(t, rng.integers(0, 3)), replace=False)
    ]
    return rng.uniform(0.5, 3, boxes).tolist(), edges


@pytest.mark.parametrize("seed", range(30))
def test_layout_keeps_boxes_apart_and_lines_down(seed):
    widths, edges = random_graph(seed)
    layout = layered_layout(widths, edges, 0.4)
    for box in range(len(widths)):
        for other in range(box):
            if layout.layer[box] == layout.layer[other]:
                apart = abs(layout.across[box] - layout.across[other])
                assert apart >= (widths[box] + widths[other]) / 2 + 0.4 - 1e-9  # rounding
    for (source, target), line in zip(edges, layout.lines, strict=True):
        assert line[0] == (layout.across[source], layout.layer[source])
        assert line[-1] == (layout.across[target], layout.layer[target])
        assert [at for _, at in line] == list(range(layout.layer[source], layout.layer[target] + 1))
        for across, at in line[1:-1]:  # a bend is beside every box of its layer
            for box in range(len(widths)):
                if layout.layer[box] == at:
                    assert abs(across - layout.across[box]) > widths[box] / 2


def test_layout_of_a_chain_is_a_column_and_of_a_pair_has_no_crossing():
    assert layered_layout([1, 2, 1], [(0, 1), (1, 2)], 0.5).across == pytest.approx([0, 0, 0])
    layout = layered_layout([1, 1, 1, 1], [(0, 3), (1, 2)], 0.5)
    assert (layout.across[0] < layout.across[1]) == (layout.across[3] < layout.across[2])
    assert layered_layout([], [], 0.5).across == []


def test_anything_with_layers_can_be_drawn():
    class Other:
        name = "other"
        layers = (Layer(name="one"), Layer(name="two"))

    assert set(parsed(str(model_to_dot(Other())))[0]) == {"one (Layer)", "two (Layer)"}
