"""What `IntegerLookup` and `StringLookup` share: a vocabulary, how it is learned, where each token's number stands."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.preprocessing.data import batches, check_mode, encode, encoded_shape
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.symbolic import call_symbolically, holds_symbols

NOWHERE = -1  # the number of a token that no output has a place for


class IndexLookup(Layer):
    """Base of the lookups. A subclass says what tokens are, and how one that is unknown picks its bucket.

    Numbers are given in this order: 0 for the mask token, if there is one and the output mode is "int"; then
    ``num_oov_indices`` for unknown tokens; then the vocabulary.

    Args, shapes and errors: as of `IntegerLookup` and `StringLookup`. Source: keras.layers.IntegerLookup, Keras 3.15.
    """

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_tokens is not None and positive_int(max_tokens, f"{self.name}: max_tokens") < 2:
            raise ValueError(f"{self.name}: max_tokens must be greater than 1, got {max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{self.name}: pad_to_max_tokens needs max_tokens")
        if isinstance(num_oov_indices, bool) or not isinstance(num_oov_indices, int) or num_oov_indices < 0:
            raise ValueError(f"{self.name}: num_oov_indices must be an integer >= 0, got {num_oov_indices!r}")
        if sparse:
            raise ValueError(f"{self.name}: sparse={sparse!r} is not supported")
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = None if mask_token is None else self._token(mask_token)
        self.oov_token = None if oov_token is None else self._token(oov_token)
        self.invert = bool(invert)
        self.output_mode = check_mode(output_mode, self.name)
        if self.invert and self.output_mode != "int":
            raise ValueError(f"{self.name}: output_mode must be 'int' with invert, got {output_mode!r}")
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self._tokens: list[Any] = []
        self._places: dict[Any, int] = {}
        self._ran = False
        self._given = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    # What a subclass provides

    def _token(self, value: Any) -> Any:
        """``value`` as a token; TypeError if it cannot be one."""
        raise NotImplementedError

    def _array(self, value: Any, what: str) -> NDArray[Any]:
        """Tokens as an array of them."""
        raise NotImplementedError

    def _bucket(self, token: Any) -> int:
        """The bucket of an unknown token, 0 .. num_oov_indices - 1."""
        raise NotImplementedError

    def _tokens_array(self, tokens: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """What ``invert`` returns."""
        raise NotImplementedError

    # The vocabulary

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """Return how many numbers there are, those of the mask and of unknown tokens included."""
        return self._token_start + len(self._tokens)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their numbers.

        Args:
            include_special_tokens: whether the mask and unknown tokens come first, so that a token's place in the list
                is its number.
        """
        if not include_special_tokens:
            return list(self._tokens)
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices + self._tokens

    def set_vocabulary(self, vocabulary: Any) -> None:
        """Set the vocabulary.

        Args:
            vocabulary: the tokens, each once; they may begin with the mask and unknown tokens as `get_vocabulary`
                returns them. A path names a text file with one token a line.

        Raises: ValueError if it is empty, holds a token twice, the mask token, or (with ``invert``) the unknown one
        elsewhere, is longer than ``max_tokens``, or the layer has run in a model; TypeError for what is no token;
        OSError if a file cannot be read.
        """
        if isinstance(vocabulary, (str, os.PathLike)):
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = [line.rstrip("\r\n") for line in file]
        tokens = [self._token(value) for value in np.asarray(vocabulary, object).reshape(-1).tolist()]
        special = [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices
        if special and tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
        elif not tokens:
            raise ValueError(f"{self.name}: the vocabulary is empty")
        if twice := [token for token, count in Counter(tokens).items() if count > 1]:
            raise ValueError(f"{self.name}: the vocabulary holds {twice[0]!r} more than once")
        for what, token, forbidden in (("mask", self.mask_token, True), ("oov", self.oov_token, self.invert)):
            if token is not None and forbidden and token in tokens:
                raise ValueError(
                    f"{self.name}: the vocabulary holds the {what} token {token!r}, expected none or all of {special} "
                    "at its beginning"
                )
        self._set(tokens)

    def _set(self, tokens: list[Any]) -> None:
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(f"{self.name}: the vocabulary makes {size} numbers, max_tokens is {self.max_tokens}")
        if self._ran:
            raise ValueError(f"{self.name}: the vocabulary must be set before the layer runs in a model")
        self._tokens = tokens
        self._places = {token: self._token_start + i for i, token in enumerate(tokens)}
        if self.mask_token is not None:
            self._places[self.mask_token] = 0 if self.output_mode == "int" else NOWHERE

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the vocabulary from data: the most frequent tokens first, of equally frequent ones the largest.

        Args:
            data: an array, a list, a frame or an iterable of batches; their shape does not matter.
            steps: how many batches of an iterable; None for all.

        Raises: ValueError if a vocabulary was given, or the layer has run in a model; TypeError for what is no token.
        """
        if self._given:
            raise ValueError(f"{self.name}: adapt() cannot be called, a vocabulary was given")
        counts: Counter[Any] = Counter()
        for batch in batches(data, steps):
            counts.update(self._array(batch, f"{self.name}: adapt").reshape(-1).tolist())
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        tokens = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        self._set(tokens if self.max_tokens is None else tokens[: self.max_tokens - self._token_start])

    def _check_known(self) -> None:
        if not self._tokens:
            raise ValueError(f"{self.name}: has no vocabulary, call adapt() or give one")

    # Shapes and numbers

    @property
    def _depth(self) -> int:
        if self.pad_to_max_tokens:
            assert self.max_tokens is not None
            return self.max_tokens
        if self.output_mode != "int":
            self._check_known()
        return self.vocabulary_size()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        return encoded_shape(input_shape, self.output_mode, self._depth)

    def numbers(self, x: Any) -> NDArray[Any]:
        """Return the tokens' numbers, int64, -1 for those that no output has a place for.

        Raises: ValueError for an unknown token if ``num_oov_indices`` is 0; TypeError for what is no token.
        """
        tokens = self._array(x, self.name)
        get = self._places.get
        found = [get(token) for token in tokens.reshape(-1).tolist()]
        if None in found:
            found = [
                self._unknown(token) if number is None else number
                for token, number in zip(tokens.reshape(-1).tolist(), found, strict=True)
            ]
        return np.array(found, np.int64).reshape(tokens.shape)

    def _unknown(self, token: Any) -> int:
        if self.num_oov_indices == 0:
            raise ValueError(f"{self.name}: {token!r} is not in the vocabulary, and num_oov_indices is 0")
        return self._oov_start + (self._bucket(token) if self.num_oov_indices > 1 else 0)

    def host(self, x: Any) -> NDArray[Any]:
        """Return what the layer makes of an array, in NumPy: numbers (int64), vectors, or with ``invert`` tokens.

        Raises: ValueError as `numbers`, or if there is no vocabulary for vectors; TypeError for what is no token (no
        number, with ``invert``).
        """
        if self.invert:
            numbers = np.asarray(x)
            if numbers.dtype.kind not in "biuf":
                raise TypeError(f"{self.name}: expected numbers of tokens, got an array of {numbers.dtype}")
            by_number = dict(enumerate(self.get_vocabulary()))
            flat = numbers.astype(np.int64).reshape(-1).tolist()
            return self._tokens_array([by_number.get(number, self.oov_token) for number in flat], numbers.shape)
        made = self.numbers(x)
        return made if self.output_mode == "int" else encode(made, self.output_mode, self._depth, self.dtype)

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        return call_symbolically(self, x) if holds_symbols(x) else self.host(x)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "mask_token": self.mask_token,
            "oov_token": self.oov_token,
            "vocabulary": self._tokens or None,
            "invert": self.invert,
            "output_mode": self.output_mode,
            "sparse": False,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "has_input_vocabulary": self._given,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        arguments = dict(config)
        vocabulary, given = arguments.pop("vocabulary", None), arguments.pop("has_input_vocabulary", True)
        if vocabulary is not None and not isinstance(vocabulary, (list, tuple)):  # a path, say: loading reads no files
            raise ValueError(f"{cls.__name__}: vocabulary in a config must be a list, got {vocabulary!r}")
        layer = cls(**arguments)
        if vocabulary is not None:
            layer.set_vocabulary(vocabulary)
            layer._given = bool(given)
        return layer
