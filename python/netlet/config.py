"""What can be set from outside: element types and the ``NETLET_*`` environment variables.

======================  ==============================================================================================
``NETLET_BACKEND``      the target that serves when none is named: ``native``, ``native:avx2``, ``numba``, ``numpy``
``NETLET_ISA``          the instruction set of the native backend: ``baseline``, ``avx2``, ``avx512``, ``neon``
``NETLET_NUM_THREADS``  threads of the native backend; a positive integer
``NETLET_DYNAMIC``      ``0``: always so many threads, though one alone be faster just now; default ``1``
``NETLET_REQUIRE``      targets that the conformance tests must not skip, separated by commas
======================  ==============================================================================================

Variables are read when they are needed, not at import, so a test may set them.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from netlet.errors import did_you_mean

__all__ = [
    "DEFAULT_DTYPE",
    "DTYPES",
    "EPSILON",
    "dtype_name",
    "env_backend",
    "env_isa",
    "env_num_threads",
    "env_require",
    "numpy_dtype",
]

#: Element types of parameters and activations.
DTYPES: tuple[str, ...] = ("float32", "float64")

#: The element type of a model that does not name one.
DEFAULT_DTYPE = "float32"

#: Keras' fuzz factor: probabilities are clipped to [EPSILON, 1 - EPSILON] before a logarithm.
EPSILON = 1e-7


def dtype_name(dtype: Any) -> str:
    """Returns ``"float32"`` or ``"float64"`` for a name, a NumPy dtype or a scalar type.

    Raises:
        ValueError: if it is any other type.
    """
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    if isinstance(dtype, str) and (dtype.startswith("mixed_") or dtype in ("float16", "bfloat16")):
        raise ValueError(
            f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}: mixed and half precision are not supported, "
            "for Netlet computes in the type in which it stores weights"
        )
    try:
        name = np.dtype(dtype).name if dtype is not None else "None"
    except TypeError:
        name = repr(dtype)
    if name not in DTYPES:
        raise ValueError(f"dtype: expected one of {', '.join(DTYPES)}, got {dtype!r}.{did_you_mean(dtype, DTYPES)}")
    return name


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """Returns the NumPy dtype of a supported element type; ValueError as :func:`dtype_name`."""
    return np.dtype(dtype_name(dtype))


def env_backend() -> str | None:
    """Returns the target that ``NETLET_BACKEND`` names, or None if it is unset or empty."""
    return os.environ.get("NETLET_BACKEND", "").strip() or None


def env_isa() -> str | None:
    """Returns the instruction set that ``NETLET_ISA`` names, or None if it is unset or empty."""
    return os.environ.get("NETLET_ISA", "").strip() or None


def env_num_threads() -> int | None:
    """Returns ``NETLET_NUM_THREADS``, or None if it is unset or empty.

    Raises:
        ValueError: if it is not a positive integer.
    """
    text = os.environ.get("NETLET_NUM_THREADS", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"NETLET_NUM_THREADS: expected a positive integer, got {text!r}")
    return int(text)


def env_require() -> frozenset[str]:
    """Returns the targets that ``NETLET_REQUIRE`` lists: those the conformance tests may not skip."""
    parts = os.environ.get("NETLET_REQUIRE", "").split(",")
    return frozenset(part.strip() for part in parts if part.strip())
