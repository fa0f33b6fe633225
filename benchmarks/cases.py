"""What is measured: every training, inference and product case, as data, with the goals it is held to.

A case fixes the network, the number of rows, the batch, the loss, the learning rate and the seed of data and initial
weights, so that all contestants do the same arithmetic. One list serves the runs, the answer checks and the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal, NamedTuple

Loss = Literal["mean_squared_error", "softmax_cross_entropy"]

# Netlet's entries that serve one model: the call of Keras, and the frozen snapshot. A goal about serving is held by the
# faster of them; the tables say which one that is.
SERVING = ("netlet", "netlet-predictor")


@dataclass(frozen=True)
class Goal:
    """What Netlet has to reach in a case. One of three forms.

    ``times_faster`` than the fastest contestant whose name is ``against`` or starts with ``against`` and a hyphen
    (None: any contestant that is not Netlet); at most ``microseconds``, above the same contestant's figure in the case
    ``above`` where that is given; or at least the share ``peak`` of what the cores' multiply-add units could do.

    ``by`` names the entries of Netlet that may hold it, of which the fastest counts; None: the one that stands for
    Netlet in the tables.
    """

    times_faster: float | None = None
    against: str | None = None
    microseconds: float | None = None
    above: str | None = None
    peak: float | None = None
    by: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if [self.times_faster, self.microseconds, self.peak].count(None) != 2:
            raise ValueError("Goal: expected exactly one of times_faster, microseconds and peak")

    def __str__(self) -> str:
        if self.times_faster is not None:
            return f"≥ {self.times_faster:g}× {self.against or 'the best peer'}"
        if self.peak is not None:
            return f"≥ {100 * self.peak:g} % of the FMA peak"
        return f"≤ {self.microseconds:g} µs" + (f" above {self.above}" if self.above else "")

    def reached(self, value: float) -> bool:
        """Whether a ratio, a time in microseconds or a share of the peak is enough, whichever this goal is about."""
        if self.microseconds is not None:
            return value <= self.microseconds
        least = self.times_faster if self.times_faster is not None else self.peak
        assert least is not None
        return value >= least


@dataclass(frozen=True)
class Layer:
    """One dense layer: I inputs, O outputs and the activation that follows."""

    inputs: int
    outputs: int
    activation: str


def format_widths(widths: tuple[int, ...]) -> str:
    """``784-128-10``; five or more of a kind as ``5x64``, since names have to fit into tables."""
    parts = []
    for width, same in groupby(widths):
        count = len(list(same))
        parts += [f"{count}x{width}"] if count > 4 else [str(width)] * count
    return "-".join(parts)


def dense_layers(widths: tuple[int, ...], hidden: str, output: str) -> tuple[Layer, ...]:
    """The chain ``widths[0] -> widths[1] -> ...``, ``hidden`` after each layer but the last, ``output`` after that."""
    last = len(widths) - 2
    return tuple(Layer(i, o, output if k == last else hidden) for k, (i, o) in enumerate(pairwise(widths)))


class Adam(NamedTuple):
    """Settings of Adam (Kingma and Ba, ICLR 2015, algorithm 1).

    epsilon is so small that it does not matter whether a library adds it before or after the root of v is corrected.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-12


ADAM = Adam()


