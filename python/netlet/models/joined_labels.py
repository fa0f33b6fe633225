"""The labels and weights of several outputs as one array, which is how a `Composite` loss takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netlet.program.spec import Array

__all__ = ["join_labels", "unweighted"]


def join_labels(labels: Sequence[Array], weights: Sequence[Array | None], dtype: Any) -> Array:
    """Returns labels and weights of each output as one array ``[n, label_width]``."""
    rows = len(labels[0])
    flat = [own.reshape(rows, -1) for own in labels]
    columns = [np.ones((rows, 1)) if weight is None else weight.reshape(rows, 1) for weight in weights]
    return np.concatenate([*flat, *columns], axis=1, dtype=dtype)


def unweighted(joined: Array, outputs: int = 1) -> Array:
    """Returns joined labels with weights of 1."""
    same = joined.copy()
    same[:, -outputs:] = 1
    return same
