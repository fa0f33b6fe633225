"""What every executor promises, on whole Programs: predict, evaluate, gradients, vjp, train, apply.

The oracle is the NumPy backend in float64, whose gradients are first compared to finite differences of its losses.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest

from netlet import random
from netlet.backends import Executor
from netlet.program import ProgramBuilder, sums_size
from netlet.program.spec import INFERENCE
from netlet.testing import Guards, Target, targets
from netlet.testing.programs import initial_params, random_batch, sample_programs

PROGRAMS = list(sample_programs())

# Three layers of at most 20 products each, a loss and five updates, each step amplifying errors by under 2: some 100
# roundings of the type, times the size of the numbers, which are about 1.
TOLERANCE = {"float32": 100 * 1.2e-7, "float64": 100 * 2.3e-16}


def close(got: np.ndarray, want: np.ndarray, dtype: str) -> None:
    scale = max(1.0, float(np.abs(want).max(initial=0.0)))
    np.testing.assert_allclose(got, want, rtol=0, atol=scale * TOLERANCE[dtype])


def oracle(name: str, dtype: str) -> tuple[Executor, np.ndarray]:
    """A float64 NumPy executor with the parameters that ``dtype`` can hold, and its arena."""
    p = sample_programs("float64")[name]
    params = initial_params(sample_programs(dtype)[name]).astype(np.float64)
    return Target("numpy").executor(p, params), params


def exact(arrays: list[np.ndarray]) -> list[np.ndarray]:
    return [a if a.dtype == np.int32 else a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_oracle_has_the_gradients_of_finite_differences(name: str) -> None:
    executor, params = oracle(name, "float64")
    xs, y, weight = random_batch(executor.program, 4)
    loss, gradient, dxs = executor.gradients(xs, y, weight)

    def value() -> float:
        sums = np.zeros(sums_size(executor.program))
        executor.evaluate(xs, y, weight, batch_size=4, sums=sums)
        return float(sums[0]) / 4

    assert loss == pytest.approx(value(), rel=1e-14)
    step = 1e-3
    for array, analytic in [(params, gradient), *zip(xs, dxs, strict=True)]:
        for place in np.ndindex(array.shape):
            held = array[place]
            values = []
            for h in (step, -step, 2 * step, -2 * step):
                array[place] = held + h
                values.append(value())
            array[place] = held
            numeric = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
            assert numeric == pytest.approx(analytic[place], rel=1e-6, abs=1e-9), place


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_oracle_has_the_vjp_of_finite_differences(name: str) -> None:
    executor, params = oracle(name, "float64")
    xs, _, _ = random_batch(executor.program, 3)
    rng = np.random.default_rng(1)
    dys = [rng.standard_normal(out.shape) for out in executor.predict(xs, None, 3)]
    ys, dxs, gradient = executor.vjp(xs, dys)
    for got, want in zip(ys, executor.predict(xs, None, 3), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)

    def value() -> float:
        return sum(float((out * dy).sum()) for out, dy in zip(executor.predict(xs, None, 3), dys, strict=True))

    step = 1e-3
    for array, analytic in [(params, gradient), *zip(xs, dxs, strict=True)]:
        for place in np.ndindex(array.shape):
            held = array[place]
            values = []
            for h in (step, -step, 2 * step, -2 * step):
                array[place] = held + h
                values.append(value())
            array[place] = held
            numeric = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
            assert numeric == pytest.approx(analytic[place], rel=1e-6, abs=1e-8), place


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PROGRAMS)
class TestEveryTarget:
    """Each with guard bands around everything that is handed in."""

    def test_predict_matches(self, name: str, dtype: str, target: Target) -> None:
        target.require()
        guards = Guards()
        p = sample_programs(dtype)[name]
        xs, _, _ = random_batch(p, 11)
        executor = target.executor(p, guards.input("params", initial_params(p)))
        want = oracle(name, dtype)[0].predict(exact(xs), None, 11)
        guarded = [guards.input("x", x) for x in xs]
        outs = [guards.output("out", w.shape, dtype) for w in want]
        got = executor.predict(guarded, outs, 4)
        assert all(a is b for a, b in zip(got, outs, strict=True)), "predict writes into outs"
        for batch_size in (1, 11, 64):
            for a, b in zip(executor.predict(guarded, None, batch_size), want, strict=True):
                assert a.dtype == dtype
                close(a, b, dtype)
        for a, b in zip(outs, want, strict=True):
            close(a, b, dtype)
        guards.check()

    @pytest.mark.parametrize("weighted", [False, True])
    def test_evaluate_and_gradients_match(self, name: str, dtype: str, target: Target, weighted: bool) -> None:
        target.require()
        guards = Guards()
        p = sample_programs(dtype)[name]
        xs, y, weight = random_batch(p, 11)
        weight = weight if weighted else None
        executor = target.executor(p, guards.input("params", initial_params(p)))
        reference = oracle(name, dtype)[0]
        exact_xs, exact_y = exact(xs), exact([y])[0]
        exact_weight = None if weight is None else weight.astype(np.float64)
        want = np.zeros(sums_size(p))
        reference.evaluate(exact_xs, exact_y, exact_weight, batch_size=11, sums=want)
        guarded = [guards.input("x", x) for x in xs]
        labels = guards.input("y", y)
        weights = None if weight is None else guards.input("weight", weight)
        for batch_size in (1, 4, 11, 100):
            sums = guards.inout("sums", np.zeros_like(want))
            executor.evaluate(guarded, labels, weights, batch_size=batch_size, sums=sums)
            assert sums[1] == 11
            close(sums, want, dtype)
        loss, gradient, dxs = executor.gradients(guarded, labels, weights)
        want_loss, want_gradient, want_dxs = reference.gradients(exact_xs, exact_y, exact_weight)
        close(np.asarray(loss), np.asarray(want_loss), dtype)
        assert gradient.dtype == dtype and gradient.shape == (p.param_size,)
        close(gradient, want_gradient, dtype)
        for a, b in zip(dxs, want_dxs, strict=True):
            assert a.dtype == dtype and a.shape == b.shape
            close(a, b, dtype)
        guards.check()

    def test_vjp_matches(self, name: str, dtype: str, target: Target) -> None:
        target.require()
        guards = Guards()
        p = sample_programs(dtype)[name]
        xs, _, _ = random_batch(p, 5)
        executor = target.executor(p, guards.input("params", initial_params(p)))
        dys = [np.cos(out).astype(np.float32).astype(dtype) for out in executor.predict(xs, None, 5)]
        got = executor.vjp([guards.input("x", x) for x in xs], [guards.input("dy", dy) for dy in dys])
        want = oracle(name, dtype)[0].vjp(exact(xs), exact(dys))
        for a, b in zip([*got[0], *got[1], got[2]], [*want[0], *want[1], want[2]], strict=True):
            assert a.dtype == dtype and a.shape == b.shape
            close(a, b, dtype)
        outs = (
            [guards.inout("y", np.full_like(y, np.nan)) for y in got[0]],
            [guards.inout("dx", np.full_like(dx, np.nan)) for dx in got[1]],
            guards.inout("dparams", np.full_like(got[2], np.nan)),
        )
        again = executor.vjp(xs, dys, INFERENCE, outs)
        for a, b, out in zip(
            [*got[0], *got[1], got[2]], [*again[0], *again[1], again[2]], [*outs[0], *outs[1], outs[2]], strict=True
        ):
            assert b is out and a.tobytes() == out.tobytes()
        guards.check()

    @pytest.mark.parametrize("shuffle", [None, (7, 3)], ids=["in order", "shuffled"])
    def test_five_steps_end_with_the_same_weights(
        self, name: str, dtype: str, target: Target, shuffle: tuple[int, int] | None
    ) -> None:
        target.require()
        guards = Guards()
        p = sample_programs(dtype)[name]
        xs, y, weight = random_batch(p, 18)  # four batches of 4 rows and one of 2
        params = guards.inout("params", initial_params(p))
        slots = guards.inout("slots", np.zeros((p.num_slots, p.param_size), dtype))
        executor = target.executor(p, params, slots)
        sums = guards.inout("sums", np.zeros(sums_size(p)))
        guarded = [guards.input("x", x) for x in xs]
        labels, weights = guards.input("y", y), guards.input("weight", weight)
        for first, last in ((0, 2), (2, 2), (2, 5)):  # an epoch in pieces is the epoch
            executor.train(
                guarded, labels, weights, batch_size=4, shuffle=shuffle, first=first, last=last, learning_rate=0.1,
                sums=sums,
            )  # fmt: skip
        reference, want = oracle(name, dtype)
        want_sums = np.zeros_like(sums)
        reference.train(
            exact(xs), exact([y])[0], weight.astype(np.float64), batch_size=4, shuffle=shuffle, first=0, last=5,
            learning_rate=0.1, sums=want_sums,
        )  # fmt: skip
        assert sums[1] == 18
        close(sums, want_sums, dtype)
        close(params, want, dtype)
        close(slots, reference.slots, dtype)
        guards.check()


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("n", [1, 7, 50])
def test_each_step_takes_the_rows_of_the_permutation(target: Target, n: int) -> None:
    """Row i has the loss 2^i, so the sums of a step say exactly which rows it took."""
    target.require()
    b = ProgramBuilder("float64")
    p = b.finish(b.dense(b.input((1,)), b.param("kernel", (1, 1)))).with_training(
        loss="mean_absolute_error", optimizer="sgd"
    )
    x, y = 2.0 ** np.arange(n)[:, None], np.zeros((n, 1))
    executor = target.executor(p, np.ones(1))
    for epoch in range(3):
        order = random.permutation(11, epoch, n)
        for step in range(-(-n // 4)):
            sums = np.zeros(2)
            executor.train(
                [x], y, None, batch_size=4, shuffle=(11, epoch), first=step, last=step + 1, learning_rate=0.0, sums=sums
            )
            rows = order[4 * step : 4 * step + 4]
            assert sums.tolist() == [float(sum(2 ** int(i) for i in rows)), len(rows)]


@pytest.mark.parametrize("target", targets(), ids=str)
def test_an_op_of_which_several_inputs_are_read_elsewhere(target: Target) -> None:
    """Each of their gradients is added to what is there, and none to another's."""
    target.require()
    b = ProgramBuilder("float64")
    x = b.input((3,))
    p, q = (b.dense(x, b.param(f"{name}/kernel", (3, width))) for name, width in (("p", 3), ("q", 3)))
    product = b.op("multiply", [p, q])
    beside = b.op("concatenate", [p, q, p], axis=-1)
    program = b.finish([product, beside]).with_training(loss=None)
    rng = np.random.default_rng(5)
    xs, params = [rng.standard_normal((4, 3))], rng.standard_normal(program.param_size)
    dys = [rng.standard_normal((4, 3)), rng.standard_normal((4, 9))]
    _, _, gradient = target.executor(program, params).vjp(xs, dys)
    kernels = params.reshape(2, 3, 3)
    left, right = xs[0] @ kernels[0], xs[0] @ kernels[1]
    want = [dys[0] * right + dys[1][:, :3] + dys[1][:, 6:], dys[0] * left + dys[1][:, 3:6]]
    for found, slope in zip(gradient.reshape(2, 3, 3), want, strict=True):
        np.testing.assert_allclose(found, xs[0].T @ slope, rtol=1e-13, atol=1e-14)  # sums of 4 terms in float64


