"""How each loss, optimizer and activation is put into a small training: outputs, targets, rates, arguments.

What Netlet has is found by name (`cases.py`); a name that Netlet has and this page lacks fails a test.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class LossRecipe(NamedTuple):
    """Targets of a kind (see `data.py`), the activation of the output, and the sets of arguments to try."""

    target: str
    output: str = "linear"
    arguments: tuple[dict[str, Any], ...] = ({},)


_LOGITS = {"from_logits": True}
_SMOOTH = {"label_smoothing": 0.1}

LOSSES: dict[str, LossRecipe] = {
    "BinaryCrossentropy": LossRecipe("binary", "sigmoid", ({}, _SMOOTH, {"reduction": "sum"})),
    "BinaryFocalCrossentropy": LossRecipe("binary", "sigmoid", ({}, {"apply_class_balancing": True, "gamma": 3.0})),
    "CTC": LossRecipe("sequence"),
    "CategoricalCrossentropy": LossRecipe("onehot", "softmax", ({}, _SMOOTH)),
    "CategoricalFocalCrossentropy": LossRecipe("onehot", "softmax", ({}, {"alpha": 0.5, "gamma": 1.0})),
    "CategoricalGeneralizedCrossEntropy": LossRecipe("classes", "softmax", ({}, {"q": 0.7})),
    "CategoricalHinge": LossRecipe("onehot"),
    "Circle": LossRecipe("classes", "linear", ({}, {"gamma": 8.0, "margin": 0.3})),
    "CosineSimilarity": LossRecipe("real"),
    "Dice": LossRecipe("binary", "sigmoid"),
    "Hinge": LossRecipe("signs", "tanh"),
    "Huber": LossRecipe("real", "linear", ({}, {"delta": 0.3})),
    "KLDivergence": LossRecipe("distribution", "softmax"),
    "LogCosh": LossRecipe("real"),
    "MeanAbsoluteError": LossRecipe("real"),
    "MeanAbsolutePercentageError": LossRecipe("positive"),
    "MeanSquaredError": LossRecipe("real", "linear", ({}, {"reduction": "sum"})),
    "MeanSquaredLogarithmicError": LossRecipe("positive", "softplus"),
    "Poisson": LossRecipe("positive", "softplus"),
    "SparseCategoricalCrossentropy": LossRecipe("classes", "softmax"),
    "SquaredHinge": LossRecipe("signs", "tanh"),
    "Tversky": LossRecipe("binary", "sigmoid", ({}, {"alpha": 0.3, "beta": 0.7})),
}

#: The same losses on logits.
LOGITS: dict[str, LossRecipe] = {
    "BinaryCrossentropy": LossRecipe("binary", "linear", (_LOGITS,)),
    "BinaryFocalCrossentropy": LossRecipe("binary", "linear", (_LOGITS,)),
    "CategoricalCrossentropy": LossRecipe("onehot", "linear", (_LOGITS, _LOGITS | _SMOOTH)),
    "CategoricalFocalCrossentropy": LossRecipe("onehot", "linear", (_LOGITS,)),
    "SparseCategoricalCrossentropy": LossRecipe("classes", "linear", (_LOGITS,)),
}

#: Sets of arguments of each optimizer; the first is the one that meets every loss and activation.
OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "Adadelta": [{"learning_rate": 1.0}, {"learning_rate": 0.5, "rho": 0.9, "epsilon": 1e-4}],
    "Adafactor": [{"learning_rate": 0.01}, {"learning_rate": 0.01, "relative_step": False, "beta_2_decay": -0.6}],
    "Adagrad": [{"learning_rate": 0.05}, {"learning_rate": 0.05, "initial_accumulator_value": 0.5}],
    "Adam": [{"learning_rate": 0.01}, {"learning_rate": 0.01, "amsgrad": True}, {"beta_1": 0.8, "beta_2": 0.95}],
    "AdamW": [{"learning_rate": 0.01}, {"learning_rate": 0.01, "weight_decay": 0.05, "amsgrad": True}],
    "Adamax": [{"learning_rate": 0.01}],
    "Ftrl": [
        {"learning_rate": 0.05},
        {"learning_rate": 0.05, "l1_regularization_strength": 0.01, "l2_regularization_strength": 0.1, "beta": 0.5},
        {"learning_rate": 0.05, "l2_shrinkage_regularization_strength": 0.1, "learning_rate_power": -0.4},
    ],
    "Lamb": [{"learning_rate": 0.01}],
    "Lion": [{"learning_rate": 0.002}],
    # Of SGD: what Adam makes of float32's roundings would hide what the scale does.
    "LossScaleOptimizer": [
        {"learning_rate": 0.02, "momentum": 0.9, "initial_scale": 256.0, "dynamic_growth_steps": 30},
    ],
    "MultiOptimizer": [{"learning_rate": 0.01}],  # of Adam, for kernels, and SGD, for biases
    "Muon": [{"learning_rate": 0.01}],
    "Nadam": [{"learning_rate": 0.01}],
    "RMSprop": [
        {"learning_rate": 0.01},
        {"learning_rate": 0.005, "momentum": 0.8},
        {"learning_rate": 0.005, "momentum": 0.5, "centered": True},
    ],
    "ScheduleFreeAdamW": [{"learning_rate": 0.01}, {"learning_rate": 0.02, "beta_1": 0.7, "warmup_steps": 20}],
    "SGD": [
        {"learning_rate": 0.05},
        {"learning_rate": 0.02, "momentum": 0.9},
        {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True},
    ],
}

#: Further arguments where a network is not the small one. With its usual 0.1, Ftrl's first step takes most of each
#: weight away, and what divides by norms then multiplies roundings by 1e9: nothing is compared, in float64 either.
IN_NETWORKS: dict[str, dict[str, Any]] = {"Ftrl": {"initial_accumulator_value": 0.001}}

#: Arguments of each schedule, as a case has them.
SCHEDULES: dict[str, dict[str, Any]] = {
    name: {"schedule": name, **arguments}
    for name, arguments in {
        "CosineDecay": {
            "initial_learning_rate": 0.005,
            "decay_steps": 60,
            "alpha": 0.1,
            "warmup_target": 0.03,
            "warmup_steps": 20,
        },
        "CosineDecayRestarts": {"initial_learning_rate": 0.03, "first_decay_steps": 20, "t_mul": 1.5, "m_mul": 0.8},
        "ExponentialDecay": {"initial_learning_rate": 0.05, "decay_steps": 10, "decay_rate": 0.9, "staircase": True},
        "InverseTimeDecay": {"initial_learning_rate": 0.05, "decay_steps": 10, "decay_rate": 0.5},
        "PiecewiseConstantDecay": {"boundaries": [20, 50], "values": [0.03, 0.02, 0.01]},
        "PolynomialDecay": {
            "initial_learning_rate": 0.05,
            "decay_steps": 30,
            "end_learning_rate": 0.005,
            "power": 1.5,
            "cycle": True,
        },
    }.items()
}

#: Arguments that every optimizer takes.
COMMON: list[dict[str, Any]] = [
    {"weight_decay": 0.02},
    {"clipnorm": 0.3},
    {"clipvalue": 0.05},
    {"global_clipnorm": 0.4},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 4, "global_clipnorm": 0.4, "weight_decay": 0.02},
    {"loss_scale_factor": 64.0},
    {
        "learning_rate": {
            "schedule": "ExponentialDecay",
            "initial_learning_rate": 0.05,
            "decay_steps": 10,
            "decay_rate": 0.9,
        }
    },
]

#: Optimizers that drive another one; the steps of the other are compared.
WRAPPERS = ("LossScaleOptimizer", "MultiOptimizer")

#: Layers that no network has, and why.
NOT_IN_A_NETWORK = {
    "Input": "a function; InputLayer is what it makes, and is in every network",
    "Layer": "the base",
    **dict.fromkeys(("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"), "draws random numbers"),
    **dict.fromkeys(("RandomContrast", "RandomFlip", "RandomRotation"), "draws random numbers"),
    **dict.fromkeys(("RandomTranslation", "RandomZoom"), "draws random numbers"),
    **dict.fromkeys(("CategoryEncoding", "CenterCrop", "Discretization", "Hashing"), "preprocesses"),
    **dict.fromkeys(("IntegerLookup", "Normalization", "Rescaling", "Resizing", "StringLookup"), "preprocesses"),
}

#: Activations that a hidden Dense layer cannot have by its name, and why.
NOT_HIDDEN = {
    "sparsemax": "works on arrays; no layer of Netlet's has it",
    "glu": "halves its input, which Keras' Dense does not tell the next layer",
    "threshold": "has two arguments without a default",
}
