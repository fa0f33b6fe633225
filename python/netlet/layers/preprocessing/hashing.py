"""`Hashing`: strings and whole numbers into a fixed number of bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.preprocessing.data import check_mode, encode, encoded_shape, texts
from netlet.layers.preprocessing.host import OnHost
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.symbolic import call_symbolically, holds_symbols

Salt = tuple[int, int]


def checked_salt(salt: Any, name: str) -> Salt | None:
    """Return ``salt`` as two integers, or None; ValueError if it is neither an integer nor two of them."""
    if salt is None:
        return None
    pair = tuple(salt) if isinstance(salt, (list, tuple)) else (salt, salt)
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < 1 << 64 for n in pair):
        raise ValueError(f"{name}: salt must be an integer in [0, 2^64) or two of them, got {salt!r}")
    return pair[0], pair[1]


def bucket(text: str, count: int, salt: Salt | None) -> int:
    """Return the bucket of ``text``, 0 .. count-1: BLAKE2b of 8 bytes, little-endian, mod count.

    The key is the salt's two numbers, 8 bytes each, little-endian. Source: RFC 7693.
    """
    from hashlib import blake2b

    key = b"" if salt is None else b"".join(n.to_bytes(8, "little") for n in salt)
    return int.from_bytes(blake2b(text.encode(), digest_size=8, key=key).digest(), "little") % count


class Hashing(OnHost, Layer):
    """The bin of each string or whole number: a hash of it, modulo ``num_bins``.

    The hash is BLAKE2b of 8 bytes (RFC 7693) of the UTF-8 text, a whole number as its decimal digits: the same on every
    machine and in every version, and other bins than Keras', whose hashes are FarmHash and SipHash. In a model it must
    directly follow the Input: it runs in Python, before the rest.

    Args:
        num_bins: how many bins there are.
        mask_value: what has bin 0 for itself; None for nothing.
        salt: an integer or two, 0 .. 2^64-1, that key the hash; None for no key.
        output_mode: "int", "one_hot", "multi_hot" or "count"; see `CategoryEncoding`.
        sparse: False; sparse outputs are not supported.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]``; y as of `CategoryEncoding`, for "int" x's. Called on an array, "int" gives int64.

    Raises: ValueError for an invalid argument, TypeError for what is neither a string nor a number; floats are cut.
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_bins = positive_int(num_bins, f"{self.name}: num_bins")
        if sparse:
            raise ValueError(f"{self.name}: sparse={sparse!r} is not supported")
        self.output_mode = check_mode(output_mode, self.name)
        self.salt = checked_salt(salt, self.name)
        self.mask_value = mask_value
        self._mask = None if mask_value is None else str(texts([mask_value], f"{self.name}: mask_value")[0])

    def _bin(self, text: str) -> int:
        if self._mask is None or self.num_bins == 1:
            return bucket(text, self.num_bins, self.salt)
        return 0 if text == self._mask else 1 + bucket(text, self.num_bins - 1, self.salt)

    def host(self, x: Any) -> NDArray[Any]:
        values = texts(x, self.name)
        flat = values.reshape(-1).tolist()
        bins = {text: self._bin(text) for text in dict.fromkeys(flat)}
        numbers = np.array([bins[text] for text in flat], np.int64).reshape(values.shape)
        return numbers if self.output_mode == "int" else encode(numbers, self.output_mode, self.num_bins, self.dtype)

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        return call_symbolically(self, x) if holds_symbols(x) else self.host(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "mask_value": self.mask_value,
            "salt": None if self.salt is None else list(self.salt),
            "output_mode": self.output_mode,
            "sparse": False,
        }
