"""`StringLookup`: strings as their places in a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.preprocessing.data import texts
from netlet.layers.preprocessing.hashing import bucket, checked_salt
from netlet.layers.preprocessing.host import OnHost
from netlet.layers.preprocessing.index_lookup import IndexLookup
from netlet.layers.shapes import Shape


class StringLookup(OnHost, IndexLookup):
    """The number of each string in a vocabulary, or with ``invert`` the other way round.

    In a model it must directly follow the Input: it runs in Python, before the rest.

    Source: keras.layers.StringLookup, Keras 3.15, but for the hash.

    Args:
        max_tokens, num_oov_indices, mask_token, vocabulary, invert, output_mode, sparse, pad_to_max_tokens: as of
            `IntegerLookup`. Among several ``num_oov_indices`` an unknown string picks one by the hash of `Hashing`.
        oov_token: what unknown numbers become with ``invert``; default "[UNK]".
        encoding: "utf-8", how bytes are read.
        salt: keys the hash, as of `Hashing`.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]``; y as of `CategoryEncoding`, for "int" x's. Called on an array, "int" gives int64, and
    ``invert`` strings.

    Raises: ValueError for an invalid argument, or an unknown string if ``num_oov_indices`` is 0; TypeError for what is
    neither a string nor a number (floats are cut); OSError if a text file cannot be read.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        if encoding != "utf-8":
            raise ValueError(f"StringLookup: encoding must be 'utf-8', got {encoding!r}")
        self.salt = checked_salt(salt, "StringLookup")
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

    def _token(self, value: Any) -> str:
        return str(texts([value], self.name)[0])

    def _array(self, value: Any, what: str) -> NDArray[Any]:
        return texts(value, what)

    def _bucket(self, token: Any) -> int:
        return bucket(token, self.num_oov_indices, self.salt)

    def _tokens_array(self, tokens: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        return np.array(tokens).reshape(shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.invert:
            raise ValueError(f"{self.name}: with invert it gives strings, which a model has no place for")
        return super().compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        salt = None if self.salt is None else list(self.salt)
        return {**super().get_config(), "encoding": "utf-8", "salt": salt}
