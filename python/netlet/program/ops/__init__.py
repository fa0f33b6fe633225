"""The tables of ops: by these names a Program calls them. Adding an op is adding it here and in its family's file."""

from __future__ import annotations

from netlet.program.ops.activation import Activation, LogSoftmax, Softmax
from netlet.program.ops.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
)
from netlet.program.ops.ctc import Ctc
from netlet.program.ops.dense import Dense
from netlet.program.ops.elementwise import ACTIVATIONS, EPILOGUES
from netlet.program.ops.losses import MeanAbsoluteError, MeanSquaredError
from netlet.program.ops.losses_circle import Circle
from netlet.program.ops.losses_focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from netlet.program.ops.losses_hinge import CategoricalHinge, Hinge, SquaredHinge
from netlet.program.ops.losses_overlap import Dice, Tversky
from netlet.program.ops.losses_probability import CategoricalGeneralizedCrossEntropy, KLDivergence, Poisson
from netlet.program.ops.losses_regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
)
from netlet.program.ops.metrics import (
    BinaryAccuracy,
    CategoricalAccuracy,
    Confusion,
    MeanAbsoluteErrorMetric,
    MeanSquaredErrorMetric,
    SparseCategoricalAccuracy,
)
from netlet.program.ops.optimizers import Sgd
from netlet.program.ops.reshape import Reshape
from netlet.program.ops.sparse_crossentropy import SparseCategoricalCrossentropy
from netlet.program.spec import LossSpec, MetricSpec, OpSpec, OptimizerSpec, Spec

__all__ = ["ACTIVATIONS", "EPILOGUES", "LOSSES", "METRICS", "OPS", "OPTIMIZERS", "all_specs"]

OPS: dict[str, OpSpec] = {spec.name: spec for spec in (Dense(), Activation(), Softmax(), LogSoftmax(), Reshape())}

LOSSES: dict[str, LossSpec] = {
    spec.name: spec
    for spec in (
        MeanSquaredError(),
        MeanAbsoluteError(),
        BinaryCrossentropy(),
        CategoricalCrossentropy(),
        SparseCategoricalCrossentropy(),
        BinaryFocalCrossentropy(),
        CategoricalFocalCrossentropy(),
        CategoricalGeneralizedCrossEntropy(),
        KLDivergence(),
        Poisson(),
        MeanAbsolutePercentageError(),
        MeanSquaredLogarithmicError(),
        Huber(),
        LogCosh(),
        CosineSimilarity(),
        Hinge(),
        SquaredHinge(),
        CategoricalHinge(),
        Dice(),
        Tversky(),
        Circle(),
        Ctc(),
    )
}

METRICS: dict[str, MetricSpec] = {
    spec.name: spec
    for spec in (
        MeanSquaredErrorMetric(),
        MeanAbsoluteErrorMetric(),
        BinaryAccuracy(),
        CategoricalAccuracy(),
        SparseCategoricalAccuracy(),
        Confusion(),
    )
}

OPTIMIZERS: dict[str, OptimizerSpec] = {spec.name: spec for spec in (Sgd(),)}


def all_specs() -> list[Spec]:
    """Every spec, ops first, then losses, metrics and optimizers."""
    return [*OPS.values(), *LOSSES.values(), *METRICS.values(), *OPTIMIZERS.values()]
