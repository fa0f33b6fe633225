"""``keras.testing.test_utils``: data for tests that train a classifier, and products of test parameters."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def get_test_data(
    train_samples: int,
    test_samples: int,
    input_shape: tuple[int, ...],
    num_classes: int,
    random_seed: int | None = None,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return training and test rows of ``num_classes`` equally frequent classes: a class's centre plus unit noise."""
    random = np.random.default_rng(random_seed)
    centres = 2 * num_classes * random.random((num_classes, *input_shape))

    def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = random.permutation(np.arange(count) % num_classes)
        return (centres[labels] + random.normal(size=(count, *input_shape))).astype("float32"), labels

    return rows(train_samples), rows(test_samples)


def named_product(*groups: Any, **choices: Any) -> list[dict[str, Any]]:
    """Return every combination of one dict of each group and one value of each choice, with a joint testcase_name.

    The first varies fastest, as in Keras: absl numbers tests in this order.
    """
    named = [
        [{"testcase_name": str(getattr(value, "__name__", value)).lower(), key: value} for value in values]
        for key, values in choices.items()
    ]
    made = []
    for parts in itertools.product(*reversed([*groups, *named])):
        parts = parts[::-1]
        merged = {key: value for part in parts for key, value in part.items()}
        made.append({**merged, "testcase_name": "_".join(part["testcase_name"] for part in parts)})
    return made
