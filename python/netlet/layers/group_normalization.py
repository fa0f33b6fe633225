"""`GroupNormalization`: channels in groups, each brought to mean 0 and variance 1 within its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet.layers.axes import axes_last, row_axes
from netlet.layers.merging import known
from netlet.layers.normalization import Scaled, number
from netlet.layers.shapes import Shape

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class GroupNormalization(Scaled):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, mean and variance of a group of channels of one row.

    Source: Wu & He, "Group normalization" (2018), section 3.

    Args:
        groups: G, into how many groups of the same size the channels fall; -1, each by itself. Default 32.
        axis: the channels' axis; default -1, the last.
        epsilon: default 0.001.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: of the weights.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights; see `Dense`.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., C]`` to the same; gamma and beta ``[C]``.

    Raises: ValueError if an argument is invalid, or the channels do not fall into so many groups.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ValueError(f"{self.name}: groups must be a positive integer or -1, got {groups!r}")
        self.groups, self.axis = groups, axis
        self.epsilon = number(epsilon, f"{self.name}: epsilon", 0.0, 1e30)
        self._set_scaling(center, scale, beta_initializer, gamma_initializer)
        self._set_rules(
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def _channels(self, input_shape: Shape) -> int:
        """How many channels there are."""
        sizes = known(input_shape, self.name)
        places = row_axes(self.axis, len(input_shape), self.name)
        if len(places) != 1:
            raise ValueError(f"{self.name}: axis must be one axis, got {self.axis!r}")
        return sizes[places[0] - 1]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        channels = self._channels(input_shape)
        if self.groups > 0 and channels % self.groups:
            raise ValueError(f"{self.name}: groups must divide the {channels} channels, got {self.groups}")
        return input_shape

    def build(self, input_shape: Shape) -> None:
        self._add_scaling((self._channels(input_shape),))

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        places = row_axes(self.axis, len(x.shape) + 1, self.name)
        weights = self._scaling(builder)

        def normalized(value: Node, name: str | None) -> Node:
            return builder.op(
                "group_normalization",
                value,
                weights,
                name=name,
                groups=value.shape[-1] if self.groups == -1 else self.groups,
                epsilon=self.epsilon,
                scale=self.scale,
                center=self.center,
            )

        return axes_last(builder, x, places, normalized, self.name)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups, "axis": self.axis, "epsilon": self.epsilon}
