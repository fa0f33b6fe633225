"""``model_to_dot``: a model's layers as a graph in Graphviz' DOT language, and the ``dot`` program that draws it."""

from __future__ import annotations

import html
import shutil
import subprocess
from typing import Any

from netlet.errors import NotBuiltError
from netlet.utils.model_graph import GraphNode, model_graph

__all__ = ["Dot", "NodeLabel", "has_dot_program", "model_to_dot", "node_label", "render_dot"]

RANKDIRS = ("TB", "BT", "LR", "RL")
SPLINES = ("ortho", "curved", "polyline", "spline", "line")


class Dot:
    """A graph in the DOT language.

    Args:
        source: its text.

    ``str(dot)`` and ``dot.to_string()`` are the text, for any program that reads DOT; ``dot.create("svg")`` is what
    Graphviz' ``dot`` program makes of it.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def to_string(self) -> str:
        """Return the text."""
        return self.source

    def create(self, format: str = "png") -> bytes:
        """Return the picture in a format of Graphviz: "png", "svg", "pdf", ...

        Raises: ImportError if the ``dot`` program is not installed, ValueError if it refuses the format.
        """
        return render_dot(self.source, format)

    def __str__(self) -> str:
        return self.source


class NodeLabel:
    """What stands in the box of a layer: the head, and below it cells of a name and a value.

    Attributes:
        head: the layer's class, with its name in front where that is shown.
        cells: such as ``("Output shape", "(None, 3)")``, the activation first.
    """

    def __init__(self, head: str, cells: list[tuple[str, str]]) -> None:
        self.head = head
        self.cells = cells


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Dot:
    """Return a model's layers and how they are joined as a graph in the DOT language; nothing need be installed.

    Args:
        model: a built `Sequential` or `Model`.
        show_shapes: whether a box says the layer's input and output shapes.
        show_dtype: whether it says the element type.
        show_layer_names: whether it says the layer's name beside its class.
        rankdir: where the graph runs: "TB" down, "LR" to the right, "BT" up, "RL" to the left.
        expand_nested: accepted for Keras' sake; a layer that is a model is one box.
        dpi: dots per inch of pictures made from it.
        subgraph: whether to write a cluster, to be put into another graph, instead of a graph.
        show_layer_activations: whether a box says the activation of a layer that has one.
        show_trainable: whether it says if training changes the layer.
        splines: how lines run: "ortho" at right angles, "curved", "polyline", "spline" or "line".

    Raises: NotBuiltError if the model is not built, ValueError for an unknown ``rankdir`` or ``splines``, or a ``dpi``
        that is not positive.
    """
    check_drawing(rankdir, dpi, splines)
    nodes = built_graph(model)
    if subgraph:
        lines = [f"subgraph {_quoted('cluster_' + model.name)} {{"]
        lines += ['  style="dashed";', f"  label={_quoted(model.name)};", '  labeljust="l";']
    else:
        lines = [
            f"digraph {_quoted(model.name)} {{",
            f'  graph [rankdir="{rankdir}", dpi="{dpi}", splines="{splines}"];',
        ]
    lines.append('  node [shape="plaintext", fontname="Helvetica", margin="0"];')
    lines.append('  edge [penwidth="1.5", color="#555555"];')
    for i, node in enumerate(nodes):
        label = node_label(
            node,
            show_shapes=show_shapes,
            show_dtype=show_dtype,
            show_layer_names=show_layer_names,
            show_layer_activations=show_layer_activations,
            show_trainable=show_trainable,
        )
        lines.append(f"  {i} [label=<{_table(label)}>];")
    lines += [f"  {source} -> {i};" for source, i in edges(nodes)]
    return Dot("\n".join([*lines, "}"]) + "\n")


def check_drawing(rankdir: str, dpi: Any, splines: str) -> None:
    """ValueError unless a graph can be drawn so."""
    for name, value, known in (("rankdir", rankdir, RANKDIRS), ("splines", splines, SPLINES)):
        if value not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not dpi > 0:
        raise ValueError(f"dpi: expected a positive number, got {dpi!r}")


def built_graph(model: Any) -> list[GraphNode]:
    """The graph of a built model; NotBuiltError for another."""
    if not getattr(model, "built", True):
        raise NotBuiltError(f"{model.name}: the model is not built; call build() or add an Input before drawing it")
    return model_graph(model)


def edges(nodes: list[GraphNode]) -> list[tuple[int, int]]:
    """From which node to which, each pair once."""
    return list(dict.fromkeys((source, i) for i, node in enumerate(nodes) for source, _ in node.sources))


def node_label(
    node: GraphNode,
    *,
    show_shapes: bool,
    show_dtype: bool,
    show_layer_names: bool,
    show_layer_activations: bool,
    show_trainable: bool,
) -> NodeLabel:
    """What stands in the box of ``node``; arguments as of `model_to_dot`."""
    layer = node.layer
    kind = type(layer).__name__
    label = NodeLabel(f"{layer.name} ({kind})" if show_layer_names else kind, [])
    activation = getattr(layer, "activation", None)
    if show_layer_activations and activation is not None:
        name = getattr(activation, "name", None) or getattr(activation, "__name__", None) or str(activation)
        label.cells.append(("Activation", str(name)))
    if show_shapes:
        if node.input_shapes and node.sources:
            label.cells.append(("Input shape", ", ".join(dict.fromkeys(map(_shape, node.input_shapes)))))
        elif node.input_shapes and node.input_shapes[0] is not None:  # the first layer of a Sequential
            label.cells.append(("Input shape", _shape(node.input_shapes[0])))
        label.cells.append(("Output shape", _shape(getattr(layer, "output_shape", None))))
    if show_dtype:
        label.cells.append(("Dtype", str(getattr(layer, "dtype", "?"))))
    if show_trainable and getattr(layer, "weights", None):
        label.cells.append(("Trainable", "yes" if layer.trainable else "no"))
    return label


def has_dot_program() -> bool:
    """Whether Graphviz' ``dot`` is on the path."""
    return shutil.which("dot") is not None


def render_dot(source: str, format: str) -> bytes:
    """Return what Graphviz' ``dot`` draws of ``source``.

    Raises: ImportError if it is not installed, ValueError with its words if it refuses.
    """
    program = shutil.which("dot")
    if program is None:
        raise ImportError("this needs Graphviz, whose program `dot` is not on the PATH: https://graphviz.org/download")
    done = subprocess.run([program, f"-T{format}"], input=source.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"format {format!r}: dot says: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _shape(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, list):
        return ", ".join(_shape(entry) for entry in shape)
    return f"({', '.join(map(str, shape))})"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _table(label: NodeLabel) -> str:
    """An HTML-like label: the head white on dark, a line for each cell below it."""
    rows = [f'<tr><td bgcolor="#1f3a5f"><font color="white"><b>{html.escape(label.head)}</b></font></td></tr>']
    for name, value in label.cells:
        rows.append(f'<tr><td bgcolor="white">{html.escape(name)}: <b>{html.escape(value)}</b></td></tr>')
    return f'<table border="0" cellborder="1" cellspacing="0" cellpadding="6" color="#1f3a5f">{"".join(rows)}</table>'
