"""Every loss as a function of arrays, one number per row or position, and what they share."""

from __future__ import annotations

from netlet.losses.arrays import as_floats, match_ranks
from netlet.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from netlet.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from netlet.losses.margins import categorical_hinge, hinge, squared_hinge
from netlet.losses.overlap import dice, tversky
from netlet.losses.probability import categorical_generalized_cross_entropy, kl_divergence, poisson
from netlet.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from netlet.losses.sequence import ctc
from netlet.losses.similarity import circle

__all__ = [
    "as_floats",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "dice",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "match_ranks",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
