"""A Program checks itself: each rule has a Program that breaks it, and the message names the place."""

from __future__ import annotations

import dataclasses

import pytest

from netlet.program import (
    LOSSES,
    Loss,
    Metric,
    Op,
    Optimizer,
    Param,
    Program,
    ProgramBuilder,
    Value,
    metric_slices,
    sums_size,
)


def program() -> Program:
    b = ProgramBuilder("float32")
    x = b.input((4,))
    h = b.dense(x, b.param("a/kernel", (4, 3)), b.param("a/bias", (3,)), activation="leaky_relu", alpha=0.1)
    return b.finish(b.softmax(b.dense(h, b.param("b/kernel", (3, 2))))).with_training(
        loss="categorical_crossentropy", optimizer="sgd", metrics=["categorical_accuracy", "confusion"]
    )


def test_the_builder_numbers_names_and_packs() -> None:
    p = program()
    assert [v.name for v in p.values] == ["input", "dense", "dense_1", "softmax"]
    assert [v.shape for v in p.values] == [(4,), (3,), (2,), (2,)]
    assert p.params == (Param("a/kernel", (4, 3), 0), Param("a/bias", (3,), 12), Param("b/kernel", (3, 2), 15))
    assert p.param_size == 21 and p.state_size == 0
    assert p.inputs == (0,) and p.outputs == (3,)
    assert p.ops[0] == Op("dense", (0,), 1, (0, 1), {"activation": "leaky_relu", "alpha": 0.1})
    assert p.loss == Loss("categorical_crossentropy", 3, None, {"from_logits": False})
    assert p.label_shape == (2,) and p.label_dtype == "float32"
    assert metric_slices(p) == [slice(2, 4), slice(4, 8)]
    assert sums_size(p) == 8
    assert p.without_training().loss is None and p.without_training().ops == p.ops


@pytest.mark.parametrize(("momentum", "slots"), [(0.0, 0), (0.9, 1)])
def test_slots_follow_the_optimizer(momentum: float, slots: int) -> None:
    p = program().with_training(loss=None, optimizer=("sgd", {"momentum": momentum}))
    assert p.num_slots == slots
    assert p.optimizer == Optimizer("sgd", {"momentum": momentum, "nesterov": False})


def test_attributes_get_their_defaults_and_canonical_types() -> None:
    b = ProgramBuilder()
    x = b.input((3,))
    p = b.finish(b.activation(b.activation(b.activation(x, "elu"), "gelu"), "leaky_relu", alpha=1))
    assert [dict(op.attrs) for op in p.ops] == [
        {"activation": "elu", "alpha": 1.0},
        {"activation": "gelu", "approximate": False},
        {"activation": "leaky_relu", "alpha": 1.0},
    ]
    assert type(p.ops[2].attrs["alpha"]) is float


