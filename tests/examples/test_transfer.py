"""``netlet.examples.transfer``: features of some digits, frozen, tell others apart; fine-tuned, better."""

from __future__ import annotations

import re

import pytest

from netlet.examples import transfer


def test_features_are_handed_on(run):
    done = run("transfer", backend="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    names = ("from scratch", "frozen features, new output", "fine-tuned")
    scratch, frozen, tuned = (
        float(re.search(rf"^{name}: ([\d.]+)%$", done.stdout, re.MULTILINE).group(1)) for name in names
    )
    assert frozen > 85  # chance is 20 %
    assert tuned > max(95, frozen)
    assert scratch > 95
    assert " Trainable params: 325 (1.27 KB)\n" in done.stdout  # the new output's alone


def test_too_many_images_are_refused():
    with pytest.raises(ValueError, match="there are no 500 images of each digit"):
        transfer.load_data(500, 0)
