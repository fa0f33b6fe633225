"""`Activation`: an activation function as a layer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet import activations
from netlet.layers.layer import Layer
from netlet.layers.shapes import Shape, format_shape

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Activation(Layer):
    """``y = activation(x)``.

    Args:
        activation: a name or a function of `netlet.activations`.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape; softmax and log_softmax run along the last axis.

    Raises: ValueError if the activation is unknown or not supported in a layer, or softmax gets rows without an axis.
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        activations.lowered(self.activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2 and activations.lowered(self.activation)[0] in ("softmax", "log_softmax"):
            raise ValueError(
                f"{self.name}: input has shape {format_shape(input_shape)}, expected at least one axis after the batch"
            )
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Node) -> Node:
        name, attrs = activations.lowered(self.activation)
        return builder.activation(x, name, name=self.name, **attrs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
