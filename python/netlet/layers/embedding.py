"""`Embedding`: numbers of things in, vectors out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netlet import initializers
from netlet.layers.layer import Layer
from netlet.layers.masks import Mask, nonzero
from netlet.layers.merging import known
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Embedding(Layer):
    """A vector for each number: row x of a trained table.

    Source: keras.layers.Embedding, Keras 3.15.

    Args:
        input_dim: V, how many numbers there are: 0 .. V-1. At most 2^24 in a float32 model, whose inputs hold no more
            whole numbers.
        output_dim: D, the length of the vectors.
        embeddings_initializer: of the table; default "uniform".
        embeddings_regularizer, embeddings_constraint: of the table; see `Dense`.
        mask_zero: whether 0 stands for nothing and is left out by the output's mask; see `Masking`. Default False.
        weights: the table's values, ``[V, D]``; None initializes them.
        lora_rank, lora_alpha, quantization_config: None; low-rank adaptation and quantization are not supported.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y ``[B, ..., D]``; embeddings ``[V, D]``.

    A number outside of the table is taken as the nearest one that is in it.

    Raises: ValueError if a size is not a positive int, is too large, or ``weights`` have another shape; TypeError if
    ``mask_zero`` is no bool.
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
        lora_rank: None = None,
        lora_alpha: None = None,
        quantization_config: None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("input_length", None)  # of older files: the shape of the data says it
        super().__init__(**kwargs)
        self._refuse(lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        self.input_dim = positive_int(input_dim, f"{self.name}: input_dim")
        self.output_dim = positive_int(output_dim, f"{self.name}: output_dim")
        if not isinstance(mask_zero, (bool, np.bool_)):
            raise TypeError(f"{self.name}: mask_zero must be True or False, got {mask_zero!r}")
        self.mask_zero = self.supports_masking = bool(mask_zero)
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

    @property
    def makes_mask(self) -> bool:
        return self.mask_zero

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        assert self.embeddings is not None
        return builder.op("embedding", x, [self.embeddings.lower(builder)], name=self.name)

    def lower_mask(self, builder: ProgramBuilder, x: Any, mask: Any) -> Mask:
        return nonzero(builder, x, last_axis=False)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            **self._rules_config("embeddings_regularizer", "embeddings_constraint"),
            "mask_zero": self.mask_zero,
        }
