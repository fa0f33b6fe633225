"""What is measured: every training and inference case, as data, with the goal it is held to.

A case fixes the network, the number of rows, the batch, the loss, the learning rate and the seed of data and initial
weights, so that all contestants do the same arithmetic. One list serves the runs, the answer checks and the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Loss = Literal["mean_squared_error", "softmax_cross_entropy"]
FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Goal:
    """What Netlet has to reach in a case. One of two forms.

    ``times_faster`` than the fastest contestant whose name is ``against`` or starts with ``against`` and a hyphen
    (None: any contestant that is not Netlet); or at most ``microseconds``, above the same contestant's figure in
    the case ``above`` where that is given.
    """

    times_faster: float | None = None
    against: str | None = None
    microseconds: float | None = None
    above: str | None = None

    def __post_init__(self) -> None:
        if (self.times_faster is None) == (self.microseconds is None):
            raise ValueError("Goal: expected exactly one of times_faster and microseconds")

    def __str__(self) -> str:
        if self.times_faster is not None:
            return f"≥ {self.times_faster:g}× {self.against or 'the best peer'}"
        return f"≤ {self.microseconds:g} µs" + (f" above {self.above}" if self.above else "")


@dataclass(frozen=True)
class Layer:
    """One dense layer: I inputs, O outputs and the activation that follows."""

    inputs: int
    outputs: int
    activation: str


def dense_layers(widths: tuple[int, ...], hidden: str, output: str) -> tuple[Layer, ...]:
    """The chain ``widths[0] -> widths[1] -> ...``, ``hidden`` after each layer but the last, ``output`` after that."""
    last = len(widths) - 2
    return tuple(Layer(i, o, output if k == last else hidden) for k, (i, o) in enumerate(pairwise(widths)))


@dataclass(frozen=True)
class TrainingCase:
    """Plain SGD on one network; the figure is microseconds a step.

    Args:
        name: what the command line and the tables call it.
        widths: I of the first layer, then O of every layer.
        batch: B; ``rows`` is a multiple of it, so that every step does the same work.
        rows: how many rows one epoch has.
        epochs: how many epochs one timed call of ``fit`` trains for.
        loss: ``softmax_cross_entropy`` has int labels and ends in softmax; ``mean_squared_error`` ends linear.
        hidden: the activation after every layer but the last.
        learning_rate: of plain SGD.
        shuffle: whether every epoch gathers its batches from newly shuffled rows.
        check_epochs: how many epochs, unshuffled, the answers are compared after.
        goal: None for a case that is only watched.
        slow: left out unless it is asked for.
        smoke: part of the one-minute run.
    """

    name: str
    widths: tuple[int, ...]
    batch: int
    rows: int
    epochs: int
    loss: Loss
    hidden: str = "relu"
    learning_rate: float = 0.01
    shuffle: bool = True
    check_epochs: int = 1
    goal: Goal | None = None
    slow: bool = False
    smoke: bool = False
    kind: Literal["training"] = "training"

    @property
    def output(self) -> str:
        return "softmax" if self.loss == "softmax_cross_entropy" else "linear"

    @property
    def layers(self) -> tuple[Layer, ...]:
        return dense_layers(self.widths, self.hidden, self.output)

    @property
    def steps(self) -> int:
        """Steps in one epoch."""
        return self.rows // self.batch

    @property
    def flops(self) -> int:
        """Of one step's matrix products: forward, kernel gradient, and input gradient but for the first layer."""
        products = sum(3 * layer.inputs * layer.outputs for layer in self.layers)
        return 2 * self.batch * (products - self.layers[0].inputs * self.layers[0].outputs)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class InferenceCase:
    """One call from Python, NumPy array in and out; the figure is microseconds a call. Ends in softmax."""

    widths: tuple[int, ...]
    batch: int
    hidden: str = "relu"
    goal: Goal | None = None
    slow: bool = False
    smoke: bool = False
    kind: Literal["inference"] = "inference"

    @property
    def name(self) -> str:
        return f"predict_{'-'.join(map(str, self.widths))}_batch{self.batch}"

    @property
    def layers(self) -> tuple[Layer, ...]:
        return dense_layers(self.widths, self.hidden, "softmax")

    @property
    def flops(self) -> int:
        """Of one call's matrix products."""
        return 2 * self.batch * sum(layer.inputs * layer.outputs for layer in self.layers)

    def __str__(self) -> str:
        return self.name


