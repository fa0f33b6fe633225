"""Layers that bring numbers to mean 0 and variance 1: over the batch, over each row, or to length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet import initializers
from netlet.layers.axes import axes_last, row_axes
from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.shapes import Shape, format_shape
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


def number(value: Any, what: str, low: float, high: float) -> float:
    """Return ``value`` as a float; ValueError naming ``what`` unless it is a number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{what} must be a number in [{low:g}, {high:g}], got {value!r}")
    return float(value)


class Scaled(Layer):
    """What normalizations with a trained scale and shift share: gamma and beta, of the shape that ``build`` gives both.

    Raises: ValueError if ``center`` or ``scale`` is no bool, or an initializer, regularizer or constraint is unknown.
    """

    gamma: Variable | None
    beta: Variable | None
    gamma_regularizer: Any
    beta_regularizer: Any
    gamma_constraint: Any
    beta_constraint: Any

    def _set_scaling(self, center: Any, scale: Any, beta: Any, gamma: Any) -> None:
        for argument, flag in (("center", center), ("scale", scale)):
            if not isinstance(flag, bool):
                raise ValueError(f"{self.name}: {argument} must be True or False, got {flag!r}")
        self.center, self.scale = center, scale
        self.beta_initializer, self.gamma_initializer = initializers.get(beta), initializers.get(gamma)
        self.gamma = self.beta = None

    def _add_scaling(self, shape: tuple[int, ...]) -> None:
        if self.scale:
            self.gamma = self.add_weight(
                "gamma",
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                "beta",
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def _scaling(self, builder: ProgramBuilder) -> list[Any]:
        return [variable.lower(builder) for variable in (self.gamma, self.beta) if variable is not None]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            **self._rules_config("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"),
        }


class BatchNormalization(Scaled):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, for each channel.

    While training, mean and variance are the batch's, and the moving ones follow them:
    ``moving <- momentum * moving + (1 - momentum) * batch's``. Otherwise they are the moving ones; so they are while
    training if the layer's ``trainable`` is False. Positions that a mask ``[B, ...]`` leaves out do not enter the
    batch's mean and variance.

    Source: Ioffe & Szegedy, "Batch normalization" (2015), section 3.

    Args:
        axis: the channels' axis; default -1, the last. With a mask it must be the last.
        momentum: default 0.99.
        epsilon: default 0.001.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: of the weights.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights; see `Dense`.
        renorm: False; batch renormalization is not supported. renorm_clipping and renorm_momentum are its settings.
        synchronized: whether machines share their statistics; without effect, as there is one.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., C]`` to the same; gamma, beta, moving_mean, moving_variance ``[C]``.

    Raises: ValueError if an argument is invalid or not supported, or ``axis`` is the batch, not there or, with a mask,
    not the last.
    """

    supports_masking = True
    uses_mask = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._refuse(renorm=renorm)
        self.axis = axis
        self.momentum = number(momentum, f"{self.name}: momentum", 0.0, 1.0)
        self.epsilon = number(epsilon, f"{self.name}: epsilon", 0.0, 1e30)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self._set_scaling(center, scale, beta_initializer, gamma_initializer)
        self._set_rules(
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.moving_mean: Variable | None = None
        self.moving_variance: Variable | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        self._place(len(input_shape))
        return input_shape

    def _place(self, rank: int) -> int:
        """The channels' axis, the batch being 0."""
        places = row_axes(self.axis, rank, self.name)
        if len(places) != 1:
            raise ValueError(f"{self.name}: axis must be one axis, got {self.axis!r}")
        return places[0]

    def build(self, input_shape: Shape) -> None:
        channels = (int(input_shape[self._place(len(input_shape))] or 0),)
        self._add_scaling(channels)
        self.moving_mean = self.add_weight("moving_mean", channels, self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", channels, self.moving_variance_initializer, trainable=False
        )

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        place = self._place(len(x.shape) + 1)
        weights = self._scaling(builder)

        def normalized(value: Node, name: str | None) -> Node:
            return self._normalized("batch_normalization", builder, value, weights, name)

        return axes_last(builder, x, (place,), normalized, self.name)

    def lower_masked(self, builder: ProgramBuilder, x: Any, mask: Any) -> Node:
        if self._place(len(x.shape) + 1) != len(x.shape):
            raise ValueError(f"{self.name}: with a mask, axis must be the last one, got {self.axis!r}")
        values = [x, mask.node]
        return self._normalized("masked_batch_normalization", builder, values, self._scaling(builder), self.name)

    def _normalized(self, op: str, builder: ProgramBuilder, x: Any, weights: list[Any], name: str | None) -> Node:
        assert self.moving_mean is not None and self.moving_variance is not None
        return builder.op(
            op,
            x,
            weights,
            (self.moving_mean.lower_state(builder), self.moving_variance.lower_state(builder)),
            name=name,
            momentum=self.momentum,
            epsilon=self.epsilon,
            scale=self.scale,
            center=self.center,
            frozen=not self.trainable,
        )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }


