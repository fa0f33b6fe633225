"""Every gradient against central differences, in float64: at most 1e-6 off, relatively."""

from __future__ import annotations

import numpy as np
import pytest

from netlet.program import ACTIVATIONS
from netlet.program.case import Case, run_reference
from netlet.testing import all_cases

# Data that may lie on a kink, where there is no derivative, or where the function is flat or huge beyond float64.
UNSUITED = ("extreme", "special", "bad labels", "equal", "zero")
# Four points: truncation is of the order of STEP^4 = 4e-15, rounding of 2e-16 / STEP = 1e-12.
STEP = 2.5e-4


def differentiable_cases() -> list[Case]:
    cases = [case for case in all_cases(dtype="float64") if case.family in ("op", "loss") and case.data not in UNSUITED]
    assert {case.op for case in cases} >= {"dense", "activation", "softmax", "log_softmax", "reshape"}
    assert {case.attrs["activation"] for case in cases if case.op == "activation"} == set(ACTIVATIONS)
    return cases


def terms(case: Case, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """What is differentiated is the sum of these: the batch's loss, or the sum of y * dy."""
    results = run_reference(case, arrays)
    if case.family == "op":
        return results["y"] * arrays["dy"]
    return results["losses"] * arrays.get("weight", 1.0) / case.batch


@pytest.mark.parametrize("case", differentiable_cases(), ids=str)
def test_gradient_is_that_of_central_differences(case: Case) -> None:
    arrays = case.exact_arrays
    results = case.reference()
    rng = np.random.default_rng(0)
    names = [name for name in arrays if f"d{name}" in results and name not in getattr(case.spec, "discrete", ())]
    assert names or getattr(case.spec, "discrete", ()), "nothing to differentiate by"
    for name in names:
        gradient = results[f"d{name}"]
        size = gradient.size
        # a probability moves by a share of itself: its logarithm bends fast near 0
        unit = arrays[name] if case.attrs.get("from_logits") is False else np.ones_like(arrays[name])
        # every element of small arrays, one at a time; random directions for all
        directions = [rng.choice([-1.0, 1.0], gradient.shape) for _ in range(3)]
        directions += [np.eye(1, size, i).reshape(gradient.shape) for i in range(size if size <= 64 else 0)]
        for direction in directions:
            direction = direction * unit
            near, far = (
                terms(case, {**arrays, name: arrays[name] + h * direction})
                - terms(case, {**arrays, name: arrays[name] - h * direction})
                for h in (STEP, 2 * STEP)
            )
            numeric = np.sum((8 * near - far) / (12 * STEP))
            # relative to what the slope is the sum of, which may cancel; a slope of 0 has no relative error
            scale = np.sum(np.abs(near / (2 * STEP))) + 1e-5
            assert abs(numeric - np.sum(gradient * direction)) <= 1e-6 * scale, name


@pytest.mark.parametrize(
    ("alpha", "threshold", "highest", "slopes"),
    [
        (0.25, 1.0, 3.0, {0.5: 0.25, 1.0: 0.25, 2.0: 1.0, 3.0: 0.0, 4.0: 0.0}),
        (0.25, -1.0, 3.0, {-1.0: 0.25, -0.5: 0.0, 0.0: 0.0, 0.5: 1.0}),
        (-0.5, -1.0, None, {-2.0: -0.5, -0.5: 1.0, 0.0: 1.0}),
    ],
)
def test_slopes_of_relu_with_arguments(
    alpha: float, threshold: float, highest: float | None, slopes: dict[float, float]
) -> None:
    attrs = {"alpha": alpha, "threshold": threshold, "max_value": highest}
    x = np.array(list(slopes))
    y, dx = np.empty_like(x), np.empty_like(x)
    ACTIVATIONS["relu_general"].forward(attrs, x, y)
    ACTIVATIONS["relu_general"].backward(attrs, x, y, np.ones_like(x), dx)
    assert dx.tolist() == list(slopes.values())


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slope_at_the_kink_is_that_of_the_left_side(name: str) -> None:
    f = ACTIVATIONS[name]
    ends = {"hard_sigmoid": 3.0, "hard_silu": 3.0, "hard_tanh": 1.0, "sparse_sigmoid": 1.0}
    ends |= {"soft_shrink": 0.5, "hard_shrink": 0.5}
    kinks = (-ends[name], ends[name]) if name in ends else (0.0, 6.0) if name == "relu6" else (0.0,)
    expected = {
        "relu": (0.0,),
        "leaky_relu": (0.2,),
        "elu": (1.0,),
        "selu": (1.0507009873554805 * 1.6732632423543772,),
        "hard_sigmoid": (0.0, 0.0),
        "hard_silu": (0.0, 1.0),  # x f', where hard_sigmoid's is 0, and f
        "hard_tanh": (0.0, 0.0),
        "sparse_sigmoid": (0.0, 0.0),
        "relu6": (0.0, 0.0),
        "soft_shrink": (0.0, 0.0),  # the flat side
        "hard_shrink": (0.0, 0.0),
        "relu_general": (0.0,),
        "threshold": (0.0,),
    }
    if name not in expected:
        assert not f.kinked
        return
    attrs = {attr.name: attr.default for attr in f.attrs}
    x = np.array(kinks)
    y, dx = np.empty_like(x), np.empty_like(x)
    f.forward(attrs, x, y)
    f.backward(attrs, x, y, np.ones_like(x), dx)
    np.testing.assert_allclose(dx, expected[name], rtol=1e-15)
