"""Comparison of results by the error bound of each element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["assert_close"]


def assert_close(
    got: Mapping[str, NDArray[Any]], want: Mapping[str, NDArray[Any]], within: Mapping[str, NDArray[Any]]
) -> None:
    """Compares results element by element.

    Args:
        got: what a target computed. ``y@split`` is compared to ``y``: the same result, had another way.
        want: the reference, by name.
        within: by name, how far each element may be off, absolutely; infinity or NaN must be infinity or NaN.
            Numbers too large for the result's element type must be infinite.

    Raises:
        AssertionError: naming the result, the worst element and its bound; also for a wrong shape or a missing result.
    """
    missing = set(within) - {name.partition("@")[0] for name in got}
    assert not missing, f"not computed: {', '.join(sorted(missing))}"
    for name, result in got.items():
        base = name.partition("@")[0]
        if base not in within:
            continue
        expected = np.asarray(want[base], np.float64)
        bound = np.broadcast_to(within[base], expected.shape)
        assert result.shape == expected.shape, f"{name}: shape {result.shape}, expected {expected.shape}"
        largest = float(np.finfo(result.dtype).max)
        expected = np.where(np.abs(expected) > largest, np.copysign(np.inf, expected), expected)
        with np.errstate(invalid="ignore"):
            error = np.abs(result.astype(np.float64) - expected)
            right = (result == expected) | (np.isnan(result) & np.isnan(expected)) | (error <= bound)
        if right.all():
            continue
        with np.errstate(all="ignore"):
            excess = np.where(right, 0.0, np.where(np.isfinite(error), error / np.maximum(bound, 1e-300), np.inf))
        worst = np.unravel_index(int(excess.argmax()), expected.shape)
        place = ", ".join(str(int(i)) for i in worst)
        raise AssertionError(
            f"{name}[{place}]: got {float(result[worst])!r}, expected {float(expected[worst])!r}, "
            f"off by {float(error[worst]):.3g}, bound {float(bound[worst]):.3g}; "
            f"{int((~right).sum())} of {expected.size} elements are off"
        )
