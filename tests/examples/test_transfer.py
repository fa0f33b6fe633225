"""``netlet.examples.transfer``: features of clean images help with few noisy ones; those of other digits do not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from netlet.examples import transfer


def test_features_are_handed_on(run):
    done = run("transfer", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert " Trainable params: 650 (2.54 KB)\n" in done.stdout  # the new output's alone
    camera, digits = (done.stdout.partition(f"{name}:\n")[2] for name in transfer.TASKS)
    scratch, frozen, tuned, gain = (float(text) for text in re.findall(r"([-\d.]+)% ±", camera)[:4])
    assert 30 < scratch < frozen  # chance is 10 %
    assert tuned > scratch + 5
    assert gain == pytest.approx(tuned - scratch, abs=0.02)
    assert re.search(r"gain of fine-tuning .*: the transfer helped\n", camera)
    assert re.search(r"gain of fine-tuning .*: (no gain|it did harm)\n", digits)  # as its text says


@pytest.mark.parametrize(
    ("gains", "says"),
    [([0.1, 0.12, 0.11], "the transfer helped"), ([0.1, -0.1, 0.02], "no gain"), ([-0.1, -0.12, -0.11], "it did harm")],
)
def test_what_is_said_follows_from_the_spread(gains, says):
    results = np.array([[0.5, 0.6, 0.5 + gain] for gain in gains])
    lines = transfer.report("a task", results).splitlines()
    assert lines[0] == "a task:"
    assert lines[-1].endswith(f": {says}")
    assert f"{np.mean(gains):.2%} ± {np.std(gains, ddof=1):.2%}" in lines[-1]


def test_the_second_task_is_tested_on_images_that_were_not_trained_on():
    for make in transfer.TASKS.values():
        task = make(5, 0)
        assert len(task.few[0]) == 5 * task.classes[1]
        rows = [{row.tobytes() for row in images} for images, _ in (task.few, task.test)]
        assert not rows[0] & rows[1]


@pytest.mark.parametrize("make", transfer.TASKS.values(), ids=lambda make: make.__name__)
def test_too_many_images_are_refused(make):
    with pytest.raises(ValueError, match="there are no 500 images of each digit"):
        make(500, 0)


def test_one_seed_has_no_spread(capsys):
    with pytest.raises(SystemExit):
        transfer.main(["--seeds", "1"])
    assert "--seeds must be 2 or more" in capsys.readouterr().err
