"""The tables of ops: by these names a Program calls them. Adding an op is adding it here and in its family's file."""

from __future__ import annotations

from netlet.program.ops.elementwise import ACTIVATIONS, EPILOGUES
from netlet.program.ops.table import Table
from netlet.program.spec import LossSpec, MetricSpec, OpSpec, OptimizerSpec, Spec

__all__ = ["ACTIVATIONS", "EPILOGUES", "LOSSES", "METRICS", "OPS", "OPTIMIZERS", "all_specs"]

OPS: Table[OpSpec] = Table(
    {
        "dense": "dense:Dense",
        "activation": "activation:Activation",
        "softmax": "activation:Softmax",
        "log_softmax": "activation:LogSoftmax",
        "reshape": "reshape:Reshape",
        "add": "merge:Add",
        "subtract": "merge:Subtract",
        "multiply": "merge:Multiply",
        "average": "merge:Average",
        "maximum": "merge:Maximum",
        "minimum": "merge:Minimum",
        "concatenate": "merge:Concatenate",
        "dot": "merge:Dot",
        "batch_normalization": "normalization:BatchNormalization",
        "layer_normalization": "normalization:LayerNormalization",
        "group_normalization": "normalization_group:GroupNormalization",
        "unit_normalization": "normalization:UnitNormalization",
        "dropout": "noise:Dropout",
        "gaussian_noise": "noise:GaussianNoise",
        "gaussian_dropout": "noise:GaussianDropout",
        "alpha_dropout": "noise:AlphaDropout",
        "embedding": "embedding:Embedding",
        "prelu": "prelu:PReLU",
        "repeat_vector": "shaping:RepeatVector",
        "permute": "shaping:Permute",
        "standardize": "shaping:Standardize",
        "rescale": "preprocessing:Rescale",
        "discretize": "preprocessing:Discretize",
        "lookup": "preprocessing:Lookup",
        "encode_category": "preprocessing:EncodeCategory",
        "crop": "images:Crop",
        "resize": "images:Resize",
        "random_flip": "random_images:RandomFlip",
        "random_contrast": "random_images:RandomContrast",
        "random_affine": "affine:RandomAffine",
        "custom": "custom:CustomLayer",
        "masked_batch_normalization": "normalization_masked:MaskedBatchNormalization",
        "mask": "masks:MaskOf",
        "mask_any": "masks:MaskAny",
        "masked_fill": "masks:MaskedFill",
        "masked_select": "masks:MaskedSelect",
    }
)

LOSSES: Table[LossSpec] = Table(
    {
        "mean_squared_error": "losses:MeanSquaredError",
        "mean_absolute_error": "losses:MeanAbsoluteError",
        "binary_crossentropy": "crossentropy:BinaryCrossentropy",
        "categorical_crossentropy": "crossentropy:CategoricalCrossentropy",
        "sparse_categorical_crossentropy": "sparse_crossentropy:SparseCategoricalCrossentropy",
        "binary_focal_crossentropy": "losses_focal:BinaryFocalCrossentropy",
        "categorical_focal_crossentropy": "losses_focal:CategoricalFocalCrossentropy",
        "categorical_generalized_cross_entropy": "losses_probability:CategoricalGeneralizedCrossEntropy",
        "kl_divergence": "losses_probability:KLDivergence",
        "poisson": "losses_probability:Poisson",
        "mean_absolute_percentage_error": "losses_regression:MeanAbsolutePercentageError",
        "mean_squared_logarithmic_error": "losses_regression:MeanSquaredLogarithmicError",
        "huber": "losses_regression:Huber",
        "log_cosh": "losses_regression:LogCosh",
        "cosine_similarity": "losses_regression:CosineSimilarity",
        "hinge": "losses_hinge:Hinge",
        "squared_hinge": "losses_hinge:SquaredHinge",
        "categorical_hinge": "losses_hinge:CategoricalHinge",
        "dice": "losses_overlap:Dice",
        "tversky": "losses_overlap:Tversky",
        "circle": "losses_circle:Circle",
        "ctc": "ctc:Ctc",
        "custom": "custom:CustomLoss",
        "custom_sparse": "custom:CustomSparseLoss",
    }
)

METRICS: Table[MetricSpec] = Table(
    {
        "mean_squared_error": "metrics:MeanSquaredErrorMetric",
        "mean_absolute_error": "metrics:MeanAbsoluteErrorMetric",
        "binary_accuracy": "metrics:BinaryAccuracy",
        "categorical_accuracy": "metrics:CategoricalAccuracy",
        "sparse_categorical_accuracy": "metrics:SparseCategoricalAccuracy",
        "confusion": "metrics:Confusion",
        "custom": "custom:CustomMetric",
    }
)

OPTIMIZERS: Table[OptimizerSpec] = Table(
    {
        "sgd": "optimizers:Sgd",
        "adam": "optimizers_adam:Adam",
        "adamax": "optimizers_adam:Adamax",
        "nadam": "optimizers_adam:Nadam",
        "rmsprop": "optimizers_squares:RmsProp",
        "adagrad": "optimizers_squares:Adagrad",
        "adadelta": "optimizers_squares:Adadelta",
        "lion": "optimizers:Lion",
        "lamb": "optimizers_adam:Lamb",
        "ftrl": "optimizers_squares:Ftrl",
        "adafactor": "optimizers_matrix:Adafactor",
        "muon": "optimizers_matrix:Muon",
        "schedule_free_adamw": "optimizers_schedule_free:ScheduleFreeAdamW",
        "custom": "custom:CustomOptimizer",
    }
)


def all_specs() -> list[Spec]:
    """Every spec: ops, losses, metrics and optimizers. The custom ones, which are but names, are left out."""
    every: list[Spec] = [*OPS.values(), *LOSSES.values(), *METRICS.values(), *OPTIMIZERS.values()]
    return [spec for spec in every if not spec.name.startswith("custom")]