BREAK = {
    "dtype": (
        lambda p: {"dtype": "float16"},
        "dtype: expected one of float32, float64, got 'float16': mixed",
    ),
    "value name": (lambda p: {"values": (Value("", (4,)), *p.values[1:])}, r"values\[0\]: name: expected a string"),
    "value shape": (lambda p: {"values": (Value("x", (0,)), *p.values[1:])}, r"values\[0\] 'x': shape: expected"),
    "value shape type": (lambda p: {"values": (Value("x", [4]), *p.values[1:])}, "shape: expected a tuple"),
    "value too large": (lambda p: {"values": (Value("x", (2**30, 2**30)), *p.values[1:])}, "more than 2.48 elements"),
    "value without writer": (lambda p: {"values": (*p.values, Value("z", (1,)))}, r"values\[4\] 'z': is neither"),
    "param gap": (
        lambda p: {"params": (*p.params[:2], p.params[2]._replace(offset=16))},
        r"params\[2\] 'b/kernel': offset: expected 15, got 16",
    ),
    "param name twice": (
        lambda p: {"params": (*p.params[:2], p.params[2]._replace(name="a/bias"))},
        "'a/bias' is taken",
    ),
    "state gap": (lambda p: {"state": (Param("mean", (3,), 1),)}, r"state\[0\] 'mean': offset: expected 0, got 1"),
    "no inputs": (lambda p: {"inputs": ()}, "inputs: expected at least one value"),
    "no outputs": (lambda p: {"outputs": ()}, "outputs: expected at least one value"),
    "input twice": (lambda p: {"inputs": (0, 0)}, "inputs: expected different values"),
    "input index": (lambda p: {"inputs": (4,)}, "inputs: value: expected an index from 0 to 3, got 4"),
    "output index": (lambda p: {"outputs": (-1,)}, "outputs: value: expected an index from 0 to 3, got -1"),
    "output bool": (lambda p: {"outputs": (True,)}, "outputs: value: expected an index from 0 to 3, got True"),
    "unknown op": (lambda p: ops(p, 2, op="softmaxx"), r"ops\[2\]: unknown op 'softmaxx'. Did you mean 'softmax'\?"),
    "unknown activation": (
        lambda p: ops(p, 0, attrs={"activation": "rleu"}),
        r"ops\[0\] dense: unknown activation 'rleu'. Did you mean 'relu'\?",
    ),
    "activation that is no epilogue": (lambda p: ops(p, 0, attrs={"activation": "gelu"}), "unknown activation 'gelu'"),
    "attribute not taken": (
        lambda p: ops(p, 0, attrs={"activation": "relu", "alpha": 0.1}),
        "dense takes no attribute 'alpha' here, expected activation",
    ),
    "attribute type": (
        lambda p: ops(p, 0, attrs={"activation": "elu", "alpha": "big"}),
        "attribute 'alpha': expected a float, got 'big'",
    ),
    "attribute range": (lambda p: ops(p, 0, attrs={"activation": "elu", "alpha": -1.0}), "from 0 to inf, got -1.0"),
    "attribute nan": (lambda p: ops(p, 0, attrs={"activation": "elu", "alpha": float("nan")}), "a finite number"),
    "attribute huge": (lambda p: ops(p, 0, attrs={"activation": "elu", "alpha": 10**400}), "a finite number"),
    "attrs type": (lambda p: ops(p, 0, attrs=[]), "attrs: expected a mapping"),
    "op inputs": (lambda p: ops(p, 2, inputs=(2, 2)), r"ops\[2\] softmax: expected 1 input\(s\), got 2"),
    "op input index": (lambda p: ops(p, 2, inputs=(9,)), "inputs: expected an index from 0 to 3, got 9"),
    "op reads ahead": (lambda p: ops(p, 0, inputs=(2,)), r"reads value 2 \('dense_1'\) before it is written"),
    "op writes twice": (lambda p: ops(p, 2, output=2), r"writes value 2 \('dense_1'\), which is already there"),
    "op writes an input": (lambda p: ops(p, 2, output=0), "which is already there"),
    "no params": (lambda p: ops(p, 0, params=()), "expected 1 to 2 parameters, got 0"),
    "many params": (lambda p: ops(p, 2, params=(0,)), "expected 0 parameters, got 1"),
    "param index": (lambda p: ops(p, 0, params=(3,)), "params: expected an index from 0 to 2, got 3"),
    "param twice": (lambda p: ops(p, 0, params=(0, 0)), "expected different parameters"),
    "kernel axes": (lambda p: ops(p, 0, params=(1,)), r"kernel has shape \(3,\), expected two axes"),
    "kernel width": (lambda p: ops(p, 0, params=(2,)), r"input has shape \(None, 4\), expected a last axis of 3"),
    "bias shape": (lambda p: ops(p, 0, params=(0, 2)), r"bias has shape \(3, 2\), expected \(3,\)"),
    "declared shape": (
        lambda p: {"values": (*p.values[:3], Value("softmax", (3,)))},
        r"output 'softmax' has shape \(3,\), expected \(2,\)",
    ),
    "unknown loss": (lambda p: {"loss": Loss("mse", 3)}, "loss: unknown loss 'mse'"),
    "loss input": (lambda p: {"loss": Loss("mean_squared_error", 4)}, "input: expected an index from 0 to 3, got 4"),
    "loss attribute": (lambda p: {"loss": Loss("mean_squared_error", 3, None, {"from_logits": True})}, "no attribute"),
    "loss output without logits": (lambda p: {"loss": Loss("categorical_crossentropy", 2, 3)}, "expected null"),
    "loss output of mse": (lambda p: {"loss": Loss("mean_squared_error", 2, 3)}, "expected null"),
    "loss output elsewhere": (
        lambda p: {"loss": Loss("categorical_crossentropy", 1, 3, {"from_logits": True})},
        "output: expected the softmax of value 1, got value 3",
    ),
    "loss output of the wrong kind": (
        lambda p: {"loss": Loss("binary_crossentropy", 2, 3, {"from_logits": True}), "metrics": ()},
        "output: expected the sigmoid of value 2",
    ),
    "unknown optimizer": (lambda p: {"optimizer": Optimizer("sdg")}, r"unknown optimizer 'sdg'. Did you mean 'sgd'\?"),
    "momentum": (lambda p: {"optimizer": Optimizer("sgd", {"momentum": 1.5})}, "from 0 to 1, got 1.5"),
    "nesterov": (lambda p: {"optimizer": Optimizer("sgd", {"nesterov": 1})}, "expected true or false, got 1"),
    "unknown metric": (lambda p: {"metrics": (Metric("acc", 3),)}, r"metrics\[0\]: unknown metric 'acc'"),
    "metric without loss": (lambda p: {"loss": None}, "the Program has no loss"),
    "metric shape": (lambda p: {"metrics": (Metric("confusion", 1),)}, r"input has shape \(3,\), expected \(2,\)"),
    "metric labels": (
        lambda p: {"metrics": (Metric("sparse_categorical_accuracy", 3),)},
        "needs class numbers, which the loss categorical_crossentropy does not take",
    ),
    "metric labels, other way": (
        lambda p: {
            "loss": Loss("sparse_categorical_crossentropy", 3),
            "metrics": (Metric("categorical_accuracy", 3),),
        },
        "needs labels shaped as the prediction",
    ),
}


