"""The alphabet in which a Program is written for the kernels: numbers for names, and the columns of each table.

``encode.py`` writes it, ``steps.py`` reads it. Plain integers: Numba compiles them in as constants.
"""

from __future__ import annotations

# -- Ops: one row of OP_COLUMNS numbers each, in execution order ---------------------------------------------
DENSE, ACTIVATION, PIECEWISE, SOFTMAX, LOG_SOFTMAX = range(5)

(
    OP,  # one of the above
    OP_X,  # where the input lies: elements per row before it in the workspace
    OP_Y,  # where the output lies
    OP_POSITIONS,  # rows of the last axis per row of the batch
    OP_I,  # last axis of the input
    OP_O,  # last axis of the output
    OP_KERNEL,  # offset of the kernel in the arena
    OP_BIAS,  # offset of the bias, or NOWHERE
    OP_ACTIVATION,  # of an activation, or the epilogue of a dense
    OP_ALPHA,  # index into the float table; of the five numbers of a PIECEWISE
    OP_BY_LOSS,  # 1 if the loss writes this output too, so that training and evaluation pass over the op
    OP_DX,  # what backward does with the gradients of input, kernel and bias: NOTHING, WRITE or ADD
    OP_DKERNEL,
    OP_DBIAS,
    OP_BACKWARD,  # 0 if no gradient arrives at the output
) = range(15)
OP_COLUMNS = 15

NOWHERE = -1
NOTHING, WRITE, ADD = range(3)

# -- Elementwise activations ---------------------------------------------------------------------------------
(
    LINEAR,
    RELU,
    LEAKY_RELU,
    ELU,
    SELU,
    SIGMOID,
    TANH,
    EXPONENTIAL,
    HARD_SIGMOID,
    RELU6,
    CELU,
    SQUAREPLUS,
    SOFT_SHRINK,
    HARD_SHRINK,
    SPARSE_PLUS,
    HARD_TANH,
    SPARSE_SIGMOID,
    LOG_SIGMOID,
    SOFTPLUS,
    SOFTSIGN,
    GELU,
    GELU_TANH,
    SILU,
    HARD_SILU,
    TANH_SHRINK,
    MISH,
) = range(26)

ACTIVATIONS = {
    "linear": LINEAR,
    "relu": RELU,
    "leaky_relu": LEAKY_RELU,
    "elu": ELU,
    "selu": SELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "exponential": EXPONENTIAL,
    "hard_sigmoid": HARD_SIGMOID,
    "relu6": RELU6,
    "celu": CELU,
    "squareplus": SQUAREPLUS,
    "soft_shrink": SOFT_SHRINK,
    "hard_shrink": HARD_SHRINK,
    "sparse_plus": SPARSE_PLUS,
    "hard_tanh": HARD_TANH,
    "sparse_sigmoid": SPARSE_SIGMOID,
    "log_sigmoid": LOG_SIGMOID,
    "softplus": SOFTPLUS,
    "softsign": SOFTSIGN,
    "gelu": GELU,  # GELU_TANH with attrs {"approximate": true}
    "silu": SILU,
    "hard_silu": HARD_SILU,
    "tanh_shrink": TANH_SHRINK,
    "mish": MISH,
}

# -- Losses: one row of LOSS_COLUMNS numbers -----------------------------------------------------------------
(
    NO_LOSS,
    MEAN_SQUARED_ERROR,
    MEAN_ABSOLUTE_ERROR,
    BINARY_CROSSENTROPY,
    BINARY_CROSSENTROPY_LOGITS,
    CATEGORICAL_CROSSENTROPY,
    CATEGORICAL_CROSSENTROPY_LOGITS,
    SPARSE_CATEGORICAL_CROSSENTROPY,
    SPARSE_CATEGORICAL_CROSSENTROPY_LOGITS,
) = range(9)

LOSSES = {
    ("mean_squared_error", False): MEAN_SQUARED_ERROR,
    ("mean_absolute_error", False): MEAN_ABSOLUTE_ERROR,
    ("binary_crossentropy", False): BINARY_CROSSENTROPY,
    ("binary_crossentropy", True): BINARY_CROSSENTROPY_LOGITS,
    ("categorical_crossentropy", False): CATEGORICAL_CROSSENTROPY,
    ("categorical_crossentropy", True): CATEGORICAL_CROSSENTROPY_LOGITS,
    ("sparse_categorical_crossentropy", False): SPARSE_CATEGORICAL_CROSSENTROPY,
    ("sparse_categorical_crossentropy", True): SPARSE_CATEGORICAL_CROSSENTROPY_LOGITS,
}

(
    LOSS,  # one of the above
    LOSS_X,  # where the prediction (or the logits) lies
    LOSS_POSITIONS,
    LOSS_C,  # last axis
    LOSS_OUTPUT,  # where the probabilities go, or NOWHERE
) = range(5)
LOSS_COLUMNS = 5

# -- Metrics: one row of METRIC_COLUMNS numbers each ---------------------------------------------------------
(
    SQUARED_ERROR_METRIC,
    ABSOLUTE_ERROR_METRIC,
    BINARY_ACCURACY,
    CATEGORICAL_ACCURACY,
    SPARSE_CATEGORICAL_ACCURACY,
    CONFUSION,
) = range(6)

METRICS = {
    "mean_squared_error": SQUARED_ERROR_METRIC,
    "mean_absolute_error": ABSOLUTE_ERROR_METRIC,
    "binary_accuracy": BINARY_ACCURACY,
    "categorical_accuracy": CATEGORICAL_ACCURACY,
    "sparse_categorical_accuracy": SPARSE_CATEGORICAL_ACCURACY,
    "confusion": CONFUSION,
}

(
    METRIC,  # one of the above
    METRIC_X,  # where the prediction lies
    METRIC_POSITIONS,
    METRIC_C,  # last axis
    METRIC_SUMS,  # its first sum
    METRIC_THRESHOLD,  # index into the float table; NaN there means the maximum is the prediction
    METRIC_PER_CLASS,  # 1 for sums per class
) = range(7)
METRIC_COLUMNS = 7

# -- Inputs and outputs of the network: one row of PORT_COLUMNS numbers each ---------------------------------
(
    PORT_VALUE,  # where the value lies
    PORT_WIDTH,  # elements per row
    PORT_GRADIENT,  # of an output: WRITE or ADD its cotangent; of an input: NOTHING if none arrives, else WRITE
) = range(3)
PORT_COLUMNS = 3

# -- The header of the code: how many rows each table has ----------------------------------------------------
N_INPUTS, N_OUTPUTS, N_OPS, N_METRICS = range(4)
HEADER = 4

# -- The control block of a call -----------------------------------------------------------------------------
(
    MODE,  # TRAIN, ...
    FIRST,  # the first and the last unit but one to run; a unit is a block of rows of a step
    LAST,
    ROWS,  # rows of the data
    BATCH,  # rows of a step
    BLOCK,  # rows that are carried through the network together; the workspace holds so many
    NESTEROV,  # 1 or 0
    RATES,  # the step whose learning rate is the first of several, if there are several
    UPDATES,  # 0 where the caller updates after each step
) = range(9)
CONTROL = 9

TRAIN, EVALUATE, GRADIENTS, VJP = range(4)
