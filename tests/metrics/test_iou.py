"""Intersection over union: against scikit-learn's Jaccard score, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from netlet.metrics import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU

RNG = np.random.default_rng(5)
C = 4
TRUE = RNG.integers(0, C, (6, 5, 5))
PRED = RNG.integers(0, C, (6, 5, 5))
WEIGHT = RNG.integers(0, 3, (6, 5, 5))
WANT = sk.jaccard_score(TRUE.reshape(-1), PRED.reshape(-1), average=None)

# Keras adds 1e-7 to counts of at least 50 and to 1 or more classes
RTOL = 2e-7


def test_iou_is_scikit_learns_jaccard_score() -> None:
    assert MeanIoU(C)(TRUE, PRED) == pytest.approx(WANT.mean(), rel=RTOL)
    assert IoU(C, [1, 3])(TRUE, PRED) == pytest.approx(WANT[[1, 3]].mean(), rel=RTOL)
    eye = np.eye(C)
    assert OneHotIoU(C, (0,))(eye[TRUE], eye[PRED]) == pytest.approx(WANT[0], rel=RTOL)
    assert OneHotMeanIoU(C, sparse_y_pred=True)(eye[TRUE], PRED) == pytest.approx(WANT.mean(), rel=RTOL)
    first = np.moveaxis(eye[TRUE], -1, 1), np.moveaxis(eye[PRED], -1, 1)
    assert OneHotMeanIoU(C, axis=1)(*first) == pytest.approx(WANT.mean(), rel=RTOL)


def test_weights() -> None:
    flat = [v.reshape(-1) for v in (TRUE, PRED)]
    want = sk.jaccard_score(*flat, average="macro", sample_weight=WEIGHT.reshape(-1))
    assert MeanIoU(C)(TRUE, PRED, WEIGHT) == pytest.approx(want, rel=RTOL)
    share = WEIGHT / 3
    assert MeanIoU(C, dtype="float32")(TRUE, PRED, share) == pytest.approx(want, rel=RTOL)
    by_image = np.arange(6)
    want = sk.jaccard_score(*flat, average="macro", sample_weight=np.repeat(by_image, 25))
    assert MeanIoU(C)(TRUE, PRED, by_image) == pytest.approx(want, rel=RTOL)


def test_fractions_as_weights_of_whole_counts_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="sample_weight is float, but dtype is int32"):
        got = MeanIoU(2)([0, 1], [0, 0], sample_weight=np.array([1.5, 0.5]))
    assert got == pytest.approx(1, rel=RTOL)


def test_what_is_left_out() -> None:
    assert IoU(2, [0, 1])([0, 2, -1, 0], [0, 1, 0, 7]) == pytest.approx(1, rel=RTOL)  # no class of the two
    assert MeanIoU(3, ignore_class=2)([0, 1, 2, 2], [0, 1, 0, 1]) == pytest.approx(1, rel=RTOL)
    assert MeanIoU(5)([0, 0, 1, 1], [0, 1, 0, 1]) == pytest.approx(1 / 3, rel=RTOL)  # classes that do not occur
    assert MeanIoU(2)([0.0, 1.0], [0.9, np.nan]) == pytest.approx(1, rel=RTOL)
    assert MeanIoU(2).result() == 0


def test_binary() -> None:
    # the example of Keras' documentation
    assert BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]) == pytest.approx(1 / 3, rel=RTOL)
    assert BinaryIoU([1])([0, 1], [0.49, 0.5]) == pytest.approx(1, rel=RTOL)


@pytest.mark.parametrize(
    "metric",
    [
        IoU(C, [1], ignore_class=0, sparse_y_pred=False),
        MeanIoU(C, dtype="float32"),
        OneHotIoU(C, [1, 2], axis=1),
        OneHotMeanIoU(C, sparse_y_pred=True),
        BinaryIoU([1], threshold=0.25),
    ],
    ids=repr,
)
def test_configs(metric: Any) -> None:
    again = type(metric).from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    assert vars(again).keys() == vars(metric).keys()
    assert again.sparse_y_true == metric.sparse_y_true


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Target class id 4 is out of range, which is \[0, 4\)"):
        IoU(4, [0, 4])
    with pytest.raises(ValueError, match="y_true has 2 class numbers, expected 3"):
        MeanIoU(4)([0, 1], [0, 1, 2])
