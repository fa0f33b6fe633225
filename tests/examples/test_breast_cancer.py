"""``netlet.examples.breast_cancer``: the diagnosis is good, calibrated and drawn."""

from __future__ import annotations

import re


def test_tumours_are_told_apart_and_drawn(run, tmp_path):
    done = run("breast_cancer", "--epochs", "40", "--output", "written", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = done.stdout
    assert float(re.search(r"^area under the ROC curve: ([\d.]+)$", text, re.MULTILINE).group(1)) > 0.985
    assert float(re.search(r"^calibration error: ([\d.]+)$", text, re.MULTILINE).group(1)) < 0.05
    found, alarmed = map(float, re.search(r"([\d.]+)% of these are found, ([\d.]+)% of others", text).groups())
    assert found >= 98
    assert alarmed < 15
    for name in ("roc", "calibration", "confusion_matrix"):
        assert (tmp_path / "written" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_missing_packages_are_named(run):
    done = run("breast_cancer", without=("matplotlib",))
    assert done.stderr == "error: this example needs matplotlib: pip install 'netlet[examples]'\n"
