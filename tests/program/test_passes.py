"""Passes: they fuse what they should, leave the rest, and change nothing that a Program computes."""

from __future__ import annotations

import numpy as np
import pytest

from netlet.backends import make_executor
from netlet.program import (
    Loss,
    Program,
    ProgramBuilder,
    drop_noops,
    drop_unread,
    fuse_activation,
    fuse_loss,
    optimize,
    sums_size,
)
from netlet.testing.programs import initial_params, random_batch, sample_programs


def names(program: Program) -> list[str]:
    """The ops with their activations, in order."""
    return [f"{op.op} {op.attrs['activation']}" if "activation" in op.attrs else op.op for op in program.ops]


def classifier(activation: str, loss: str) -> Program:
    b = ProgramBuilder("float64")
    h = b.dense(b.input((4,)), b.param("kernel", (4, 3)), b.param("bias", (3,)))
    return b.finish(b.activation(h, activation)).with_training(loss=loss, optimizer="sgd")


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", "categorical_crossentropy"),
        ("softmax", "sparse_categorical_crossentropy"),
        ("sigmoid", "binary_crossentropy"),
    ],
)
def test_a_crossentropy_takes_the_logits(activation: str, loss: str) -> None:
    p = optimize(classifier(activation, loss))
    assert p.loss == Loss(loss, 1, 2, {"from_logits": True})
    assert p.outputs == (2,)
    assert len(p.ops) == 2, "the activation stays for predict"


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "categorical_crossentropy"),
        ("softmax", "binary_crossentropy"),
        ("softmax", "mean_squared_error"),
        ("log_softmax", "categorical_crossentropy"),
        ("tanh", "binary_crossentropy"),
    ],
)
def test_another_pair_of_activation_and_loss_stays(activation: str, loss: str) -> None:
    p = classifier(activation, loss)
    assert fuse_loss(p) == p


def test_a_sigmoid_epilogue_is_taken_off_again() -> None:
    b = ProgramBuilder()
    y = b.dense(b.input((4,)), b.param("kernel", (4, 3)), activation="sigmoid")
    p = optimize(b.finish(y).with_training(loss="binary_crossentropy", metrics=["binary_accuracy"]))
    assert names(p) == ["dense linear", "activation sigmoid"]
    assert p.loss == Loss("binary_crossentropy", p.ops[0].output, p.ops[1].output, {"from_logits": True})
    assert p.outputs == (p.ops[1].output,) == (p.metrics[0].input,)
    assert p.values[p.outputs[0]].name == "dense"


def test_probabilities_that_an_op_reads_keep_their_gradient() -> None:
    b = ProgramBuilder()
    p = b.softmax(b.input((4,)))
    program = b.finish([p, b.activation(p, "tanh")]).with_training(loss=Loss("categorical_crossentropy", p.id))
    assert fuse_loss(program) == program


def test_a_loss_on_logits_or_on_an_input_stays() -> None:
    b = ProgramBuilder()
    x = b.input((4,))
    on_input = b.finish(x).with_training(loss="categorical_crossentropy")
    assert fuse_loss(on_input) == on_input
    p = classifier("softmax", "categorical_crossentropy")
    already = p.with_training(loss=Loss("categorical_crossentropy", 1, None, {"from_logits": True}))
    assert fuse_loss(already) == already
    assert fuse_loss(p.without_training()) == p.without_training()


def test_an_activation_becomes_the_epilogue() -> None:
    b = ProgramBuilder()
    h = b.dense(b.input((4,)), b.param("kernel", (4, 3)), b.param("bias", (3,)))
    h = b.activation(h, "leaky_relu", alpha=0.3)
    p = optimize(b.finish(b.activation(h, "tanh")))
    assert names(p) == ["dense leaky_relu", "activation tanh"], "a dense op has one epilogue"
    assert p.ops[0].attrs["alpha"] == 0.3
    assert [v.name for v in p.values] == ["input", "leaky_relu", "tanh"], "no dead values remain"