def ops(p: Program, index: int, **changes: object) -> dict[str, object]:
    """The ops of ``p`` with one changed."""
    return {"ops": tuple(op._replace(**changes) if i == index else op for i, op in enumerate(p.ops))}


@pytest.mark.parametrize("rule", BREAK)
def test_a_broken_rule_is_named(rule: str) -> None:
    change, message = BREAK[rule]
    p = program()
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(p, **change(p))


def test_a_loss_needs_an_axis() -> None:
    b = ProgramBuilder()
    scalar = b.finish(b.input(()))
    for name in (name for name in LOSSES if not name.startswith("custom")):
        with pytest.raises(ValueError, match="at least one axis"):
            scalar.with_training(loss=name)


def test_a_bare_name_needs_a_single_output() -> None:
    b = ProgramBuilder()
    x = b.input((2,))
    two = b.finish([b.softmax(x), b.log_softmax(x)])
    with pytest.raises(ValueError, match="has 2 outputs"):
        two.with_training(loss="mean_squared_error")
    assert two.with_training(loss=Loss("mean_squared_error", 2)).loss.input == 2
    with pytest.raises(TypeError, match="expected a name"):
        two.with_training(loss=None, optimizer=3)


BUILD = {
    "width": (lambda b, x: b.dense(x, b.param("k", (5, 2))), r"dense: input has shape \(None, 4\), expected .* of 5"),
    "name in front": (lambda b, x: b.dense(x, b.param("k", (5, 2)), name="dense_7"), "dense_7: input"),
    "activation": (lambda b, x: b.dense(x, b.param("k", (4, 2)), activation="sofmax"), "Did you mean 'softmax'"),
    "activation op": (lambda b, x: b.activation(x, "tahn"), "Did you mean 'tanh'"),
    "alpha": (lambda b, x: b.dense(x, b.param("k", (4, 2)), activation="relu", alpha=1.0), "no attribute 'alpha'"),
    "reshape": (lambda b, x: b.reshape(x, (3,)), r"reshape: input of shape \(4,\) has 4 elements, \(3,\) does not fit"),
    "reshape -1": (lambda b, x: b.reshape(x, (3, -1)), "does not fit"),
    "reshape twice -1": (lambda b, x: b.reshape(x, (-1, -1)), "positive integers"),
    "param name": (lambda b, x: (b.param("k", (1,)), b.param("k", (1,))), "the name 'k' is taken"),
    "foreign node": (lambda b, x: b.softmax(ProgramBuilder().input((3,), "other")), "a node of this builder"),
    "no output": (lambda b, x: b.finish([]), "outputs: expected at least one"),
    "foreign param": (lambda b, x: b.dense(x, Param("k", (4, 2), 0)), "dense: "),
}


@pytest.mark.parametrize("mistake", BUILD)
def test_the_builder_names_mistakes_at_once(mistake: str) -> None:
    call, message = BUILD[mistake]
    b = ProgramBuilder()
    x = b.input((4,))
    with pytest.raises(ValueError, match=message):
        call(b, x)


def test_dense_makes_an_op_of_an_activation_that_is_no_epilogue() -> None:
    b = ProgramBuilder()
    kernel = b.param("k", (4, 2))
    p = b.finish(b.dense(b.input((4,)), kernel, activation="gelu", approximate=True))
    assert [(op.op, dict(op.attrs)) for op in p.ops] == [
        ("dense", {"activation": "linear"}),
        ("activation", {"activation": "gelu", "approximate": True}),
    ]


def test_reshape_infers_one_axis() -> None:
    b = ProgramBuilder()
    x = b.input((2, 6))
    assert b.reshape(x, (-1, 4)).shape == (3, 4)
    assert b.reshape(x, -1).shape == (12,)
    assert b.reshape(b.input(1), ()).shape == ()
