"""`IntegerLookup`: whole numbers as their places in a vocabulary."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.preprocessing.index_lookup import NOWHERE, IndexLookup

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder

_EXACT = 1 << 24  # float32 tells whole numbers apart up to here


class IntegerLookup(IndexLookup):
    """The number of each whole number in a vocabulary, or with ``invert`` the other way round.

    Numbers are given in this order: 0 for the mask token, if there is one and the output mode is "int"; then
    ``num_oov_indices`` for unknown tokens; then the vocabulary.

    Source: keras.layers.IntegerLookup, Keras 3.15.

    Args:
        max_tokens: the most numbers that there may be; ``adapt`` keeps the most frequent tokens. None for any.
        num_oov_indices: how many numbers unknown tokens share: token mod num_oov_indices picks one. With 0, an unknown
            token is a ValueError where the layer is called on an array, and has no place (-1) in a model.
        mask_token: what becomes 0, or zeros in other modes; None for none.
        oov_token: what unknown numbers become with ``invert``; default -1.
        vocabulary: the tokens, or a text file with one a line; None leaves it to ``adapt``.
        vocabulary_dtype: "int64".
        invert: whether numbers become tokens.
        output_mode: "int", "one_hot", "multi_hot" or "count"; see `CategoryEncoding`.
        sparse: False; sparse outputs are not supported.
        pad_to_max_tokens: whether vectors have the length ``max_tokens`` however few tokens there are.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]``; y as of `CategoryEncoding`, for "int" x's. Called on an array, "int" gives int64.

    Raises: ValueError for an invalid argument, for NaN or infinity, and in a float32 model for a token beyond 2^24 in
    size; TypeError for what is no integer (floats in data are cut); OSError if a text file cannot be read.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(f"IntegerLookup: vocabulary_dtype must be 'int64', got {vocabulary_dtype!r}")
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            invert,
            output_mode,
            sparse,
            pad_to_max_tokens,
            **kwargs,
        )

    def _token(self, value: Any) -> int:
        try:
            return int(value) if isinstance(value, str) else operator.index(value)
        except (TypeError, ValueError):
            raise TypeError(f"{self.name}: expected integers as tokens, got {value!r}") from None

    def _array(self, value: Any, what: str) -> NDArray[Any]:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{what}: expected integers, got an array of {array.dtype}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{what}: holds NaN or infinity, expected integers")
        return array.astype(np.int64)

    def _bucket(self, token: Any) -> int:
        return int(token) % self.num_oov_indices

    def _tokens_array(self, tokens: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        return np.array(tokens, np.int64).reshape(shape)

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        self._check_known()
        special = [token for token in (self.mask_token, self.oov_token) if token is not None]
        if builder.dtype == "float32" and (big := [t for t in (*self._tokens, *special) if abs(t) > _EXACT]):
            raise ValueError(f"{self.name}: token {big[0]} is beyond 2^24, up to where float32 tells integers apart")
        self._ran = True
        if self.invert:
            pairs = list(enumerate(self.get_vocabulary()))[0 if self._oov_start else self._token_start :]
            table: dict[str, Any] = {
                "keys": [number for number, _ in pairs],
                "values": [token for _, token in pairs],
                "default": -1 if self.oov_token is None else self.oov_token,
            }
            return builder.op("lookup", x, name=self.name, **table)
        keys = sorted(self._places)
        table = {
            "keys": keys,
            "values": [self._places[key] for key in keys],
            "default": self._oov_start if self.num_oov_indices else NOWHERE,
            "buckets": max(1, self.num_oov_indices),
        }
        node = builder.op("lookup", x, name=self.name, **table)
        if self.output_mode == "int":
            return node
        return builder.op("encode_category", node, name=self.name, mode=self.output_mode, depth=self._depth)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_dtype": "int64"}
