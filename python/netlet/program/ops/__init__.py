"""The tables of ops: by these names a Program calls them. Adding an op is adding it here and in its family's file."""

from __future__ import annotations

from netlet.program.ops.activation import Activation, LogSoftmax, Softmax
from netlet.program.ops.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
)
from netlet.program.ops.ctc import Ctc
from netlet.program.ops.custom import CustomLoss, CustomMetric, CustomSparseLoss
from netlet.program.ops.dense import Dense
from netlet.program.ops.elementwise import ACTIVATIONS, EPILOGUES
from netlet.program.ops.embedding import Embedding
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
from netlet.program.ops.merge import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from netlet.program.ops.metrics import (
    BinaryAccuracy,
    CategoricalAccuracy,
    Confusion,
    MeanAbsoluteErrorMetric,
    MeanSquaredErrorMetric,
    SparseCategoricalAccuracy,
)
from netlet.program.ops.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from netlet.program.ops.normalization import BatchNormalization, LayerNormalization, UnitNormalization
from netlet.program.ops.optimizers import Lion, Sgd
from netlet.program.ops.optimizers_adam import Adam, Adamax, Lamb, Nadam
from netlet.program.ops.optimizers_matrix import Adafactor, Muon
from netlet.program.ops.optimizers_squares import Adadelta, Adagrad, Ftrl, RmsProp
from netlet.program.ops.prelu import PReLU
from netlet.program.ops.reshape import Reshape
from netlet.program.ops.shaping import Permute, RepeatVector, Standardize
from netlet.program.ops.sparse_crossentropy import SparseCategoricalCrossentropy
from netlet.program.spec import LossSpec, MetricSpec, OpSpec, OptimizerSpec, Spec

__all__ = ["ACTIVATIONS", "EPILOGUES", "LOSSES", "METRICS", "OPS", "OPTIMIZERS", "all_specs"]

OPS: dict[str, OpSpec] = {
    spec.name: spec
    for spec in (
        Dense(),
        Activation(),
        Softmax(),
        LogSoftmax(),
        Reshape(),
        Add(),
        Subtract(),
        Multiply(),
        Average(),
        Maximum(),
        Minimum(),
        Concatenate(),
        Dot(),
        BatchNormalization(),
        LayerNormalization(),
        UnitNormalization(),
        Dropout(),
        GaussianNoise(),
        GaussianDropout(),
        AlphaDropout(),
        Embedding(),
        PReLU(),
        RepeatVector(),
        Permute(),
        Standardize(),
    )
}

LOSSES: dict[str, LossSpec] = {
    spec.name: spec
    for spec in (
        MeanSquaredError(),
        MeanAbsoluteError(),
        BinaryCrossentropy(),
        CategoricalCrossentropy(),
        SparseCategoricalCrossentropy(),
        CustomLoss(),
        CustomSparseLoss(),
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
        CustomMetric(),
    )
}

OPTIMIZERS: dict[str, OptimizerSpec] = {
    spec.name: spec
    for spec in (
        Sgd(),
        Adam(),
        Adamax(),
        Nadam(),
        RmsProp(),
        Adagrad(),
        Adadelta(),
        Lion(),
        Lamb(),
        Ftrl(),
        Adafactor(),
        Muon(),
    )
}


def all_specs() -> list[Spec]:
    """Every spec: ops, losses, metrics and optimizers. The custom ones, which are but names, are left out."""
    every: list[Spec] = [*OPS.values(), *LOSSES.values(), *METRICS.values(), *OPTIMIZERS.values()]
    return [spec for spec in every if not spec.name.startswith("custom")]