@pytest.mark.parametrize("target", targets(), ids=str)
def test_two_executors_may_share_an_arena(target: Target) -> None:
    """As fit and predict do: what one writes, the other reads."""
    target.require()
    p = sample_programs()["classifier"]
    xs, y, _ = random_batch(p, 8)
    params = initial_params(p)
    trainer, server = target.executor(p, params), target.executor(p.without_training(), params)
    before = server.predict(xs, None, 8)[0]
    trainer.train([*xs], y, None, batch_size=8, shuffle=None, first=0, last=1, learning_rate=0.5,
                  sums=np.zeros(sums_size(p)))  # fmt: skip
    after = server.predict(xs, None, 8)[0]
    assert np.abs(after - before).max() > 1e-3
    params[:] = 0
    np.testing.assert_array_equal(server.predict(xs, None, 8)[0], np.full((8, 4), 0.25, np.float32))


@pytest.mark.parametrize("target", targets(), ids=str)
def test_predict_may_run_in_many_threads(target: Target) -> None:
    target.require()
    p = sample_programs()["axes"]
    executor = target.executor(p, initial_params(p))
    batches = [random_batch(p, rows, seed=rows)[0] for rows in range(1, 9)]
    want = [executor.predict(xs, None, 4)[0] for xs in batches]
    wrong: list[int] = []

    def work(k: int) -> None:
        results = [executor.predict(batches[k], None, 4)[0] for _ in range(40)]
        wrong.extend(k for result in results if not np.array_equal(result, want[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("target", [t for t in targets() if t.name.startswith("native")], ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_prediction_does_not_depend_on_its_batch(name: str, target: Target) -> None:
    """Bit for bit: a promise of the native backend alone (NumPy's BLAS sums in an order that depends on shapes)."""
    target.require()
    p = sample_programs()[name]
    executor = target.executor(p, initial_params(p))
    xs, _, _ = random_batch(p, 37)
    whole = executor.predict(xs, None, 37)
    for batch_size in (1, 2, 16, 36):
        for a, b in zip(executor.predict(xs, None, batch_size), whole, strict=True):
            np.testing.assert_array_equal(a, b)


BAD_CALLS = {
    "number of inputs": (lambda a: a | {"xs": []}, "expected 1 array"),
    "no rows": (lambda a: a | {"xs": [a["xs"][0][:0]], "y": a["y"][:0]}, "row|step"),
    "input shape": (lambda a: a | {"xs": [a["xs"][0][:, :4].copy()]}, "shape"),
    "input type": (lambda a: a | {"xs": [a["xs"][0].astype(np.float64)]}, "float"),
    "label type": (lambda a: a | {"y": a["y"].astype(np.int64)}, "int"),
    "label rows": (lambda a: a | {"y": a["y"][:-1]}, "shape"),
    "weight shape": (lambda a: a | {"sample_weight": np.ones(7, np.float32)}, "weight"),
    "sums": (lambda a: a | {"sums": np.zeros(3)}, "sums"),
    "batch size": (lambda a: a | {"batch_size": 0}, "batch_size"),
    "steps": (lambda a: a | {"last": 3}, "step"),
    "step order": (lambda a: a | {"first": 2, "last": 1}, "step"),
    "negative step": (lambda a: a | {"first": -1}, "step"),
}


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("mistake", BAD_CALLS)
def test_a_bad_call_is_refused_and_changes_nothing(mistake: str, target: Target) -> None:
    target.require()
    p = sample_programs()["classifier"]
    xs, y, _ = random_batch(p, 8)
    params = initial_params(p)
    executor = target.executor(p, params)
    arguments = {
        "xs": xs, "y": y, "sample_weight": None, "batch_size": 4, "shuffle": None, "first": 0, "last": 2,
        "learning_rate": 0.1, "sums": np.zeros(sums_size(p)),
    }  # fmt: skip
    change, message = BAD_CALLS[mistake]
    with pytest.raises((ValueError, TypeError), match=message):
        executor.train(**change(arguments))
    np.testing.assert_array_equal(params, initial_params(p))
    assert not executor.slots.any()


@pytest.mark.parametrize("target", targets(), ids=str)
def test_training_needs_a_loss_and_an_optimizer(target: Target) -> None:
    target.require()
    p = sample_programs()["regression"]
    xs, y, _ = random_batch(p, 4)
    serving = target.executor(p.without_training(), initial_params(p))
    without_optimizer = target.executor(p.with_training(loss="mean_squared_error"), initial_params(p))
    steps = {"batch_size": 4, "shuffle": None, "first": 0, "last": 1, "learning_rate": 0.1, "sums": np.zeros(2)}
    with pytest.raises(ValueError, match=r"loss|optimizer"):
        serving.train(xs, y, None, **steps)
    with pytest.raises(ValueError, match="loss"):
        serving.evaluate(xs, y, None, batch_size=4, sums=np.zeros(2))
    with pytest.raises(ValueError, match="loss"):
        serving.gradients(xs, y, None)
    with pytest.raises(ValueError, match="optimizer"):
        without_optimizer.train(xs, y, None, **steps)
    with pytest.raises(ValueError, match="optimizer"):
        without_optimizer.apply(np.zeros(p.param_size, np.float32), 0.1)


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_epochs_in_one_call_are_those_of_several(name: str, target: Target) -> None:
    target.require()
    p = sample_programs()[name]
    xs, y, weight = random_batch(p, 7)
    steps, epochs = 3, 4
    for shuffle in ((5, 2), None):
        for rate in (0.05, np.linspace(0.1, 0.01, epochs * steps)):
            params, together = initial_params(p), initial_params(p)
            one_by_one, sums = np.zeros((epochs, sums_size(p))), np.zeros((epochs, sums_size(p)))
            executor = target.executor(p, params)
            for epoch in range(epochs):
                executor.train(
                    xs,
                    y,
                    weight,
                    batch_size=3,
                    shuffle=None if shuffle is None else (5, 2 + epoch),
                    first=0,
                    last=steps,
                    learning_rate=rate if isinstance(rate, float) else rate[epoch * steps : (epoch + 1) * steps],
                    iteration=epoch * steps,
                    sums=one_by_one[epoch],
                )
            target.executor(p, together).train_epochs(
                xs, y, weight, batch_size=3, shuffle=shuffle, epochs=epochs, learning_rate=rate, sums=sums
            )
            assert together.tobytes() == params.tobytes()
            assert sums.tobytes() == one_by_one.tobytes()
            assert (sums[:, 1] == 7).all()


@pytest.mark.parametrize("target", targets(), ids=str)
def test_epochs_in_one_call_are_checked(target: Target) -> None:
    target.require()
    p = sample_programs()["regression"]
    xs, y, _ = random_batch(p, 4)
    params = initial_params(p)
    held = params.tobytes()
    executor = target.executor(p, params)
    good = {"batch_size": 2, "shuffle": None, "epochs": 3, "learning_rate": 0.1, "sums": np.zeros((3, sums_size(p)))}
    bad = ({"sums": np.zeros((2, sums_size(p)))}, {"learning_rate": np.zeros(5)}, {"batch_size": 0}, {"epochs": -1})
    for change in bad:
        with pytest.raises(ValueError, match=next(iter(change))):
            executor.train_epochs(xs, y, None, **{**good, **change})
    assert params.tobytes() == held


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_profile_accounts_for_the_step_and_changes_nothing(name: str, target: Target) -> None:
    target.require()
    p = sample_programs()[name]
    xs, y, weight = random_batch(p, 20)
    params = initial_params(p)
    executor = target.executor(p, params)
    for labels, weights in ((y, weight), (y, None), (None, None)):
        found = executor.profile(xs, labels, weights, batch_size=6, learning_rate=0.5, seconds=0.002)
        assert found.step > 0 and found.steps >= 3 and found.target.startswith(str(target).partition(":")[0])
        assert all(part.seconds >= 0 for part in found.parts)
        places = [part.op for part in found.parts if part.phase == "forward" and part.op is not None]
        assert places == sorted(set(places)) and all(place < len(p.ops) for place in places)
        places = [part.op for part in found.parts if part.phase == "backward" and part.op is not None]
        assert places == sorted(set(places), reverse=True) and (labels is not None or not places)
    np.testing.assert_array_equal(params, initial_params(p))
    assert not executor.slots.any()
    with pytest.raises(ValueError, match="batch_size"):
        executor.profile(xs, y, None, batch_size=0, learning_rate=0.5, seconds=0.002)
    with pytest.raises(ValueError, match="loss"):
        target.executor(p.without_training(), params).profile(
            xs, y, None, batch_size=6, learning_rate=0.5, seconds=0.002
        )
    with pytest.raises(ValueError, match="optimizer"):
        target.executor(p.with_training(loss=p.loss), params).profile(
            xs, y, None, batch_size=6, learning_rate=0.5, seconds=0.002
        )
