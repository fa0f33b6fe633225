"""The kit catches what it is there to catch: each gate is shown a planted fault."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from netlet.backends import interpreter, numpy_, registry
from netlet.backends.interpreter import Interpreter
from netlet.program import all_specs
from netlet.testing import Guards, Target, all_cases, assert_close, targets

# Their last axis is the channels, of which there are a few.
IMAGES = ("crop", "resize", "random_flip", "random_contrast", "random_affine")

CASE = next(case for case in all_cases("dense", "float32") if case.batch == 7 and len(case.params) == 2)


def test_case_names_are_unique_and_cases_repeat() -> None:
    cases = all_cases()
    names = [str(case) for case in cases]
    assert len(set(names)) == len(names) > 1000
    again = all_cases()
    for a, b in list(zip(cases, again, strict=True))[::50]:
        for name in a.arrays:
            np.testing.assert_array_equal(a.arrays[name], b.arrays[name])


def test_every_op_has_cases_with_hostile_sizes() -> None:
    for spec in all_specs():
        cases = [case for case in all_cases(spec.name) if case.family == spec.family]
        assert {case.dtype for case in cases} == {"float32", "float64"}
        if spec.family in ("op", "loss") and spec.name not in ("reshape", *IMAGES):
            lasts = {case.shapes[0][-1] for case in cases if case.shapes[0]}
            assert {3, 7, 8, 9, 15, 16, 17} <= lasts, spec.name
            assert {case.batch for case in cases} >= {1, 3, 7}, spec.name


def test_bounds_are_finite_and_small() -> None:
    for case in all_cases():
        if case.data != "normal" or case.batch > 100:
            continue
        want, bounds = case.reference(), case.tolerance
        for name, bound in bounds.items():
            scale = max(1.0, float(np.abs(want[name]).max(initial=0)))
            assert (bound >= 0).all() and bound.max(initial=0) < 2000 * case.eps * scale, (str(case), name)


@pytest.mark.parametrize("fault", ["y", "dx", "dkernel", "dbias"])
def test_a_small_error_is_caught(fault: str) -> None:
    got = {name: a.astype(np.float32) for name, a in CASE.reference().items()}
    assert_close(got, CASE.reference(), within=CASE.tolerance)
    got[fault] = got[fault].copy()
    got[fault].flat[-1] += np.abs(CASE.reference()[fault]).max() * 1e-4
    with pytest.raises(AssertionError, match=rf"{fault}\[.*bound"):
        assert_close(got, CASE.reference(), within=CASE.tolerance)


def test_a_missing_result_and_a_wrong_shape_are_caught() -> None:
    got = {name: a.astype(np.float32) for name, a in CASE.reference().items()}
    with pytest.raises(AssertionError, match="shape"):
        assert_close({**got, "dx": got["dx"][:-1]}, CASE.reference(), within=CASE.tolerance)
    del got["dx"]
    with pytest.raises(AssertionError, match="not computed: dx"):
        assert_close(got, CASE.reference(), within=CASE.tolerance)


def test_nan_and_infinity_are_compared_as_such() -> None:
    want = {"y": np.array([np.nan, np.inf, 1e300])}
    within = {"y": np.full(3, 1e-6)}
    assert_close({"y": np.array([np.nan, np.inf, np.inf], np.float32)}, want, within)
    for wrong in ([0, np.inf, np.inf], [np.nan, 1, np.inf], [np.nan, -np.inf, np.inf], [np.nan, np.inf, 1]):
        with pytest.raises(AssertionError, match="1 of 3 elements"):
            assert_close({"y": np.array(wrong, np.float32)}, want, within)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("place", [-1, -5, 6, 10])
def test_writing_beside_an_array_is_caught(dtype: str, place: int) -> None:
    guards = Guards()
    array = guards.inout("w", np.zeros((2, 3), dtype))
    guards.check()
    ctypes.memset(array.ctypes.data + place * array.itemsize, 0, 1)
    with pytest.raises(AssertionError, match=r"w: element \d+ (before|after) the array was written"):
        guards.check()


def test_reading_beside_an_array_poisons() -> None:
    guards = Guards()
    array = guards.input("x", np.ones(3, np.float32))
    before = np.lib.stride_tricks.as_strided(array, shape=(5,), strides=(4,))
    assert np.isnan(before[3:]).all() and np.isnan(before.sum())


def test_changing_an_input_is_caught() -> None:
    guards = Guards()
    array = guards.input("x", np.ones(3))
    array[1] = 2
    with pytest.raises(AssertionError, match="x: an input was changed"):
        guards.check()


def test_arrays_are_misaligned_unless_asked_otherwise() -> None:
    for dtype in ("float32", "float64", "int32"):
        size = np.dtype(dtype).itemsize
        assert Guards().output("y", (3,), dtype).ctypes.data % 64 == size
        assert Guards(aligned=True).output("y", (3,), dtype).ctypes.data % 64 == 0


class ForgetsTheBias(Interpreter):
    def bind_forward(self, op, xs, params, y):
        return super().bind_forward(op, xs, params[:1], y)


class SpoilsItsInput(Interpreter):
    def bind_forward(self, op, xs, params, y):
        call = super().bind_forward(op, xs, params, y)

        def forward() -> None:
            call()
            self.params[0] = 0

        return forward


class AddsToGradients(Interpreter):
    """Each call adds to what the last one left: seen when a plan is used again."""

    def bind_backward(self, op, xs, params, y, dy, dxs, dparams):
        call = super().bind_backward(op, xs, params, y, dy, dxs, dparams)

        def backward() -> None:
            before = [None if d is None else np.nan_to_num(d) for d in dparams]
            call()
            for d, b in zip(dparams, before, strict=True):
                if d is not None:
                    d += b

        return backward


@pytest.mark.parametrize("faulty", [ForgetsTheBias, SpoilsItsInput, AddsToGradients])
def test_a_faulty_executor_is_caught(faulty: type[Interpreter], monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(c for c in all_cases("dense", "float32") if c.batch == 5 and len(c.params) == 2 and c.shapes[0][0] == 7)
    assert_close(Target("numpy").run(case), case.reference(), within=case.tolerance)
    monkeypatch.setattr(numpy_, "NumpyExecutor", faulty)
    with pytest.raises(AssertionError):
        assert_close(Target("numpy").run(case), case.reference(), within=case.tolerance)


def test_targets_are_named_and_numpy_is_among_them() -> None:
    names = [str(target) for target in targets()]
    assert names[:2] == ["numpy", "numba"] and any(name.startswith("native:") for name in names)


def test_a_target_that_cannot_run_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLET_REQUIRE", raising=False)
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match="numba: numba is not installed"):
        Target("numba").require("dense")
    Target("numpy").require("dense")


def test_a_required_target_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("NETLET_REQUIRE", "numpy, numba")
    with pytest.raises(pytest.fail.Exception, match="numba is required by NETLET_REQUIRE: numba is not installed"):
        Target("numba").require("dense")
    monkeypatch.setenv("NETLET_REQUIRE", "numbaa")
    with pytest.raises(pytest.fail.Exception, match=r"no target 'numbaa'. Did you mean 'numba'\?"):
        Target("numpy").require("dense")


def test_an_op_that_a_backend_lacks_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLET_REQUIRE", raising=False)
    lacking = registry.BACKENDS["numpy"]._replace(missing=frozenset({"dense"}))
    monkeypatch.setitem(registry.BACKENDS, "numpy", lacking)
    with pytest.raises(pytest.skip.Exception, match="numpy does not have dense"):
        Target("numpy").require("dense")
    Target("numpy").require("softmax")


def test_plans_are_bounded() -> None:
    case = next(c for c in all_cases("dense", "float32"))
    program = _program(case)
    executor = Target("numpy").executor(program, np.zeros(program.param_size, np.float32))
    for rows in range(1, 40):
        executor.predict([np.zeros((rows, *case.shapes[0]), np.float32)], None, rows)
    assert len(executor._plans) <= interpreter.MAX_PLANS


def _program(case):
    from netlet.program import ProgramBuilder

    b = ProgramBuilder(case.dtype)
    return b.finish(b.dense(b.input(case.shapes[0]), b.param("kernel", case.params[0])))
