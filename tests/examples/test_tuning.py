"""``netlet.examples.tuning``: the settings that the search prefers are good ones."""

from __future__ import annotations

import re


def test_good_settings_are_found(run):
    done = run("tuning", "--trials", "3", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert float(re.search(r"^test accuracy: ([\d.]+)%$", done.stdout, re.MULTILINE).group(1)) > 93
    assert float(re.search(r"cross-validated accuracy ([\d.]+)%$", done.stdout, re.MULTILINE).group(1)) > 95
    grid = re.search(r"grid search.*\n(.*\n(?:.*\d\n){6})", done.stdout).group(1)
    losses = [float(line.split()[2]) for line in grid.splitlines()[1:]]
    assert losses == sorted(losses)