class LayerNormalization(Scaled):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, mean and variance each row's own.

    Source: Ba, Kiros, Hinton, "Layer normalization" (2016), section 3.

    Args:
        axis: over which axes; default -1, the last.
        epsilon: default 0.001.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: of the weights.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights; see `Dense`.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., *N]`` to the same; gamma and beta ``[*N]``, N the sizes along the axes.

    Raises: ValueError if an argument is invalid, or an axis is the batch, named twice or not there.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = number(epsilon, f"{self.name}: epsilon", 0.0, 1e30)
        self._set_scaling(center, scale, beta_initializer, gamma_initializer)
        self._set_rules(
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        row_axes(self.axis, len(input_shape), self.name)
        return input_shape

    def build(self, input_shape: Shape) -> None:
        sizes = known(input_shape, self.name)
        self._add_scaling(tuple(sizes[place - 1] for place in row_axes(self.axis, len(input_shape), self.name)))

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        places = row_axes(self.axis, len(x.shape) + 1, self.name)
        weights = self._scaling(builder)

        def normalized(value: Node, name: str | None) -> Node:
            settings: dict[str, Any] = {"epsilon": self.epsilon, "scale": self.scale, "center": self.center}
            return builder.op("layer_normalization", value, weights, name=name, axes=len(places), **settings)

        return axes_last(builder, x, places, normalized, self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class RMSNormalization(Layer):
    """``scale * x / sqrt(mean(x^2) + epsilon)``, the mean each row's own.

    Source: Zhang & Sennrich, "Root mean square layer normalization" (2019).

    Args:
        axis: over which axes; default -1, the last.
        epsilon: default 1e-6.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., *N]`` to the same; scale ``[*N]``, N the sizes along the axes.

    Raises: ValueError if ``epsilon`` is negative or no number, or an axis is the batch, named twice or not there.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = number(epsilon, f"{self.name}: epsilon", 0.0, 1e30)
        self.scale: Variable | None = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        row_axes(self.axis, len(input_shape), self.name)
        return input_shape

    def build(self, input_shape: Shape) -> None:
        sizes = known(input_shape, self.name)
        shape = [sizes[place - 1] for place in row_axes(self.axis, len(input_shape), self.name)]
        self.scale = self.add_weight("scale", shape, "ones")

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        assert self.scale is not None
        places = row_axes(self.axis, len(x.shape) + 1, self.name)
        weights = [self.scale.lower(builder)]

        def normalized(value: Node, name: str | None) -> Node:
            settings: dict[str, Any] = {"epsilon": self.epsilon, "center": False, "rms": True}
            return builder.op("layer_normalization", value, weights, name=name, axes=len(places), **settings)

        return axes_last(builder, x, places, normalized, self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """Each row divided by its Euclidean norm along the axes.

    ``y = x / sqrt(max(sum(x^2), 1e-12))``, the sum along the axes. Source: keras.layers.UnitNormalization, Keras 3.15.

    Args:
        axis: which axes; default -1, the last.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., *N]`` to the same, N the sizes along the axes.

    Raises: ValueError if an axis is the batch, named twice or not there.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(f"{self.name}: input has shape {format_shape(input_shape)}, expected at least two axes")
        row_axes(self.axis, len(input_shape), self.name)
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        places = row_axes(self.axis, len(x.shape) + 1, self.name)

        def normalized(value: Node, name: str | None) -> Node:
            return builder.op("unit_normalization", value, name=name, axes=len(places))

        return axes_last(builder, x, places, normalized, self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
