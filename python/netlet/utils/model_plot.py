"""``plot_model``: a picture of a model's layers, drawn by Graphviz where it is installed, else by matplotlib."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from netlet.utils.model_dot import built_graph, check_drawing, edges, has_dot_program, model_to_dot, node_label

__all__ = ["plot_model"]

_TEXT = ("dot", "gv")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Write a picture of a model's layers and how they are joined.

    Args:
        model: a built `Sequential` or `Model`.
        to_file: its path; default "model.png". ".dot" and ".gv" get the graph's text, for which nothing need be
            installed; ".png" (also where there is no ending), ".svg", ".pdf" and so on are drawn by Graphviz' ``dot``
            program where that is on the PATH, else by matplotlib.
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what a box says; see
            `model_to_dot`.
        rankdir: where the graph runs: "TB" down, "LR" to the right, "BT" up, "RL" to the left.
        expand_nested: accepted for Keras' sake; a layer that is a model is one box.
        dpi: dots per inch; default 200.
        splines: how Graphviz draws lines: "ortho", "curved", "polyline", "spline" or "line". matplotlib's are curved.

    Returns: in a notebook the picture, to be shown; else None.
    Raises: NotBuiltError if the model is not built, ValueError for an argument or an ending that is unknown,
        ImportError if there is neither Graphviz nor matplotlib.
    """
    shown = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    path = Path(to_file)
    ending = path.suffix[1:].lower() or "png"
    if ending in _TEXT or has_dot_program():
        dot = model_to_dot(model, rankdir=rankdir, expand_nested=expand_nested, dpi=dpi, splines=splines, **shown)
        path.write_bytes(dot.source.encode() if ending in _TEXT else dot.create(ending))
    else:
        check_drawing(rankdir, dpi, splines)
        nodes = built_graph(model)
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "drawing a model needs matplotlib (pip install 'netlet[plot]') or Graphviz, whose program `dot` is not "
                "on the PATH; a path that ends in .dot needs neither"
            ) from error
        from netlet.utils.model_drawing import draw

        draw([node_label(node, **shown) for node in nodes], edges(nodes), path, ending, rankdir, dpi)
    return _shown_in_notebook(path, ending)


def _shown_in_notebook(path: Path, ending: str) -> Any:
    notebook = sys.modules.get("IPython")
    if notebook is None or notebook.get_ipython() is None:
        return None
    from IPython.display import SVG, Image

    if ending == "svg":
        return SVG(filename=str(path))
    return Image(filename=str(path)) if ending in ("png", "jpg", "jpeg", "gif") else None
