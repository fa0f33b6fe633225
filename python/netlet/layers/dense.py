"""`Dense`: the fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netlet import activations, initializers
from netlet.layers.layer import Layer
from netlet.layers.shapes import Shape, format_shape, positive_int
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Dense(Layer):
    """Affine map followed by an activation: ``y = activation(x @ kernel + bias)``.

    Args:
        units: O, the width of the output; a positive int.
        activation: a name, a function of `netlet.activations`, or None (linear).
        use_bias: whether to add a bias.
        kernel_initializer, bias_initializer: names, initializers or functions of (shape, dtype).
        kernel_regularizer, bias_regularizer: names, regularizers or configs: penalties that are added to the loss.
        kernel_constraint, bias_constraint: names, constraints or configs: what the weights are brought back to after
            each update.
        activity_regularizer: a penalty on the output; see `Layer`.
        lora_rank, lora_alpha, quantization_config: None; low-rank adaptation and quantization are not supported.
        **kwargs: name, trainable, dtype, input_shape, input_dim, as for every `Layer`.

    Shapes: x ``[B, ..., I]`` to y ``[B, ..., O]``; kernel ``[I, O]``, bias ``[O]``. Axes between are rows.

    Raises: ValueError if an argument is invalid or not supported yet, or x's last axis is not I.
    """

    supports_masking = True
    kernel: Variable | None
    bias: Variable | None
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        units = positive_int(units, "Dense: units")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self._refuse(lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self._set_rules(
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        if not isinstance(use_bias, (bool, np.bool_)):
            raise TypeError(f"{self.name}: use_bias must be True or False, got {use_bias!r}")
        self.units = units
        self.activation = activations.get(activation)
        activations.lowered(self.activation)  # an activation that no op computes is refused here, not in fit
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel = self.bias = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"{self.name}: input has shape {format_shape(input_shape)}, expected at least one axis after the batch"
            )
        if self.built and self.kernel is not None and input_shape[-1] != self.kernel.shape[0]:
            expected = (*input_shape[:-1], self.kernel.shape[0])
            raise ValueError(f"{self.name}: input has shape {format_shape(input_shape)}, expected {expected}")
        return (*input_shape[:-1], self.units)

    def build(self, input_shape: Shape) -> None:
        width = positive_int(input_shape[-1], f"{self.name}: last axis of the input")
        self.kernel = self.add_weight(
            "kernel",
            (width, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        assert self.kernel is not None
        name, attrs = activations.lowered(self.activation)
        kernel = self.kernel.lower(builder)  # the order of these calls is that of the arena
        bias = None if self.bias is None else self.bias.lower(builder)
        return builder.dense(x, kernel, bias, activation=name, name=self.name, **attrs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            **self._rules_config("kernel_regularizer", "bias_regularizer"),
            **self._rules_config("activity_regularizer"),
            **self._rules_config("kernel_constraint", "bias_constraint"),
        }
