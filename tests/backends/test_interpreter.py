"""The interpreter: what a failure in the middle leaves behind, and what subclasses may replace."""

from __future__ import annotations

import numpy as np
import pytest

from netlet.backends.interpreter import Interpreter
from netlet.program import Program, sums_size
from netlet.testing.programs import initial_params, random_batch, sample_programs


class FailsAt(Interpreter):
    """Raises in the hook and at the call that it is told."""

    hook = ""
    calls = 0
    error: type[BaseException] = KeyboardInterrupt

    def _counted(self, name, call):
        if name != self.hook:
            return call

        def counted(*arguments):
            self.calls -= 1
            if self.calls == 0:
                raise self.error("planted")
            return call(*arguments)

        return counted

    def bind_forward(self, *arguments):
        return self._counted("forward", super().bind_forward(*arguments))

    def bind_backward(self, *arguments):
        return self._counted("backward", super().bind_backward(*arguments))

    def bind_loss(self, *arguments):
        return self._counted("loss", super().bind_loss(*arguments))

    def bind_metric(self, *arguments):
        return self._counted("metric", super().bind_metric(*arguments))

    def bind_update(self):
        return self._counted("update", super().bind_update())


def made(kind: type[Interpreter], program: Program) -> Interpreter:
    slots = np.zeros((program.num_slots, program.param_size), program.dtype)
    return kind(program, initial_params(program), np.empty(0, program.dtype), slots)


def train(executor: Interpreter, last: int, sums: np.ndarray) -> None:
    xs, y, weight = random_batch(executor.program, 24)
    executor.train(
        xs, y, weight, batch_size=4, shuffle=(1, 2), first=0, last=last, learning_rate=0.1, sums=sums
    )  # fmt: skip


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, ValueError])
@pytest.mark.parametrize("hook", ["forward", "loss", "metric", "backward", "update"])
def test_a_failing_step_leaves_everything_as_the_last_step_did(hook: str, error: type[BaseException]) -> None:
    program = sample_programs()["classifier, optimized"]
    per_step = {"forward": 3, "backward": 3, "metric": 2, "loss": 1, "update": 1}[hook]
    executor = made(FailsAt, program)
    executor.hook, executor.error, executor.calls = hook, error, 2 * per_step + 1
    executor._update = executor.bind_update()
    sums = np.zeros(sums_size(program))
    with pytest.raises(error, match="planted"):
        train(executor, 6, sums)
    want = made(Interpreter, program)
    want_sums = np.zeros(sums_size(program))
    train(want, 2, want_sums)
    np.testing.assert_array_equal(executor.params, want.params)
    np.testing.assert_array_equal(executor.slots, want.slots)
    np.testing.assert_array_equal(sums, want_sums)
    # and it can go on: the same six steps from here
    train(executor, 6, sums)
    train(want, 6, want_sums)
    np.testing.assert_array_equal(executor.params, want.params)


def test_buffers_are_reused_from_step_to_step() -> None:
    program = sample_programs()["classifier, optimized"]
    bound = []

    class Counts(Interpreter):
        def bind_forward(self, *arguments):
            bound.append(arguments[0].op)
            return super().bind_forward(*arguments)

    executor = made(Counts, program)
    for _ in range(5):
        train(executor, 6, np.zeros(sums_size(program)))
    assert bound == ["dense", "dense", "dense"], "bound once; the softmax is written by the loss"


def test_training_allocates_nothing_large() -> None:
    """784-128-10, batch 128: the arena has 407 kB; a step may make small temporaries, but none of that size."""
    import tracemalloc

    from netlet.program import ProgramBuilder, optimize

    b = ProgramBuilder()
    h = b.dense(b.input((784,)), b.param("a", (784, 128)), b.param("b", (128,)), activation="relu")
    y = b.dense(h, b.param("c", (128, 10)), b.param("d", (10,)), activation="softmax")
    program = optimize(b.finish(y).with_training(loss="sparse_categorical_crossentropy", optimizer="sgd"))
    executor = made(Interpreter, program)
    xs, labels, _ = random_batch(program, 256)
    arguments = {"batch_size": 128, "shuffle": (1, 2), "first": 0, "last": 2, "learning_rate": 0.1, "sums": np.zeros(2)}
    executor.train(xs, labels, None, **arguments)
    tracemalloc.start()
    executor.train(xs, labels, None, **arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_the_order_of_an_epoch_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from netlet import random

    made_orders = []
    permutation = random.permutation
    monkeypatch.setattr(random, "permutation", lambda *key: made_orders.append(key) or permutation(*key))
    program = sample_programs()["regression"]
    executor = made(Interpreter, program)
    xs, y, _ = random_batch(program, 12)
    for epoch in range(2):
        for step in range(3):
            executor.train(
                xs, y, None, batch_size=4, shuffle=(5, epoch), first=step, last=step + 1, learning_rate=0.1,
                sums=np.zeros(sums_size(program)),
            )  # fmt: skip
    assert made_orders == [(5, 0, 12), (5, 1, 12)]
