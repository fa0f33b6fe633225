"""Student's t: SciPy's values."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats

from netlet.model_selection.student import incomplete_beta, two_sided_p


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 29, 99, 1000, 0.5])
@pytest.mark.parametrize("t", [0.0, 1e-3, 0.1, 1.0, 1.7, 2.3, 5.0, 40.0])
def test_p_is_that_of_scipy(t, freedom):
    want = 2 * stats.t.sf(t, freedom)
    assert two_sided_p(t, freedom) == pytest.approx(want, rel=1e-10, abs=1e-300)  # lgamma: some 1e-13 a term
    assert two_sided_p(-t, freedom) == two_sided_p(t, freedom)


@pytest.mark.parametrize("a", [0.1, 0.5, 3.0, 70.0])
@pytest.mark.parametrize("b", [0.5, 2.0, 40.0])
@pytest.mark.parametrize("x", [0.0, 1e-6, 0.2, 0.5, 0.93, 1.0])
def test_incomplete_beta_is_that_of_scipy(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("t", [1e-12, 1e-8, 0.3, 1.0, 1e6])
def test_one_degree_of_freedom_is_cauchys_distribution(t):
    assert two_sided_p(t, 1) == pytest.approx(2 / math.pi * math.atan(1 / t), rel=1e-12)


def test_ends():
    assert two_sided_p(math.inf, 3) == 0
    assert math.isnan(two_sided_p(math.nan, 3))
    with pytest.raises(ValueError, match="freedom: expected a positive number, got 0"):
        two_sided_p(1, 0)
