"""``cross_validate``, ``compare`` and ``search``: scores of rows that were not trained on, and honest tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from netlet import Input, Model, Sequential
from netlet.layers import Concatenate, Dense
from netlet.model_selection import compare, corrected_t_test, cross_validate, make_folds, search
from netlet.optimizers import SGD


def rows(n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, 3)).astype(np.float32)
    return x, (x @ [1.0, -2.0, 0.5] + 0.1 * rng.standard_normal(n)).astype(np.float32)


def linear(rate: float = 0.05) -> Sequential:
    model = Sequential([Input((3,)), Dense(1)])
    model.compile(optimizer=SGD(rate), loss="mse", metrics=["mae"])
    return model


def test_scores_are_those_of_a_loop_by_hand():
    from netlet import set_random_seed

    x, y = rows()
    found = cross_validate(linear, x, y, cv=3, epochs=4, batch_size=16, seed=7)
    for i, fold in enumerate(make_folds(3, x, y, seed=7)):
        set_random_seed(7 + i)
        model = linear()
        model.fit(x[fold.train], y[fold.train], epochs=4, batch_size=16, verbose=0)
        loss, mae = model.evaluate(x[fold.test], y[fold.test], verbose=0)
        assert found.scores["loss"][i] == loss
        assert found.scores["mae"][i] == mae
    assert list(found.scores) == ["loss", "mae"]
    assert found.mean() == pytest.approx(found.scores["loss"].mean(), rel=1e-15)
    assert found.std("mae") == pytest.approx(np.std(found.scores["mae"], ddof=1), rel=1e-12)
    np.testing.assert_array_equal(found.epochs, [4, 4, 4])
    assert all(len(history.history["loss"]) == 4 for history in found.histories)


def test_scoring_prepare_and_callbacks_are_used_for_each_fold():
    from netlet.callbacks import Callback

    x, y = rows()
    seen = []

    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    def prepare(x_train):
        seen.append(len(x_train))
        mean = x_train.mean(axis=0)
        return lambda rows: rows - mean

    found = cross_validate(
        linear, x, y, cv=3, epochs=9, prepare=prepare, callbacks=lambda: [Stop()],
        scoring={"bias": lambda true, guess: float(np.mean(guess[:, 0] - true))},
    )  # fmt: skip
    assert seen == [60, 60, 60]
    np.testing.assert_array_equal(found.epochs, [2, 2, 2])
    assert np.all(np.abs(found.scores["bias"]) < 1)


def test_several_inputs_are_split_together():
    x, y = rows()

    def graph() -> Model:
        a, b = Input((2,), name="a"), Input((1,), name="b")
        model = Model([a, b], Dense(1)(Concatenate()([a, b])))
        model.compile(optimizer=SGD(0.05), loss="mse")
        return model

    named = cross_validate(graph, {"a": x[:, :2], "b": x[:, 2:]}, y, cv=3, epochs=20)
    listed = cross_validate(graph, [x[:, :2], x[:, 2:]], y, cv=3, epochs=20)
    np.testing.assert_array_equal(named.scores["loss"], listed.scores["loss"])
    assert named.mean() < 0.5 * np.var(y)


def test_unknown_metric_is_named():
    x, y = rows(30)
    found = cross_validate(linear, x, y, cv=2)
    with pytest.raises(ValueError, match=r"unknown metric 'los'. Did you mean 'loss'\?"):
        found.mean("los")


def test_tables_are_aligned():
    x, y = rows(30)
    found = cross_validate(linear, x, y, cv=2)
    assert len({len(line) for line in found.table().splitlines()}) == 1
    compared = compare({"a": linear, "longer": lambda: linear(0.001)}, x, y, cv=2)
    assert len({len(line) for line in str(compared).splitlines()[1:]}) == 1
    searched = search(linear, {"rate": [0.1, 0.01]}, x, y, cv=2)
    assert len({len(line) for line in str(searched).splitlines()}) == 1


# The test of Nadeau and Bengio


def test_statistic_is_the_formula():
    a, b = np.array([0.81, 0.84, 0.79, 0.88, 0.83]), np.array([0.80, 0.80, 0.78, 0.83, 0.84])
    d = a - b
    found = corrected_t_test(a, b, 0.25)
    want = d.mean() / math.sqrt((1 / 5 + 1 / 4) * d.var(ddof=1))
    assert found.difference == pytest.approx(0.02, rel=1e-12)
    assert found.t == pytest.approx(want, rel=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(want, 4), rel=1e-10)
    plain = stats.ttest_rel(a, b)
    assert found.t == pytest.approx(plain.statistic * math.sqrt((1 / 5) / (1 / 5 + 1 / 4)), rel=1e-12)
    assert found.p > plain.pvalue


def test_constant_differences_have_an_answer():
    same = corrected_t_test([1.0, 2.0], [1.0, 2.0], 0.5)
    assert (same.difference, same.p) == (0, 1)
    assert math.isnan(same.t)
    assert corrected_t_test([1.0, 2.0], [2.0, 3.0], 0.5) == (-1, -math.inf, 0)


def test_test_seldom_finds_what_is_not_there():
    """On overlapping training sets the plain t-test errs far more often than its level of 5 %; this one does not.

    Each "model" predicts the training mean plus noise of its own that depends on the training rows: equally good.
    """
    rng = np.random.default_rng(0)
    wrong = {"corrected": 0, "plain": 0}
    rounds, n = 400, 40
    for _ in range(rounds):
        y, direction = rng.standard_normal(n), rng.standard_normal((2, n))
        scores = []
        for fold in range(10):  # random halves, the worst case of overlap
            order = np.random.default_rng(fold).permutation(n)
            train, test = order[:20], order[20:]
            scores.append([np.mean((y[test] - direction[m, train].mean()) ** 2) for m in (0, 1)])
        a, b = np.array(scores).T
        wrong["corrected"] += corrected_t_test(a, b, 1.0).p < 0.05
        wrong["plain"] += stats.ttest_rel(a, b).pvalue < 0.05
    assert wrong["corrected"] < 0.10 * rounds < wrong["plain"]


@pytest.mark.parametrize(
    ("a", "b", "share", "message"),
    [
        ([1.0], [2.0], 0.5, "K of at least 2"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], 0.5, "expected the same shape"),
        ([1.0, np.nan], [1.0, 2.0], 0.5, "not finite"),
        ([1.0, 2.0], [1.0, 3.0], 0.0, "test_share: expected a positive number"),
    ],
)
def test_bad_scores_are_named(a, b, share, message):
    with pytest.raises(ValueError, match=message):
        corrected_t_test(a, b, share)


def test_compare_trains_on_the_same_folds_and_ranks():
    x, y = rows()
    models = {"slow": lambda: linear(0.0005), "fast": linear}
    found = compare(models, x, y, cv=5, epochs=20)
    assert found.baseline == "slow"
    assert found.ranking() == ["fast", "slow"]
    assert found.best == "fast"
    for a, b in zip(found.results["slow"].folds, found.results["fast"].folds, strict=True):
        np.testing.assert_array_equal(a.test, b.test)
    test = found.test("fast", "slow")
    assert test == corrected_t_test(found.scores("fast"), found.scores("slow"), 18 / 72)
    assert test.difference < 0
    assert 0 < test.p < 0.5
    assert found.table().splitlines()[2].startswith("fast")
    twins = compare({"a": linear, "b": linear}, x, y, cv=3, metric="mae")
    assert twins.test("a", "b").p == 1


def test_accuracy_is_better_when_it_is_higher():
    x, y = rows()

    def classifier(rate: float) -> Sequential:
        model = Sequential([Input((3,)), Dense(1, activation="sigmoid")])
        model.compile(optimizer=SGD(rate), loss="binary_crossentropy", metrics=["accuracy"])
        return model

    models = {"stuck": lambda: classifier(1e-9), "learns": lambda: classifier(0.5)}
    found = compare(models, x, (y > 0).astype(int), metric="accuracy", cv=3, epochs=10)
    assert not found.lower_is_better
    assert found.best == "learns"


def test_compare_refuses_what_it_cannot_compare():
    x, y = rows(30)
    with pytest.raises(ValueError, match="expected at least one, got none"):
        compare({}, x, y)
    with pytest.raises(ValueError, match=r"unknown model 'liner'. Did you mean 'linear'\?"):
        compare({"linear": linear}, x, y, baseline="liner")
    with pytest.raises(ValueError, match="unknown metric 'accuracy'"):
        compare({"linear": linear}, x, y, metric="accuracy", cv=2)
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        compare({"linear": linear}, x, y, cv=[(np.arange(20), np.arange(20, 30))])


def test_grid_search_tries_all_and_random_search_some():
    x, y = rows()
    grid = search(linear, {"rate": [1e-5, 0.05, 0.001]}, x, y, cv=3, epochs=10)
    assert grid.best == {"rate": 0.05}
    assert [trial.settings["rate"] for trial in grid.trials] == [0.05, 0.001, 1e-5]
    few = search(linear, {"rate": [0.1, 0.05, 0.01, 0.001]}, x, y, cv=3, trials=3)
    assert len({trial.settings["rate"] for trial in few.trials}) == 3
    assert len(search(linear, {"rate": [0.1, 0.05]}, x, y, cv=2, trials=9).trials) == 2
    drawn = search(linear, {"rate": lambda rng: rng.uniform(0.01, 0.1)}, x, y, cv=3, trials=3)
    assert all(0.01 <= trial.settings["rate"] <= 0.1 for trial in drawn.trials)
    assert len({trial.settings["rate"] for trial in drawn.trials}) == 3


@pytest.mark.parametrize(
    ("settings", "trials", "message"),
    [
        ({}, None, "expected at least one, got none"),
        ({"rate": []}, None, "'rate': expected a list of values"),
        ({"rate": "0.1"}, None, "'rate': expected a list of values"),
        ({"rate": lambda rng: 0.1}, None, "needs a number of trials"),
        ({"rate": [0.1]}, 0, "trials: expected a positive int or None, got 0"),
    ],
)
def test_bad_settings_are_named(settings, trials, message):
    x, y = rows(30)
    with pytest.raises(ValueError, match=message):
        search(linear, settings, x, y, trials=trials)