@dataclass(frozen=True)
class TrainingCase:
    """Plain SGD, or Adam, on one network; the figure is microseconds a step.

    Args:
        name: what the command line and the tables call it.
        widths: I of the first layer, then O of every layer.
        batch: B; ``rows`` is a multiple of it, so that every step does the same work.
        rows: how many rows one epoch has.
        epochs: how many epochs one timed call of ``fit`` trains for.
        loss: ``softmax_cross_entropy`` has int labels and ends in softmax; ``mean_squared_error`` ends linear.
        hidden: the activation after every layer but the last.
        learning_rate: of the optimizer.
        optimizer: ``sgd``, plain, or ``adam`` with ADAM's settings.
        shuffle: whether every epoch gathers its batches from newly shuffled rows.
        draw: which draw of initial weights; another than the first where that would leave a layer's relus all off.
        check_epochs: how many epochs, unshuffled, the answers are compared after.
        goals: none for a case that is only watched.
        note: where the case comes from, for the tables.
        sweep: a point of a curve, only for the entries that the curves show.
        scaling: run with every number of threads that the machine has room for.
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
    optimizer: Literal["sgd", "adam"] = "sgd"
    shuffle: bool = True
    draw: int = 0
    check_epochs: int = 1
    goals: tuple[Goal, ...] = ()
    note: str = ""
    sweep: bool = False
    scaling: bool = False
    slow: bool = False
    smoke: bool = False
    kind: Literal["training"] = "training"
    unit: Literal["step"] = "step"

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
    """One call from Python, NumPy array in and out; the figure is microseconds a call.

    Args:
        widths: I of the first layer, then O of every layer.
        batch: B, the rows of a call.
        hidden: the activation after every layer but the last.
        output: the last one's.
        goals, note, sweep, scaling, slow, smoke: as in TrainingCase.
    """

    widths: tuple[int, ...]
    batch: int
    hidden: str = "relu"
    output: str = "softmax"
    goals: tuple[Goal, ...] = ()
    note: str = ""
    sweep: bool = False
    scaling: bool = False
    slow: bool = False
    smoke: bool = False
    kind: Literal["inference"] = "inference"
    unit: Literal["call"] = "call"

    @property
    def name(self) -> str:
        output = "" if self.output == "softmax" else f"_{self.output}"
        return f"predict_{format_widths(self.widths)}{output}_batch{self.batch}"

    @property
    def layers(self) -> tuple[Layer, ...]:
        return dense_layers(self.widths, self.hidden, self.output)

    @property
    def flops(self) -> int:
        """Of one call's matrix products."""
        return 2 * self.batch * sum(layer.inputs * layer.outputs for layer in self.layers)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ProductCase:
    """Matrix products alone, as a dense layer without bias has them; the figure is microseconds a call.

    ``forward`` is ``y = x @ kernel`` with x ``[M, K]`` and kernel ``[K, N]``; ``gradients`` is that and both of its
    gradients, ``dx = dy @ kernel.T`` and ``dkernel = x.T @ dy``.

    Args:
        m, n, k: M, N and K.
        direction: what is computed.
        isas: compare instruction set by instruction set, instead of the libraries' own choice.
        note, slow, smoke: as in TrainingCase.
    """

    m: int
    n: int
    k: int
    direction: Literal["forward", "gradients"] = "forward"
    isas: bool = False
    note: str = ""
    slow: bool = False
    smoke: bool = False
    kind: Literal["product"] = "product"
    unit: Literal["call"] = "call"
    goals: tuple[Goal, ...] = ()
    sweep: Literal[False] = False
    scaling: Literal[False] = False

    @property
    def name(self) -> str:
        return f"product_{self.m}x{self.n}x{self.k}_{self.direction}"

    @property
    def flops(self) -> int:
        return 2 * self.m * self.n * self.k * (3 if self.direction == "gradients" else 1)

    def __str__(self) -> str:
        return self.name


Network = TrainingCase | InferenceCase
Case = TrainingCase | InferenceCase | ProductCase

_LIBXSMM = "What libxsmm's MLP driver runs: layers of one width, here three of 256, at a minibatch of 256"

TRAINING: tuple[TrainingCase, ...] = (
    TrainingCase(
        "seed_linear", (2, 1), batch=10, rows=100, epochs=100, loss="mean_squared_error",
        check_epochs=10, goals=(Goal(times_faster=20),), smoke=True,
    ),
    TrainingCase(
        "seed_mlp", (2, 3, 1), batch=10, rows=100, epochs=100, loss="mean_squared_error",
        draw=8, check_epochs=10, goals=(Goal(times_faster=20),), smoke=True,
    ),
    # The first two again with 1,000 steps in one epoch: what a step costs when no epoch begins or ends, which is
    # where a jitted scan is at its best. What fit adds to its steps is seed_linear less this.
    TrainingCase("seed_linear_long", (2, 1), batch=10, rows=10_000, epochs=1, loss="mean_squared_error"),
    TrainingCase("seed_mlp_long", (2, 3, 1), batch=10, rows=10_000, epochs=1, loss="mean_squared_error"),
    TrainingCase(
        "tabular", (64, 64, 64, 10), batch=32, rows=3_200, epochs=2, loss="softmax_cross_entropy",
        learning_rate=0.03, goals=(Goal(times_faster=3.5),), smoke=True,
    ),
    TrainingCase(
        "mnist_small", (784, 128, 10), batch=128, rows=6_400, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.03, goals=(Goal(times_faster=2.8),),
    ),
    TrainingCase(
        "mnist_big", (784, 512, 512, 10), batch=128, rows=6_400, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.03, goals=(Goal(times_faster=1.5),), scaling=True,
    ),
    TrainingCase(
        "wide", (1024, 4096, 4096, 1000), batch=512, rows=2_048, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.1, goals=(Goal(times_faster=1.25), Goal(peak=0.85)), scaling=True, slow=True,
    ),
    # A full batch is not shuffled: the order of its rows is no part of the answer.
    TrainingCase(
        "simplechains", (4, 32, 16, 4), batch=10_000, rows=10_000, epochs=20, loss="mean_squared_error",
        hidden="tanh", learning_rate=0.1, shuffle=False, check_epochs=20, scaling=True,
        note="The small network that SimpleChains.jl publishes; plain SGD here, where the published figure is Adam's",
    ),
    TrainingCase(
        "simplechains_adam", (4, 32, 16, 4), batch=10_000, rows=10_000, epochs=20, loss="mean_squared_error",
        hidden="tanh", learning_rate=0.003, optimizer="adam", shuffle=False, check_epochs=20, scaling=True,
        note="The small network that SimpleChains.jl publishes, with Adam as there",
    ),
    TrainingCase(
        "libxsmm_mlp", (256, 256, 256, 256), batch=256, rows=8_192, epochs=1, loss="softmax_cross_entropy",
        learning_rate=0.03, scaling=True, note=_LIBXSMM,
    ),
)  # fmt: skip

