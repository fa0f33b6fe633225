"""``netlet.examples.digits``: it learns, reports, draws and saves, on every backend."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from netlet.examples._report import matrix_table, score_table, scores
from netlet.models import load_model
from netlet.plotting import confusion_matrix


def test_digits_is_learned_reported_drawn_and_saved(run, backend, tmp_path):
    done = run("digits", "--output", "written", backend=backend)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = done.stdout

    accuracy = float(re.search(r"^test accuracy: ([\d.]+)%$", text, re.MULTILINE).group(1))
    assert accuracy >= 97.0
    precision, recall, f1 = map(float, re.search(r"macro average +(\S+) +(\S+) +(\S+) +360\n", text).groups())
    assert min(precision, recall, f1) >= 0.97
    assert len(re.findall(r"^ +\d +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +\d+$", text, re.MULTILINE)) == 10
    matrix = re.search(r"^true\\predicted.*\n((?: .*\n){10})", text, re.MULTILINE).group(1)
    counts = np.array([line.replace(".", "0").split()[1:] for line in matrix.splitlines()], int)
    assert counts.shape == (10, 10)
    assert counts.sum() == 360
    assert np.trace(counts) / 360 == pytest.approx(accuracy / 100, abs=1e-4)

    assert "Epoch 30/30\n" in text
    assert "\x1b" not in text and "\r" not in text  # no terminal, no control characters
    assert " Total params: 17,226 (67.29 KB)\n" in text
    for name in ("learning_curve.png", "confusion_matrix.png"):
        assert (tmp_path / "written" / name).read_bytes().startswith(b"\x89PNG")
    assert "predicts the same bits" in text
    assert load_model(tmp_path / "written" / "digits.netlet").name == "digits"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["written"]  # nothing elsewhere


def test_digits_repeats_itself(run, tmp_path):
    first, second = (run("digits", "--epochs", "2", "--seed", "5").stdout for _ in range(2))
    without_times = re.compile(r"\d+s \d+[mu]?s/step")
    assert without_times.sub("", first) == without_times.sub("", second)
    assert run("digits", "--epochs", "2", "--seed", "6").stdout != first


@pytest.mark.parametrize(
    ("absent", "named"),
    [(("sklearn",), "scikit-learn"), (("matplotlib",), "matplotlib"),
     (("sklearn", "matplotlib"), "scikit-learn and matplotlib")],
)  # fmt: skip
def test_missing_package_is_one_line_that_says_what_to_install(run, absent, named):
    done = run("digits", without=absent)
    assert done.returncode == 1
    assert done.stderr == f"error: this example needs {named}: pip install 'netlet[examples]'\n"
    assert done.stdout == ""


def test_unknown_backend_is_one_line(run):
    done = run("digits", "--backend", "nump")
    assert done.returncode == 1
    assert done.stderr.startswith("error: NETLET_BACKEND: unknown backend 'nump'. Did you mean 'numpy'?")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("epochs", ["0", "-3", "many"])
def test_bad_epochs_are_refused(run, epochs):
    done = run("digits", "--epochs", epochs)
    assert done.returncode == 2
    assert "argument --epochs" in done.stderr


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 6, 300)
    predicted = np.where(rng.random(300) < 0.3, rng.integers(0, 5, 300), true)  # class 5 only where it is right
    found = scores(confusion_matrix(true, predicted, 7))  # class 6 never occurs
    with pytest.warns(UserWarning, match="ill-defined"):
        precision, recall, f1, support = precision_recall_fscore_support(true, predicted, labels=range(7))
    np.testing.assert_allclose(found.precision, precision, rtol=1e-12)
    np.testing.assert_allclose(found.recall, recall, rtol=1e-12)
    np.testing.assert_allclose(found.f1, f1, rtol=1e-12)
    np.testing.assert_array_equal(found.support, support)
    assert found.accuracy == accuracy_score(true, predicted)


def test_tables_are_aligned():
    matrix = np.array([[10, 0], [2, 100]])
    names = ["cat", "a long name"]
    assert {len(line) for line in score_table(scores(matrix), names).splitlines()} == {51}
    assert matrix_table(matrix, names).splitlines() == [
        "true\\predicted  cat  a long name",
        "           cat   10            .",
        "   a long name    2          100",
    ]
