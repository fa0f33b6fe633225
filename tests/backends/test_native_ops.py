"""Ops with kernels of their own in whole networks: the same bits on any number of threads and in any batch, the random
numbers and the state of the reference, and predictors that need no Python. Single ops are the conformance suite's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet.backends import make_executor, target_reason
from netlet.backends.executor import Executor
from netlet.backends.host import needs_host
from netlet.program import Program, ProgramBuilder, sums_size
from netlet.program.spec import Array, Context
from netlet.testing import Target, targets

NATIVE = [t for t in targets() if t.name.startswith("native")]
IDS, ROWS, OUT = 50, 300, 3


def network(width: int, couples: bool, dtype: str = "float32", optimizer: Any = "adam") -> Program:
    """Numbers to vectors, dropout, a batch or a layer normalization, two branches that are merged in several ways.

    Width 16 is carried in shards of rows where nothing couples them; width 128 is split within ops.
    """
    b = ProgramBuilder(dtype)
    x = b.input((6,))
    h = b.op("embedding", x, [b.param("table", (IDS, width))])
    h = b.op("layer_normalization", h, [b.param("ln/gamma", (width,)), b.param("ln/beta", (width,))])
    h = b.op("dropout", b.reshape(h, (6 * width,)), rate=0.3, seed=2**40 + 9)
    h = b.dense(h, b.param("a/kernel", (6 * width, width)), b.param("a/bias", (width,)), activation="tanh")
    if couples:
        state = [b.state("bn/mean", (width,)), b.state("bn/variance", (width,))]
        h = b.op("batch_normalization", h, [b.param("bn/gamma", (width,)), b.param("bn/beta", (width,))], state)
    left = b.dense(h, b.param("b/kernel", (width, width)), None, activation="sigmoid")
    right = b.dense(h, b.param("c/kernel", (width, width)), None, activation="tanh")
    joined = [b.op(op, [left, right]) for op in ("multiply", "maximum", "subtract", "average")]
    h = b.op("concatenate", [*joined, b.op("add", [left, right, h])])
    y = b.dense(h, b.param("d/kernel", (5 * width, OUT)), b.param("d/bias", (OUT,)))
    return b.finish(y).with_training(loss="mean_squared_error", optimizer=optimizer)


def arenas(p: Program) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(1)
    params = rng.normal(0, 0.2, p.param_size).astype(np.float32).astype(p.dtype)
    return params, np.ones(p.state_size, p.dtype), np.zeros((p.num_slots, p.param_size), p.dtype)


def executor(p: Program, target: str, threads: int | None = 1) -> Executor:
    return make_executor(p, *arenas(p), target=target, num_threads=threads)


def rows(dtype: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    x = rng.integers(0, IDS, (ROWS, 6)) * rng.integers(0, 2, (ROWS, 6))  # many zeros: one row that many places pick
    return x.astype(dtype), rng.normal(size=(ROWS, OUT)).astype(np.float32).astype(dtype)


def train(e: Executor, batch: int = 128, rate: float = 0.01) -> Array:
    x, y = rows(e.program.dtype)
    sums = np.zeros(sums_size(e.program))
    for epoch in range(2):
        e.train(
            [x], y, None, batch_size=batch, shuffle=(5, epoch), first=0, last=-(-ROWS // batch), learning_rate=rate,
            iteration=10 * epoch, sums=sums,
        )  # fmt: skip
    return sums


@pytest.mark.parametrize("target", NATIVE, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("couples", [False, True], ids=["rows apart", "rows coupled"])
@pytest.mark.parametrize("width", [16, 128])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_threads_change_no_bit(optimizer: str, width: int, couples: bool, dtype: str, target: Target) -> None:
    target.require()
    p = network(width, couples, dtype, optimizer)
    seen = set()
    for threads in (1, 2, 3, 7):
        e = executor(p, target.name, threads)
        sums = train(e)
        seen.add(b"".join(a.tobytes() for a in (e.params, e.state, e.slots, sums)))
    assert len(seen) == 1


@pytest.mark.parametrize("target", [t for t in targets() if t.name != "numpy"], ids=str)
@pytest.mark.parametrize("couples", [False, True], ids=["rows apart", "rows coupled"])
@pytest.mark.parametrize("width", [16, 128])
def test_training_follows_the_reference(width: int, couples: bool, target: Target) -> None:
    """A mask, a place in the batch or a moving average that were another's would be seen in the first digits.

    Six steps of sgd over sums of up to some hundred terms in float64: 1e-10 leaves four digits.
    """
    target.require()
    p = network(width, couples, "float64", "sgd")
    got, want = executor(p, target.name), executor(p, "numpy")
    sums = train(got), train(want)
    np.testing.assert_allclose(got.params, want.params, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got.state, want.state, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(*sums, rtol=1e-10)
    assert couples == (not np.array_equal(got.state, np.ones_like(got.state)))


@pytest.mark.parametrize("target", NATIVE, ids=str)
@pytest.mark.parametrize("couples", [False, True], ids=["rows apart", "rows coupled"])
@pytest.mark.parametrize("width", [16, 128])
def test_a_row_is_predicted_alike_in_any_batch(width: int, couples: bool, target: Target) -> None:
    target.require()
    e = executor(network(width, couples), target.name, 2)
    train(e)
    x, _ = rows("float32")
    (whole,) = e.predict([x], None, 64)
    for size in (1, 3, 17, 128):
        pieces = [e.predict([x[i : i + size]], None, size)[0] for i in range(0, ROWS, size)]
        assert np.concatenate(pieces).tobytes() == whole.tobytes(), size


@pytest.mark.skipif(target_reason("native") is not None, reason=f"native: {target_reason('native')}")
def test_a_predictor_has_the_state_of_its_time_and_needs_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    from netlet import _predictor
    from netlet.layers import BatchNormalization, Dense, Dropout
    from netlet.models import Sequential

    monkeypatch.setenv("NETLET_BACKEND", "native")
    model = Sequential([Dense(8, input_shape=(6,)), BatchNormalization(), Dropout(0.5), Dense(OUT)])
    model.compile("sgd", "mse")
    x, y = rows("float32")
    model.fit(x, y, epochs=1, verbose=0)
    predict, want = model.predictor(), model.predict(x, verbose=0)
    assert type(predict) is _predictor.Predictor
    model.fit(x, y, epochs=1, verbose=0)
    assert predict(x).tobytes() == want.tobytes() != model.predict(x, verbose=0).tobytes()


@pytest.mark.parametrize("target", [t for t in targets() if t.name != "numpy"], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.25, 0.5, 0.999, 1 - 2.0**-40, 1.0])
def test_masks_of_dropout_are_the_references_bit_for_bit(rate: float, dtype: str, target: Target) -> None:
    target.require()
    b = ProgramBuilder(dtype)
    p = b.finish(b.op("dropout", b.input((37,)), rate=rate, seed=3))
    x = np.random.default_rng(0).normal(size=(29, 37)).astype(dtype)
    results = []
    for name in (target.name, "numpy"):
        ys, dxs, _ = executor(p, name).vjp([x], [x], Context(True, 2**33 + 1))
        results.append(ys[0].tobytes() + dxs[0].tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("target", NATIVE, ids=str)
def test_a_step_of_descent_taken_on_the_way_is_the_one_taken_after(target: Target) -> None:
    """Plain descent lets embedding touch only the rows that were picked; the others, and the bits, are the same."""
    target.require()
    b = ProgramBuilder("float32")
    h = b.op("embedding", b.input((6,)), [b.param("table", (IDS, 9))])
    p = b.finish(b.reshape(h, (54,))).with_training(loss="mean_squared_error", optimizer="sgd")
    x, _ = rows("float32")
    y = np.random.default_rng(3).normal(size=(ROWS, 54)).astype("f4")
    one, other = executor(p, target.name), executor(p, target.name)
    for _ in range(2):
        _, gradient, _ = other.gradients([x], y, None)
        other.apply(gradient, 0.5)
        one.train([x], y, None, batch_size=ROWS, shuffle=None, first=0, last=1, learning_rate=0.5, sums=np.zeros(2))
    assert one.params.tobytes() == other.params.tobytes()


@pytest.mark.parametrize("target", targets(), ids=str)
def test_two_inputs_that_others_read_later_each_get_their_own_gradient(target: Target) -> None:
    """Both have a gradient already when that of the first op arrives, so both are added to."""
    target.require()
    b = ProgramBuilder("float64")
    first, second = b.input((2,), "first"), b.input((2,), "second")
    difference = b.op("subtract", [first, second])
    p = b.finish(b.op("concatenate", [difference, first, second]))
    xs = [np.array([[1.0, 2.0]]), np.array([[5.0, 7.0]])]
    _, dxs, _ = executor(p, target.name).vjp(xs, [np.array([[1.0, 2.0, 10.0, 20.0, 100.0, 200.0]])])
    assert dxs[0].tolist() == [[11.0, 22.0]] and dxs[1].tolist() == [[99.0, 198.0]]


def test_no_op_of_the_network_needs_a_host() -> None:
    from netlet.backends.extras import NO_EXTRAS

    assert not needs_host(network(16, True), NO_EXTRAS)
    assert needs_host(network(16, True).with_training(loss="dice", optimizer="sgd"), NO_EXTRAS)


@pytest.mark.skipif(target_reason("native") is not None, reason=f"native: {target_reason('native')}")
class TestTheParser:
    """What a file may hold and a builder would not make is refused by name."""

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda op: op["attrs"].update(rate=1.5), "expected a number from 0"),
            (lambda op: op["attrs"].update(noise_shape=[1]), "noise_shape"),
            (lambda op: op["attrs"].update(seed=-1), "seed"),
            (lambda op: op["attrs"].update(more=1), "unknown member 'more'"),
            (lambda op: op.update(op="embedding", attrs={}), "expected 1 params"),
            (lambda op: op.update(op="batch_normalization", attrs={"scale": False, "center": False}), "2 entries"),
            (
                lambda op: op.update(op="layer_normalization", attrs={"axes": 2, "scale": False, "center": False}),
                "2 axes",
            ),
            (lambda op: op.update(op="add", attrs={}), "expected 2 to 64 inputs, got 1"),
            (lambda op: op.update(op="subtract", attrs={}, inputs=[0, 0, 0]), "expected 2 inputs, got 3"),
            (lambda op: op.update(op="concatenate", attrs={"axis": 2}), "axis 2 is none"),
            (lambda op: op.update(op="concatenate", attrs={}, inputs=[0, 0]), "expected \\(8,\\)"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_bad_call_is_named(self, edit: Any, message: str) -> None:
        import json

        from netlet import _native
        from netlet.errors import ModelFormatError

        b = ProgramBuilder("float32")
        document = json.loads(b.finish(b.op("dropout", b.input((4,)))).to_json())
        edit(document["ops"][0])
        with pytest.raises(ModelFormatError, match=message):
            _native.check_program(json.dumps(document).encode())