_SMALL, _MIDDLE, _LARGE = (64, 64, 64, 10), (784, 128, 10), (784, 512, 512, 10)


def _ahead_of_onnx(times: float) -> tuple[Goal, ...]:
    return (Goal(times_faster=times, against="onnxruntime", by=SERVING),)


INFERENCE: tuple[InferenceCase, ...] = (
    InferenceCase(
        _SMALL, 1, smoke=True,
        goals=(Goal(microseconds=0.6, by=("netlet-predictor",)), Goal(microseconds=2.5, by=("netlet",))),
    ),
    InferenceCase(_SMALL, 32, goals=_ahead_of_onnx(2), smoke=True),
    InferenceCase(_SMALL, 1024, goals=_ahead_of_onnx(2)),
    InferenceCase(_MIDDLE, 1, goals=_ahead_of_onnx(3)),
    InferenceCase(_MIDDLE, 32, goals=_ahead_of_onnx(1.2)),
    InferenceCase(_MIDDLE, 1024, goals=_ahead_of_onnx(1)),
    InferenceCase(_LARGE, 1, goals=_ahead_of_onnx(1.2)),
    InferenceCase(_LARGE, 32, goals=_ahead_of_onnx(1.1)),
    InferenceCase(_LARGE, 1024, goals=_ahead_of_onnx(1), scaling=True),
    *(
        InferenceCase((n, n), 1, output="linear", note="RTNeural's dense layers: no activation, a row a call")
        for n in (4, 8, 16, 32, 64)
    ),
    InferenceCase((256, 256, 256, 256), 256, note=_LIBXSMM),
)  # fmt: skip

_SKINNY = "One of BLIS' shapes for small and skinny matrices (m = 6, n = 8 or k = 4 beside long sides), in float32"

PRODUCTS: tuple[ProductCase, ...] = (
    *(
        ProductCase(n, n, n, direction, isas=True)
        for n in (384, 512, 768, 1024)
        for direction in ("forward", "gradients")
    ),
    ProductCase(6, 800, 800, note=_SKINNY, smoke=True),
    ProductCase(800, 8, 800, note=_SKINNY),
    ProductCase(800, 800, 4, note=_SKINNY),
    ProductCase(6, 8, 6400, note=_SKINNY),
    ProductCase(6, 6400, 4, note=_SKINNY),
    ProductCase(6400, 8, 4, note=_SKINNY),
)  # fmt: skip


@dataclass(frozen=True)
class Sweep:
    """How cost grows with one size: a curve over cases that differ in nothing else.

    Args:
        name: such as ``training_width``.
        axis: what grows, for the plot.
        fixed: what does not, for the plot.
        points: (size, name of the case), the size increasing.
    """

    name: str
    axis: str
    fixed: str
    points: tuple[tuple[int, str], ...]


def _sweeps() -> tuple[tuple[Sweep, ...], tuple[Network, ...]]:
    """The curves, and the cases that are there for them alone."""
    known = {case.name for case in INFERENCE}
    made: dict[str, Network] = {}
    sweeps = []
    shapes: tuple[tuple[str, str, list[tuple[int, tuple[int, ...], int]]], ...] = (
        ("width", "three layers, the last of 10; batch 32", [(n, (n, n, n, 10), 32) for n in _powers(8, 1024, 2)]),
        ("batch", "64-64-64-10", [(b, _SMALL, b) for b in _powers(1, 4096, 4)]),
        ("depth", "layers of 64, the last of 10; batch 32", [(d, (64,) * d + (10,), 32) for d in _powers(1, 16, 2)]),
    )
    for kind in ("training", "inference"):
        for axis, fixed, sizes in shapes:
            points = []
            for size, widths, batch in sizes:
                case: Network
                if kind == "training":
                    name = f"train_{format_widths(widths)}_batch{batch}"
                    case = TrainingCase(
                        name, widths, batch, 32 * batch, 1, "softmax_cross_entropy", learning_rate=0.03, sweep=True
                    )
                else:
                    case = InferenceCase(widths, batch, sweep=True)
                if case.name not in known:
                    made.setdefault(case.name, case)
                points.append((size, case.name))
            sweeps.append(Sweep(f"{kind}_{axis}", axis, fixed, tuple(points)))
    return tuple(sweeps), tuple(made.values())


def _powers(first: int, last: int, factor: int) -> list[int]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1] * factor)
    return found


SWEEPS, GROWTH = _sweeps()

_ALL: tuple[Case, ...] = (*TRAINING, *INFERENCE, *PRODUCTS, *GROWTH)
CASES: dict[str, Case] = {case.name: case for case in _ALL}

# Never timed: an epoch from which can be read when each row was trained on. Row i is the i-th unit vector, so that it
# alone moves kernel[i] of the first layer; see benchmarks.probe.
PROBE = TrainingCase(
    "shuffle_probe", (96, 1, 1), batch=8, rows=96, epochs=1, loss="mean_squared_error", learning_rate=1e-3
)

# What `fit` costs besides its steps: at most 1 ms in 1,000 steps, so 1 µs a step, over the steps of one long epoch.
FIT_OVERHEAD = ("seed_linear", Goal(microseconds=1.0, above="seed_linear_long"))
