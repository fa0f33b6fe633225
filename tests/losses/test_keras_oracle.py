"""Values and gradients of every loss against Keras itself, on random data in float64.

Skipped where Keras and JAX are not installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import losses

RNG = np.random.default_rng(11)
ABSENT = [module for module in ("keras", "jax") if importlib.util.find_spec(module) is None]
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"the oracle is not installed: {', '.join(ABSENT)}")

SMOOTH: list[dict[str, Any]] = [{}, {"label_smoothing": 0.1}]
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight", None)


def settings() -> list[tuple[str, dict[str, Any], str]]:
    """Class, its arguments, and the kind of data."""
    plain = ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCosh")
    found: list[tuple[str, dict[str, Any], str]] = [(name, {}, "numbers") for name in plain]
    found.append(("MeanSquaredLogarithmicError", {}, "positive"))
    found += [("CosineSimilarity", {"axis": axis}, "numbers") for axis in (-1, 1)]
    found += [("Huber", {"delta": delta}, "numbers") for delta in (1.0, 0.3)]
    found += [(name, {}, data) for name in ("Hinge", "SquaredHinge") for data in ("bits", "signs")]
    found += [("CategoricalHinge", {}, "one-hot"), ("KLDivergence", {}, "probabilities"), ("Poisson", {}, "positive")]
    for logits in (False, True):
        data = "-logits" if logits else ""
        for more in SMOOTH:
            arguments = {"from_logits": logits, **more}
            found.append(("BinaryCrossentropy", arguments, f"bits{data or '-shares'}"))
            found.append(("BinaryFocalCrossentropy", {**arguments, "gamma": 1.5}, f"bits{data or '-shares'}"))
            balanced = {**arguments, "apply_class_balancing": True, "alpha": 0.4}
            found.append(("BinaryFocalCrossentropy", balanced, f"bits{data or '-shares'}"))
            found.append(("CategoricalCrossentropy", arguments, f"one-hot{data or '-shares'}"))
            found.append(("CategoricalFocalCrossentropy", arguments, f"one-hot{data or '-shares'}"))
        alpha = {"alpha": [0.1, 0.5, 2.0, 1.0], "from_logits": logits, "gamma": 3.0}
        found.append(("CategoricalFocalCrossentropy", alpha, f"one-hot{data or '-shares'}"))
        found.append(("CategoricalCrossentropy", {"from_logits": logits, "axis": 1}, f"one-hot{data or '-shares'}"))
        for ignore in (None, 1, -1):
            arguments = {"from_logits": logits, "ignore_class": ignore}
            found.append(("SparseCategoricalCrossentropy", arguments, f"classes{data or '-shares'}"))
    found.append(("CategoricalGeneralizedCrossEntropy", {"q": 0.3}, "classes-shares"))
    for axis in (None, -1, [1], [1, 2], [0, 1, 2]):
        found.append(("Dice", {"axis": axis}, "bits-shares"))
        found.append(("Tversky", {"axis": axis, "alpha": 0.3, "beta": 0.9}, "bits-shares"))
    for more in ({}, {"gamma": 10.0, "margin": 0.25}, {"remove_diagonal": False}):
        found.append(("Circle", more, "embeddings"))
    found.append(("CTC", {}, "sequences"))
    return found


def data_of(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions, ``[6, 3, 4]`` or what the loss takes."""
    shape = (6, 3, 4)
    if kind == "embeddings":
        x = RNG.standard_normal((9, 5))
        return RNG.integers(0, 4, 9), 0.95 * x / np.linalg.norm(x, axis=-1, keepdims=True)
    if kind == "sequences":
        y = RNG.integers(1, 5, (6, 4))
        y[np.arange(4) >= RNG.integers(1, 5, (6, 1))] = 0
        return y, RNG.standard_normal((6, 9, 5))
    x = RNG.uniform(0.05, 0.95, shape) if "shares" in kind or kind == "probabilities" else RNG.standard_normal(shape)
    if kind == "positive":
        return RNG.uniform(0.1, 3, shape), RNG.uniform(0.1, 3, shape)
    if kind == "probabilities":
        return RNG.uniform(0, 1, shape), x
    if kind.startswith("bits"):
        return RNG.integers(0, 2, shape) * 1.0, x
    if kind == "signs":
        return RNG.choice([-1.0, 1.0], shape), x
    classes = RNG.integers(0, 4, shape[:-1])
    if kind.startswith("classes"):
        return classes, x
    return (np.eye(4)[classes] if kind.startswith("one-hot") else RNG.standard_normal(shape)), x


