"""`Embedding`: numbers of things in, vectors out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netlet import initializers
from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Embedding(Layer):
    """A vector for each number: row x of a trained table.

    Args:
        input_dim: V, how many numbers there are: 0 .. V-1. At most 2^24 in a float32 model, whose inputs hold no more
            whole numbers.
        output_dim: D, the length of the vectors.
        embeddings_initializer: of the table; default "uniform".
        embeddings_regularizer, embeddings_constraint: of the table; see `Dense`.
        mask_zero: False; masks are not supported yet.
        weights: the table's values, ``[V, D]``; None initializes them.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y ``[B, ..., D]``; embeddings ``[V, D]``.

    A number outside of the table is taken as the nearest one that is in it.
    """

    embeddings: Variable | None
    embeddings_regularizer: Any
    embeddings_constraint: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim = positive_int(input_dim, f"{self.name}: input_dim")
        self.output_dim = positive_int(output_dim, f"{self.name}: output_dim")
        if mask_zero:
            raise ValueError(f"{self.name}: mask_zero={mask_zero!r} is not supported yet")
        self._set_rules(embeddings_regularizer=embeddings_regularizer, embeddings_constraint=embeddings_constraint)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self._given = weights
        self.embeddings = None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *known(input_shape, self.name), self.output_dim)

    def build(self, input_shape: Shape | None = None) -> None:
        if self.dtype == "float32" and self.input_dim > 1 << 24:
            raise ValueError(f"{self.name}: input_dim is {self.input_dim}, a float32 model tells 2^24 numbers apart")
        shape = (self.input_dim, self.output_dim)
        self.embeddings = self.add_weight(
            "embeddings",
            shape,
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        if self._given is not None:
            values = self._given[0] if isinstance(self._given, list) else self._given
            self.embeddings.assign(values)

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        assert self.embeddings is not None
        return builder.op("embedding", x, [self.embeddings.lower(builder)], name=self.name)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            **self._rules_config("embeddings_regularizer", "embeddings_constraint"),
            "mask_zero": False,
        }