@pytest.mark.parametrize("activation", ["softplus", "softsign", "gelu", "silu"])
def test_an_activation_whose_gradient_needs_its_input_stays_alone(activation: str) -> None:
    b = ProgramBuilder()
    h = b.dense(b.input((4,)), b.param("kernel", (4, 3)))
    p = b.finish(b.activation(h, activation))
    assert optimize(p) == p


def test_pre_activations_that_somebody_else_sees_stay() -> None:
    b = ProgramBuilder()
    h = b.dense(b.input((4,)), b.param("kernel", (4, 3)))
    y = b.activation(h, "tanh")
    as_output = b.finish([y, h])
    assert fuse_activation(as_output) == as_output
    seen_by_loss = b.finish(y).with_training(loss=Loss("mean_squared_error", h.id))
    assert fuse_activation(seen_by_loss) == seen_by_loss
    b.activation(h, "relu")
    read_twice = b.finish(y)
    assert fuse_activation(read_twice) == read_twice


def test_noops_go() -> None:
    b = ProgramBuilder()
    h = b.activation(b.reshape(b.input((4,)), (4,)), "linear")
    h = b.reshape(b.dense(h, b.param("kernel", (4, 6))), (2, 3))
    p = drop_noops(b.finish(b.activation(b.activation(h, "linear"), "linear")))
    assert names(p) == ["dense linear", "reshape"]
    assert p.outputs == (2,) and len(p.values) == 3


def test_a_noop_that_makes_an_output_of_an_input_or_output_stays() -> None:
    b = ProgramBuilder()
    x = b.input((4,))
    y = b.activation(x, "tanh")
    p = b.finish([b.activation(x, "linear"), y, b.activation(y, "linear")])
    assert drop_noops(p) == p


@pytest.mark.parametrize("name", sample_programs())
def test_optimizing_twice_changes_nothing_more(name: str) -> None:
    once = optimize(sample_programs()[name])
    assert optimize(once) == once


@pytest.mark.parametrize("name", [name for name in sample_programs() if not name.endswith("optimized")])
def test_results_are_equal_with_and_without_passes(name: str) -> None:
    p = sample_programs("float64")[name]
    q = optimize(p)
    assert [p.values[v].shape for v in p.outputs] == [q.values[v].shape for v in q.outputs]
    assert q.params == p.params
    xs, y, weight = random_batch(p, 11)
    arena = initial_params(p)
    results = []
    for program in (p, q):
        params = arena.copy()
        slots = np.zeros((program.num_slots, params.size))
        executor = make_executor(program, params, np.empty(0), slots, target="numpy")
        outputs = executor.predict(xs, None, 4)
        loss, gradient, dxs = executor.gradients(xs, y, weight)
        sums = np.zeros(sums_size(program))
        executor.evaluate(xs, y, weight, batch_size=4, sums=sums)
        ys, vjp_dxs, vjp_gradient = executor.vjp(xs, [np.cos(out) for out in outputs])
        executor.train(
            xs, y, weight, batch_size=4, shuffle=(1, 2), first=0, last=3, learning_rate=0.1, sums=sums.copy()
        )
        results.append([*outputs, loss, gradient, *dxs, sums, *ys, *vjp_dxs, vjp_gradient, params, slots])
    # the same numbers but for rounding, a few eps of float64
    for got, want in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def test_what_nothing_depends_on_is_dropped() -> None:
    b = ProgramBuilder("float64")
    x = b.input((3,))
    h = b.dense(x, b.param("a", (3, 2)))
    y = b.dense(h, b.param("b", (2, 1)))
    beside = b.op("concatenate", [h, y])
    p = b.finish(y)
    dropped = drop_unread(p)
    assert names(dropped) == ["dense linear", "dense linear"]
    assert dropped.params == p.params
    assert drop_unread(dropped) is dropped
    read = p.with_training(loss=Loss("mean_squared_error", beside.id))
    assert drop_unread(read) is read
