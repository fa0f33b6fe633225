"""Targets: a backend with its variant, as something that cases are run on."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import Executor, all_targets, make_executor, target_reason
from netlet.backends.registry import BACKENDS
from netlet.config import env_require
from netlet.errors import did_you_mean
from netlet.program import LOSSES, METRICS, Loss, Metric, Op, Optimizer, Param, Program, Value, metric_slices, sums_size
from netlet.program.case import Case
from netlet.program.spec import Attrs, Context, OpSpec, Shape, Spec, elements
from netlet.testing.guards import Guards

__all__ = ["Target", "targets"]

Results = dict[str, NDArray[Any]]


def _pack(entries: list[tuple[str, Shape]]) -> tuple[Param, ...]:
    """Parameters one after the other."""
    params, offset = [], 0
    for name, shape in entries:
        params.append(Param(name, shape, offset))
        offset += elements(shape)
    return tuple(params)


class Target:
    """A backend's variant, e.g. ``native:avx2``.

    Attributes:
        name: the target's name, as :func:`netlet.backends.make_executor` takes it.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Target({self.name!r})"

    def supports(self, spec: Spec, attrs: Attrs | None = None) -> bool:
        """Returns whether the target's backend has an op, loss, metric or optimizer, as the registry says."""
        return BACKENDS[self.name.partition(":")[0]].supports(spec, attrs)

    def reason(self, what: Case | Spec | str | None = None) -> str | None:
        """Returns why the target cannot run ``what`` (a case, a spec, an op's name; None: anything); None if it can."""
        backend = BACKENDS[self.name.partition(":")[0]]
        if isinstance(what, Case) and not self.supports(what.spec, what.attrs):
            return f"{backend.name} does not have {what.op} with {dict(what.attrs)}"
        if isinstance(what, Spec) and not self.supports(what):
            return f"{backend.name} does not have {what.name}"
        if isinstance(what, str) and what in backend.missing:
            return f"{backend.name} does not have {what}"
        return target_reason(self.name)

    def require(self, what: Case | Spec | str | None = None) -> None:
        """Skips the running test if the target cannot run ``what`` (see :meth:`reason`) here, with the reason.

        Where the environment variable ``NETLET_REQUIRE`` names the target, the test fails instead.
        """
        import pytest

        required = env_require()
        for name in required:
            if name not in all_targets():
                pytest.fail(f"NETLET_REQUIRE: there is no target {name!r}.{did_you_mean(name, all_targets())}")
        reason = self.reason(what)
        if reason is None:
            return
        if self.name in required:
            pytest.fail(f"{self.name} is required by NETLET_REQUIRE: {reason}")
        pytest.skip(f"{self.name}: {reason}")

    def executor(
        self,
        program: Program,
        params: NDArray[Any],
        slots: NDArray[Any] | None = None,
        state: NDArray[Any] | None = None,
    ) -> Executor:
        """Returns an executor of ``program`` over ``params``, with slots and state of 0 unless given."""
        if slots is None:
            slots = np.zeros((program.num_slots, program.param_size), program.dtype)
        if state is None:
            state = np.zeros(program.state_size, program.dtype)
        return make_executor(program, params, state, slots, target=self.name)

    def run(self, case: Case, aligned: bool = False) -> Results:
        """Runs a case in a Program of its own; returns its results by name.

        Every array that the executor is handed has guard bands, checked afterwards, and starts one element past a
        multiple of 64 bytes unless ``aligned``. Results that can be had in several ways are returned for each: ``y`` is
        that of predict for the whole batch, ``y@split`` that for batches of 2 rows, ``y@vjp`` that of vjp.
        """
        guards = Guards(aligned)
        results = {"op": self._op, "loss": self._loss, "metric": self._metric, "optimizer": self._optimizer}[
            case.family
        ](case, guards)
        guards.check()
        return results

    def _op(self, case: Case, guards: Guards) -> Results:
        spec = case.spec
        assert isinstance(spec, OpSpec)
        params = _pack(list(zip(spec.param_names, case.params, strict=False)))
        state = _pack(list(zip(spec.state_names, case.state_shapes, strict=True)))
        count = len(case.shapes)
        op = Op(spec.name, tuple(range(count)), count, tuple(range(len(params))), case.attrs, tuple(range(len(state))))
        program = Program(
            dtype=case.dtype,
            values=(*map(Value, case.input_names, case.shapes), Value("y", case.output_shape)),
            params=params,
            state=state,
            inputs=op.inputs,
            outputs=(count,),
            ops=(op,),
        )

        def arena(entries: tuple[Param, ...]) -> NDArray[Any]:
            return np.concatenate([np.empty(0, case.dtype), *(case.arrays[p.name].reshape(-1) for p in entries)])

        states = guards.inout("state", arena(state))
        executor = self.executor(program, guards.input("params", arena(params)), state=states)
        xs = [guards.input(name, case.arrays[name]) for name in case.input_names]
        results = {}
        if not case.training:  # predictions aren't
            for name, batch_size in (("y", case.batch), ("y@split", 2)):
                out = guards.output(name, (case.batch, *case.output_shape), case.dtype)
                executor.predict(xs, [out], batch_size)
                results[name] = out
        dy = case.arrays.get("dy", np.zeros((case.batch, *case.output_shape), case.dtype))
        dy = guards.input("dy", dy)
        for label in ("vjp", "vjp again"):  # gradients are overwritten, not added to those of the last call
            np.copyto(states, arena(state))
            ys, dxs, dparams = executor.vjp(xs, [dy], Context(case.training, case.iteration))
            results[f"y@{label}"] = ys[0]
            for s in state:
                results[f"{s.name}@{label}"] = states[s.offset : s.offset + s.size].reshape(s.shape).copy()
            if "dy" in case.arrays:
                for name, dx in zip(case.input_names, dxs, strict=True):
                    results[f"d{name}@{label}"] = dx
                for p in params:
                    results[f"d{p.name}@{label}"] = dparams[p.offset : p.offset + p.size].reshape(p.shape)
        return results

    def _loss(self, case: Case, guards: Guards) -> Results:
        values = (Value("x", case.shapes[0]),)
        loss = Loss(case.op, 0, None, case.attrs)
        program = Program(case.dtype, values, inputs=(0,), outputs=(0,), loss=loss)
        executor = self.executor(program, guards.input("params", np.empty(0, case.dtype)))
        x, y = guards.input("x", case.arrays["x"]), guards.input("y", case.arrays["y"])
        weight = guards.input("weight", case.arrays["weight"]) if case.weighted else None
        results: Results = {}

        def gradients(made: Executor, label: str) -> None:
            value, _, dxs = made.gradients([x], y, weight)
            results[f"loss@{label}"], results[f"dx@{label}"] = np.asarray(value), dxs[0]

        def evaluate(made: Executor, label: str, batch_size: int) -> None:
            sums = guards.inout("sums", np.zeros(sums_size(made.program)))
            made.evaluate([x], y, weight, batch_size=batch_size, sums=sums)
            assert sums[1] == case.batch, f"evaluate counted {sums[1]} rows of {case.batch}"
            results[f"loss@{label}"] = np.asarray(sums[0] / case.batch)

        gradients(executor, "gradients")
        gradients(executor, "gradients again")
        evaluate(executor, "evaluate", case.batch)
        per_row = LOSSES[case.op].per_row_for(case.attrs)
        if per_row:
            evaluate(executor, "evaluate split", 3)
            rows = np.empty(case.batch)
            for b in range(case.batch):
                sums = guards.inout("sums", np.zeros(2))
                executor.evaluate([x[b : b + 1]], y[b : b + 1], None, batch_size=1, sums=sums)
                rows[b] = sums[0]
            results["losses"] = rows
        fuses = LOSSES[case.op].fuses
        if fuses is not None and case.attrs["from_logits"]:  # once more, with the probabilities as the output
            attrs = {"activation": "sigmoid"} if fuses == "sigmoid" else {}
            op = Op("activation" if attrs else fuses, (0,), 1, (), attrs)
            fused = Program(
                dtype=case.dtype,
                values=(*values, Value("p", case.shapes[0])),
                inputs=(0,),
                outputs=(1,),
                ops=(op,),
                loss=Loss(case.op, 0, 1, case.attrs),
            )
            made = self.executor(fused, guards.input("params", np.empty(0, case.dtype)))
            gradients(made, "fused")
            evaluate(made, "evaluate fused", 3 if per_row else case.batch)
        return results

    def _metric(self, case: Case, guards: Guards) -> Results:
        y = guards.input("y", case.arrays["y"])
        integer = y.dtype == np.int32
        loss = (
            Loss("sparse_categorical_crossentropy", 0, None, {"from_logits": True})
            if integer
            else Loss("mean_squared_error", 0)
        )
        # twice, with another between: each adds to its own slice of the sums
        other = Metric("sparse_categorical_accuracy" if integer else "mean_absolute_error", 0)
        metric = Metric(case.op, 0, case.attrs)
        program = Program(
            case.dtype,
            (Value("x", case.shapes[0]),),
            inputs=(0,),
            outputs=(0,),
            loss=loss,
            metrics=(metric, other, metric),
        )
        executor = self.executor(program, guards.input("params", np.empty(0, case.dtype)))
        x = guards.input("x", case.arrays["x"])
        first, _, second = metric_slices(program)
        assert first.stop - first.start == METRICS[case.op].size(case.shapes[0], case.attrs)
        results = {}
        for name, batch_size in (("sums", case.batch), ("sums@split", 2)):
            sums = guards.inout("sums", np.zeros(sums_size(program)))
            for _ in range(2):  # calls add to what is there
                executor.evaluate([x], y, None, batch_size=batch_size, sums=sums)
            results[f"{name}@first" if "@" not in name else f"{name} first"] = sums[first] / 2
            results[name] = sums[second] / 2
        return results

    def _optimizer(self, case: Case, guards: Guards) -> Results:
        # No op reads the parameters: what moves them is `apply`.
        params = _pack([(f"w{i}", shape) for i, shape in enumerate(case.shapes)])
        program = Program(
            dtype=case.dtype,
            values=(Value("x", (1,)),),
            params=params,
            inputs=(0,),
            outputs=(0,),
            optimizer=Optimizer(case.op, case.attrs),
        )
        w = guards.inout("w", case.arrays["w"])
        slots = guards.inout("slots", case.arrays["slots"])
        executor = self.executor(program, w, slots)
        first = int(case.arrays["iteration"][0])
        for k, (g, rate) in enumerate(zip(case.arrays["g"], case.arrays["learning_rate"], strict=True)):
            executor.apply(guards.input("g", g), float(rate), first + k)
        return {"w": w, "slots": slots}


def targets() -> list[Target]:
    """Every target that the conformance tests run on, in the order of increasing cleverness.

    Those that cannot run here are among them: :meth:`Target.require` says why, so that nothing is silently left out.
    """
    arm = platform.machine().lower() in ("aarch64", "arm64")
    variants = ("neon",) if arm else ("baseline", "avx2", "avx512")
    return [Target("numpy"), Target("numba"), *(Target(f"native:{variant}") for variant in variants)]
