"""``netlet.examples.recommender``: tastes are learned, and predict better than biases alone."""

from __future__ import annotations

import re


def test_tastes_are_learned(run):
    done = run("recommender", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = dict(re.findall(r"^test RMSE, (.*): ([\d.]+)$", done.stdout, re.MULTILINE))
    mean, biases, tastes = map(
        float, (found["the mean rating for all"], found["biases only"], found["biases and tastes"])
    )
    assert tastes < 0.75 * biases < 0.75 * mean
    assert tastes > 0.38  # no one can be better than the noise of 0.4, but for luck in some 3000 ratings
    assert "Connected to" in done.stdout
    assert len(re.findall(r"item \d+ \(\d\.\d\)", done.stdout)) == 5
