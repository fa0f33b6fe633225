"""``netlet.examples.linear_regression``: the script is the original one, and it finds the least-squares line."""

from __future__ import annotations

import inspect
import re
import textwrap

import numpy as np
import pytest

from netlet.examples import linear_regression

# Written for Keras; with "keras" for "netlet" it runs there.
SCRIPT = """\
import numpy as np
from netlet.models import Sequential
from netlet.layers import Dense
X = np.random.rand(100, 1); y = 3 * X + 2 + np.random.rand(100, 1)
X_norm = X / np.max(X); y_norm = y / np.max(y)
X_norm = np.hstack((np.ones((100, 1)), X_norm))
model = Sequential()
model.add(Dense(units=1, input_shape=(2,), activation='linear'))
model.compile(optimizer='sgd', loss='mean_squared_error')
model.fit(X_norm, y_norm, epochs=100, batch_size=10)
"""


def test_the_script_is_unchanged():
    source = inspect.getsource(linear_regression.train)
    body = source[source.index("# fmt: off\n") + len("# fmt: off\n") : source.index("    # fmt: on")]
    assert textwrap.dedent(body) == SCRIPT


def test_the_script_runs_by_itself(capsys):
    names: dict[str, object] = {}
    exec(compile(SCRIPT, "script", "exec"), names)
    assert names["model"].count_params() == 3  # type: ignore[attr-defined]
    assert capsys.readouterr().out.count("10/10 ━") == 100


def test_converged_sgd_is_least_squares(run, backend):
    done = run("linear_regression", backend=backend)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Epoch 100/100\n" in done.stdout
    rows = re.findall(
        r"^(SGD, 100 epochs|SGD, converged|least squares) +(\S+) +(\S+) +(\S+)$", done.stdout, re.MULTILINE
    )
    lines = {name: np.array(values, float) for name, *values in rows}
    np.random.seed(0)  # noqa: NPY002
    x = np.random.rand(100, 1)  # noqa: NPY002
    y = 3 * x + 2 + np.random.rand(100, 1)  # noqa: NPY002
    slope, intercept = np.polyfit((x / x.max())[:, 0], (y / y.max())[:, 0], 1)
    assert lines["least squares"][:2] == pytest.approx([intercept, slope], abs=1e-6)  # six digits are printed
    assert lines["SGD, converged"][:2] == pytest.approx([intercept, slope], abs=linear_regression.CONVERGED_WITHIN)
    # The script's 100 epochs are on the way: better than any constant, but no line beats least squares.
    assert lines["least squares"][2] <= lines["SGD, converged"][2] <= lines["SGD, 100 epochs"][2]
    assert lines["SGD, 100 epochs"][2] < np.var(y / y.max())


def test_other_seeds_converge_too(run):
    for seed in ("1", "2"):
        assert run("linear_regression", "--seed", seed).returncode == 0