def cases() -> list[dict[str, Any]]:
    made = []
    for name, arguments, kind in settings():
        y, x = data_of(kind)
        if arguments.get("ignore_class") == -1:
            y = np.where(RNG.random(y.shape) < 0.4, -1, y)
        whole = name == "Circle" or name == "CTC"
        for reduction in REDUCTIONS:
            for weighted in (False, True):
                weight = RNG.uniform(0, 2, (len(x),) if whole else (len(x), 1)) if weighted else None
                if (
                    weighted
                    and not whole
                    and arguments.get("axis") in ([1, 2], [0, 1, 2], None)
                    and "axis" in arguments
                ):
                    weight = weight[:, 0]  # type: ignore[index]
                config = {**arguments, "reduction": reduction}
                made.append({"class": name, "config": config, "x": x, "y": y, "weight": weight})
    return made


CASES = cases()


def label(case: dict[str, Any]) -> str:
    arguments = ",".join(f"{k}={v}" for k, v in case["config"].items())
    return f"{case['class']}[{arguments}{'' if case['weight'] is None else ',weighted'}]"


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("oracle")
    plain = [{"class": case["class"], "config": case["config"]} for case in CASES]
    (folder / "cases.json").write_text(json.dumps(plain), encoding="utf-8")
    arrays = {f"{i}.{key[0]}": case[key] for i, case in enumerate(CASES) for key in ("x", "y", "weight")}
    np.savez(folder / "arrays.npz", **{key: value for key, value in arrays.items() if value is not None})
    script = Path(__file__).with_name("keras_oracle.py")
    command = [sys.executable, str(script), *(str(folder / n) for n in ("cases.json", "arrays.npz", "out.npz"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return dict(np.load(folder / "out.npz"))


def tolerances(loss: Any) -> tuple[dict[str, float], float]:
    """How far Keras may be, for the loss and relatively for its gradient.

    Its means are computed in float32 whatever the type, and so is CTC, over 9 steps; the rest is in float64:
    exponentials and logarithms of a few ulp, sums of up to 72 terms, and gamma = 80 before an exponential.
    """
    if loss.op == "ctc":
        return {"rtol": 5e-6, "atol": 0.0}, 5e-5
    if getattr(loss.spec, "averaged", loss.op in ("mean_squared_error", "mean_absolute_error", "binary_crossentropy")):
        return {"rtol": 5e-7, "atol": 1e-7}, 5e-7
    return {"rtol": 1e-12, "atol": 1e-13}, 1e-9


@pytest.mark.parametrize("i", range(len(CASES)), ids=lambda i: label(CASES[i]))
def test_keras_says_the_same(i: int, oracle: dict[str, np.ndarray]) -> None:
    case = CASES[i]
    loss = getattr(losses, case["class"])(**case["config"], dtype="float64")
    x, y, weight = case["x"], case["y"], case["weight"]
    got, want = loss(y, x, weight), oracle[f"{i}"]
    assert got.shape == want.shape
    near, slope = tolerances(loss)
    np.testing.assert_allclose(got, want, **near)
    if case["config"]["reduction"] != "sum_over_batch_size":
        return
    rows = None if weight is None else weight.reshape(-1)
    spec, attrs = loss.spec, loss.spec.normalize(loss.attrs())
    labels = y.astype(np.int32) if spec.integer_labels else y
    if case["class"] == "CTC":
        labels = np.pad(labels, ((0, 0), (0, x.shape[1] - labels.shape[1])))
    values, dx = np.empty(len(x)), np.empty_like(x)
    with np.errstate(all="ignore"):
        spec.value_and_gradient(attrs, x, labels, rows, values, dx, None)
    total = values.mean() if rows is None else (values * rows).mean()
    np.testing.assert_allclose(total, want, **near)
    np.testing.assert_allclose(dx, oracle[f"{i}.dx"], rtol=slope, atol=slope * 1e-3 * max(1.0, np.abs(dx).max()))


def test_every_loss_is_asked_for() -> None:
    assert {case["class"] for case in CASES} == {cls.__name__ for cls in losses._OBJECTS}
