"""Whether the gradient of a layer of one's own is that of its ``call``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers import Layer
from netlet.layers.custom import CustomSpec, split_variables
from netlet.program.spec import Context

__all__ = ["check_gradient"]

#: Of central differences of four points: off by STEP^4 / 30 of the fifth derivative, and by some roundings over STEP.
STEP = 1e-4
#: How far a gradient may be from differences, of the largest element: what each op of Netlet keeps to.
RELATIVE = 1e-6


def check_gradient(layer: Layer, input_shape: Any, *, rows: int = 5, training: bool = False, seed: int = 0) -> None:
    """Compare what ``gradient`` of a layer of one's own returns with central differences of ``call``, in float64.

    ``call`` is asked four times for each element of a small random batch and of each trainable weight. What it does to
    weights that are not trained is undone. A layer that draws random numbers at each call cannot be checked.

    Args:
        layer: with ``call``; not built yet, or built with dtype "float64".
        input_shape: of an input, the batch in front, such as ``(None, 3)``; a list of such where it takes a list.
        rows: of the batch, whose elements lie between 0.2 and 0.8.
        training: what ``call`` is told, if it asks.
        seed: of the batch.

    Raises: AssertionError naming the first element that is off; ValueError if the layer has no gradient and needs one,
        or returns what does not fit.

    Example::

        check_gradient(Scale(), (None, 3))
    """
    output_shape = layer.build_for(input_shape, "float64")
    spec, rng = CustomSpec(layer), np.random.default_rng(seed)
    shapes = input_shape if layer.takes_list else [input_shape]
    xs = [rng.uniform(0.2, 0.8, (rows, *(n or 1 for n in shape[1:]))) for shape in shapes]
    trained, kept = split_variables(layer)
    params, state = [variable.value for variable in trained], [variable.numpy() for variable in kept]
    y = np.empty((rows, *(n or 1 for n in output_shape[1:])))
    cotangent, context = rng.standard_normal(y.shape), Context(training)

    def value() -> float:
        spec.forward_in(context, {}, xs, params, state, y)
        return float(np.vdot(y, cotangent))

    value()
    slopes = [np.empty_like(array) for array in (*xs, *params)]
    spec.backward_in(context, {}, xs, params, state, y.copy(), cotangent.copy(), slopes[: len(xs)], slopes[len(xs) :])
    names = ["x"] if len(xs) == 1 else [f"x[{i}]" for i in range(len(xs))]
    names += [variable.name for variable in trained]
    for name, array, slope in zip(names, [*xs, *params], slopes, strict=True):
        numeric = _differences(value, array)
        off = np.abs(slope - numeric)
        within = RELATIVE * max(float(np.abs(numeric).max(initial=0.0)), 1e-3)
        if not (off <= within).all():
            worst = np.unravel_index(int(np.argmax(np.nan_to_num(off, nan=np.inf))), off.shape)
            raise AssertionError(_message(layer, name, worst, slope, numeric))


def _differences(value: Callable[[], float], array: NDArray[Any]) -> NDArray[Any]:
    """The slope of ``value`` in each element of ``array``, which it reads."""
    slope = np.empty_like(array)
    for place in np.ndindex(array.shape):
        middle = array[place]
        seen = []
        for steps in (1, -1, 2, -2):
            array[place] = middle + steps * STEP
            seen.append(value())
        array[place] = middle
        slope[place] = (8 * (seen[0] - seen[1]) - (seen[2] - seen[3])) / (12 * STEP)
    return slope


def _message(layer: Layer, name: str, place: Sequence[Any], slope: NDArray[Any], numeric: NDArray[Any]) -> str:
    index = ", ".join(str(int(i)) for i in place)
    where = f"{name}[{index}]" if index else name
    return (
        f"{layer.name}: gradient() is off by {where}: it gives {float(slope[tuple(place)]):.6g}, "
        f"central differences give {float(numeric[tuple(place)]):.6g}"
    )