Case = TrainingCase | InferenceCase

TRAINING: tuple[TrainingCase, ...] = (
    TrainingCase(
        "seed_linear", (2, 1), batch=10, rows=100, epochs=100, loss="mean_squared_error",
        check_epochs=10, goal=Goal(times_faster=20), smoke=True,
    ),
    TrainingCase(
        "seed_mlp", (2, 3, 1), batch=10, rows=100, epochs=100, loss="mean_squared_error",
        check_epochs=10, goal=Goal(times_faster=20), smoke=True,
    ),
    # The first two again with 1,000 steps in one epoch: what a step costs when no epoch begins or ends, which is
    # where a jitted scan is at its best. What fit adds to its steps is seed_linear less this.
    TrainingCase("seed_linear_long", (2, 1), batch=10, rows=10_000, epochs=1, loss="mean_squared_error"),
    TrainingCase("seed_mlp_long", (2, 3, 1), batch=10, rows=10_000, epochs=1, loss="mean_squared_error"),
    TrainingCase(
        "tabular", (64, 64, 64, 10), batch=32, rows=3_200, epochs=2, loss="softmax_cross_entropy",
        learning_rate=0.03, goal=Goal(times_faster=3.5), smoke=True,
    ),
    TrainingCase(
        "mnist_small", (784, 128, 10), batch=128, rows=6_400, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.03, goal=Goal(times_faster=2.8),
    ),
    TrainingCase(
        "mnist_big", (784, 512, 512, 10), batch=128, rows=6_400, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.03, goal=Goal(times_faster=1.5),
    ),
    TrainingCase(
        "wide", (1024, 4096, 4096, 1000), batch=512, rows=2_048, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.1, goal=Goal(times_faster=1.25), slow=True,
    ),
    # The small network that SimpleChains.jl publishes; plain SGD here, where the published figure is Adam's.
    # A full batch is not shuffled: the order of its rows is no part of the answer.
    TrainingCase(
        "simplechains", (4, 32, 16, 4), batch=10_000, rows=10_000, epochs=20, loss="mean_squared_error",
        hidden="tanh", learning_rate=0.1, shuffle=False, check_epochs=20,
    ),
)  # fmt: skip

_SMALL, _MIDDLE, _LARGE = (64, 64, 64, 10), (784, 128, 10), (784, 512, 512, 10)

INFERENCE: tuple[InferenceCase, ...] = (
    InferenceCase(_SMALL, 1, goal=Goal(microseconds=2.5), smoke=True),
    InferenceCase(_SMALL, 32, goal=Goal(times_faster=2, against="onnxruntime"), smoke=True),
    InferenceCase(_SMALL, 1024, goal=Goal(times_faster=2, against="onnxruntime")),
    InferenceCase(_MIDDLE, 1, goal=Goal(times_faster=3, against="onnxruntime")),
    InferenceCase(_MIDDLE, 32, goal=Goal(times_faster=1.2, against="onnxruntime")),
    InferenceCase(_MIDDLE, 1024, goal=Goal(times_faster=1, against="onnxruntime")),
    InferenceCase(_LARGE, 1, goal=Goal(times_faster=1.2, against="onnxruntime")),
    InferenceCase(_LARGE, 32, goal=Goal(times_faster=1.1, against="onnxruntime")),
    InferenceCase(_LARGE, 1024, goal=Goal(times_faster=1, against="onnxruntime")),
)

_ALL: tuple[Case, ...] = (*TRAINING, *INFERENCE)
CASES: dict[str, Case] = {case.name: case for case in _ALL}

# Never timed: an epoch from which can be read when each row was trained on. Row i is the i-th unit vector, so that it
# alone moves kernel[i] of the first layer; see benchmarks.probe.
PROBE = TrainingCase(
    "shuffle_probe", (96, 1, 1), batch=8, rows=96, epochs=1, loss="mean_squared_error", learning_rate=1e-3
)

# What `fit` costs besides its steps: at most 1 ms in 1,000 steps, so 1 µs a step, over the steps of one long epoch.
FIT_OVERHEAD = ("seed_linear", Goal(microseconds=1.0, above="seed_linear_long"))
