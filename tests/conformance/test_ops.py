"""Every op, loss, metric and optimizer on every target, against the float64 reference, within derived bounds."""

from __future__ import annotations

import pytest

from netlet.program import all_specs
from netlet.program.case import Case
from netlet.testing import Target, all_cases, assert_close, targets


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_op_matches_reference(case: Case, target: Target) -> None:
    target.require(case)
    assert_close(target.run(case), case.reference(), within=case.tolerance)


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("spec", all_specs(), ids=lambda spec: f"{spec.family}:{spec.name}")
def test_aligned_arrays_give_the_same(spec, target: Target) -> None:
    """Kernels may take another path for aligned arrays, so each family runs on those too."""
    target.require(spec)
    cases = [case for case in all_cases(spec.name) if case.family == spec.family]
    cases = [case for case in cases if target.supports(spec, case.attrs)]
    assert cases, f"{spec.name} has no cases"
    for case in cases[:: max(1, len(cases) // 12)]:
        assert_close(target.run(case, aligned=True), case.reference(), within=case.tolerance)
