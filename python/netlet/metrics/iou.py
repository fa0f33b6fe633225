"""Intersection over union: how well predicted classes cover the true ones, as segmentations are judged."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.config import EPSILON
from netlet.metrics.metric import Metric
from netlet.metrics.weights import broadcast_weight, real_array


class IoU(Metric):
    """The mean over some classes of tp / (tp + fp + fn), the classes that occur nowhere left out.

    Args:
        num_classes: C. Positions where label or prediction lies outside [0, C) do not count.
        target_class_ids: the classes to average over.
        name: as of `Metric`.
        dtype: None is "int32", of which whole weights are demanded; with a floating-point type they may be fractions.
        ignore_class: a label whose positions do not count; None: all do.
        sparse_y_true: whether y_true holds class numbers; False: one value per class, of which the largest counts.
        sparse_y_pred: the same of y_pred.
        axis: of the classes where they are not sparse; default -1.

    The result is a float in [0, 1]; larger is better. As in Keras 3.15, 1e-7 is added to both divisors.

    Shapes: class numbers ``[...]``, or ``[..., C]`` where not sparse.

    Raises: ValueError if a target class is not below C, there is none, or, with a batch, the sizes of labels and
        predictions differ; TypeError for what is not real numbers. For "int32", it warns of weights that are floats.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype="int" if dtype is None else dtype)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"{self.name}: Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes})."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self._whole = "int" in self.dtype
        self.total_cm = self.add_variable(
            shape=(num_classes, num_classes),
            initializer="zeros",
            dtype="int64" if self._whole else "float64",
            name="total_confusion_matrix",
        )

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; weights have the shape of the class numbers, or broadcast to it from the first axis on."""
        true = self._classes(y_true, self.sparse_y_true, "y_true")
        pred = self._classes(y_pred, self.sparse_y_pred, "y_pred")
        if true.shape != pred.shape and true.size != pred.size:
            raise ValueError(f"{self.name}: y_true has {true.size} class numbers, expected {pred.size} as y_pred has")
        counted = (true >= 0) & (true < self.num_classes)
        counted &= ((pred >= 0) & (pred < self.num_classes)).reshape(true.shape)
        if self.ignore_class is not None:
            counted &= true != self.ignore_class
        weights = None
        if sample_weight is not None:
            weights = np.broadcast_to(self._weights(sample_weight, true.shape), true.shape)[counted]
        cell = true[counted].astype(np.int64) * self.num_classes + pred.reshape(true.shape)[counted].astype(np.int64)
        counts = np.bincount(cell, weights, minlength=self.num_classes**2)
        self.total_cm.assign_add(counts.reshape(self.num_classes, self.num_classes))

    def _classes(self, values: ArrayLike, sparse: bool, what: str) -> NDArray[Any]:
        array = real_array(values, f"{self.name}: {what}")
        if not sparse:
            array = np.asarray(array.argmax(axis=self.axis))
        return np.trunc(array) if array.dtype.kind == "f" else array

    def _weights(self, sample_weight: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
        weight = broadcast_weight(sample_weight, shape, self.name)
        if not self._whole:
            return weight
        if getattr(sample_weight, "dtype", np.dtype(int)).kind == "f":
            warnings.warn(
                f"{self.name}: sample_weight is float, but dtype is {self.dtype}: casting cuts fractions off; "
                f"dtype='float32' keeps them",
                stacklevel=3,
            )
        return np.trunc(weight)

    def result(self) -> float:
        """Return the mean since the last reset; 0 if none of the classes occurred."""
        matrix = np.asarray(self.total_cm)
        hit = np.diagonal(matrix)[self.target_class_ids]
        union = (matrix.sum(axis=0) + matrix.sum(axis=1))[self.target_class_ids] - hit
        occurs = union > 1e-9
        shares = np.where(occurs, hit / (union + EPSILON), 0.0)
        return float(shares.sum() / (np.count_nonzero(occurs) + EPSILON))

    def get_config(self) -> dict[str, Any]:
        config = {
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }
        return {**super().get_config(), **config}


class BinaryIoU(IoU):
    """`IoU` of the two classes of a probability.

    Args:
        target_class_ids: default (0, 1).
        threshold: predictions from it on are class 1; default 0.5.
        name, dtype: as of `IoU`.

    Shapes: labels 0 or 1 and predictions ``[...]``.

    The result is in [0, 1]; larger is better.

    Raises: ValueError if a target class is not below 2; with a batch as `IoU`.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch; see `IoU.update_state`."""
        positive = real_array(y_pred, f"{self.name}: y_pred") >= self.threshold
        super().update_state(y_true, positive.astype(np.int64), sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**{k: config[k] for k in ("name", "dtype", "target_class_ids")}, "threshold": self.threshold}


class MeanIoU(IoU):
    """`IoU` averaged over all classes that occur.

    Args: as of `IoU`, without target_class_ids.

    Result, shapes and errors as of `IoU`.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "target_class_ids")


class OneHotIoU(IoU):
    """`IoU` for one-hot labels and, unless ``sparse_y_pred``, predictions with one value per class.

    Args: as of `IoU`, without sparse_y_true; sparse_y_pred, default False.

    Result, shapes and errors as of `IoU`.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`OneHotIoU` averaged over all classes that occur.

    Args: as of `OneHotIoU`, without target_class_ids.

    Result, shapes and errors as of `IoU`.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return _without(super().get_config(), "sparse_y_true")


def _without(config: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k != key}
