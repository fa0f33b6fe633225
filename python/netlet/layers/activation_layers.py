"""Activations as layers with arguments of their own: ReLU, LeakyReLU, ELU, Softmax; and PReLU, which is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from netlet import activations, initializers
from netlet.layers.axes import axes_last, row_axes
from netlet.layers.layer import Layer
from netlet.layers.masks import fill
from netlet.layers.merging import known
from netlet.layers.shapes import Shape, format_shape
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


#: What takes the place of a logit that does not count, as in Keras: its exponential is 0.
_LEAST = -1e9


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(f"{what} must be a number that is not negative, got {value!r}")
    return float(value)


class LeakyReLU(Layer):
    """``x`` above 0 and ``negative_slope * x`` below.

    Source: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models" (2013).

    Args:
        negative_slope: not negative; default 0.3. ``alpha`` is its older name.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape.

    Raises: ValueError if ``negative_slope`` is negative or no number.
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:  # the argument's older name
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _number(negative_slope, f"{self.name}: negative_slope")

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.activation(x, "leaky_relu", name=self.name, alpha=self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` below.

    Source: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by exponential linear units"
    (2015), section 3.

    Args:
        alpha: not negative; default 1.0.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape.

    Raises: ValueError if ``alpha`` is negative or no number.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = _number(alpha, f"{self.name}: alpha")

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.activation(x, "elu", name=self.name, alpha=self.alpha)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


class ReLU(Layer):
    """0 below ``threshold``, ``x`` above, no more than ``max_value``; ``negative_slope * (x - threshold)`` below it.

    Source: keras.layers.ReLU, Keras 3.15.

    Args:
        max_value: None for no bound.
        negative_slope: default 0.
        threshold: default 0.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape.

    Raises: ValueError if an argument is negative or no number; only ``max_value`` may be None.
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float | None = 0.0,
        threshold: float | None = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _number(max_value, f"{self.name}: max_value")
        self.negative_slope = _number(negative_slope, f"{self.name}: negative_slope")
        self.threshold = _number(threshold, f"{self.name}: threshold")

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        arguments: dict[str, Any] = {
            "negative_slope": self.negative_slope,
            "max_value": self.max_value,
            "threshold": self.threshold,
        }
        name, attrs = activations.lowered(partial(activations.relu, **arguments))
        return builder.activation(x, name, name=self.name, **attrs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along an axis or several.

    Source: keras.layers.Softmax, Keras 3.15.

    Args:
        axis: one, or several over which the exponentials are added together; default -1, the last.
        **kwargs: as for every `Layer`.

    With a mask ``[B, ...]`` that broadcasts to x, what it leaves out gets 0, and the rest is the softmax of the rest.

    Shapes: x ``[B, ...]`` to y of the same shape; a mask has as many axes as x, each of length 1 or of that of x.

    Raises: ValueError if an axis is the batch, named twice or not there, or a mask does not broadcast to x.
    """

    supports_masking = True
    uses_mask = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        if isinstance(axis, bool) or axis == 0:
            raise ValueError(f"{self.name}: axis must be an integer other than 0, the batch, got {axis!r}")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        row_axes(self.axis, len(input_shape), self.name)
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        places = row_axes(self.axis, len(x.shape) + 1, self.name)

        def soft(value: Node, name: str | None) -> Node:
            if len(places) == 1:
                return builder.softmax(value, name=name)
            joined = (*value.shape[: -len(places)], math.prod(value.shape[-len(places) :]))
            return builder.reshape(builder.softmax(builder.reshape(value, joined)), value.shape, name=name)

        return axes_last(builder, x, places, soft, self.name)

    def lower_masked(self, builder: ProgramBuilder, x: Any, mask: Any) -> Node:
        node = mask.node
        if len(node.shape) != len(x.shape) or any(m not in (1, n) for m, n in zip(node.shape, x.shape, strict=True)):
            raise ValueError(
                f"{self.name}: a mask of shape {format_shape((None, *node.shape))} does not broadcast to an input of "
                f"shape {format_shape((None, *x.shape))}"
            )
        soft = self.lower(builder, fill(builder, x, mask, _LEAST))
        return fill(builder, soft, mask, 0.0)  # along an axis of which nothing counts, softmax is not 0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class PReLU(Layer):
    """``x`` above 0 and ``alpha * x`` below, alpha trained for each element of a row.

    Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers" (2015), section 2.1.

    Args:
        alpha_initializer: default "zeros".
        alpha_regularizer, alpha_constraint: of alpha; see `Dense`.
        shared_axes: along which elements share an alpha, the batch being 0; None for none.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, *N]`` to y of the same shape; alpha ``[*N]``, with 1 for the axes in ``shared_axes``.

    Raises: ValueError if an argument is invalid, or a shared axis is the batch or not there.
    """

    supports_masking = True
    alpha: Variable | None
    alpha_regularizer: Any
    alpha_constraint: Any

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._set_rules(alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint)
        self.alpha_initializer = initializers.get(alpha_initializer)
        shared = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if shared is None else list(shared)
        self.alpha = None

    def build(self, input_shape: Shape) -> None:
        sizes = list(known(input_shape, self.name))
        for axis in self.shared_axes or ():
            if not 0 < axis <= len(sizes):
                raise ValueError(f"{self.name}: shared_axes has {axis}, expected 1 to {len(sizes)}")
            sizes[axis - 1] = 1
        self.alpha = self.add_weight(
            "alpha",
            sizes,
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        assert self.alpha is not None
        return builder.op("prelu", x, [self.alpha.lower(builder)], name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            **self._rules_config("alpha_regularizer", "alpha_constraint"),
            "shared_axes": self.shared_axes,
        }
