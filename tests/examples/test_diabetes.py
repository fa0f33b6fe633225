"""``netlet.examples.diabetes``: explains about half of the variance, as linear regression does, and stops early."""

from __future__ import annotations

import re


def test_progression_is_predicted(run):
    done = run("diabetes", "--folds", "5", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = done.stdout
    # Least squares has R² 0.48 in cross-validation on these data.
    assert float(re.search(r"^mean R² of the folds: ([\d.]+)$", text, re.MULTILINE).group(1)) > 0.4
    # Of 89 patients R² scatters by about 0.1, as the folds of 35 do by 0.12: two deviations below 0.48.
    assert float(re.search(r"^test R²: ([\d.]+)$", text, re.MULTILINE).group(1)) > 0.28
    error, baseline = map(float, re.search(r"squared error ([\d.]+), of the training mean ([\d.]+)", text).groups())
    assert error < 0.72 * baseline
    least, most = map(int, re.search(r"early stopping after (\d+) to (\d+) of 300 epochs", text).groups())
    assert 15 < least <= most < 300
