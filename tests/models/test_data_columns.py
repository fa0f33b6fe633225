"""A model that was fitted on a data frame takes later frames by the names of their columns."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import netlet
from netlet import Model, ModelFormatError, Sequential
from netlet.layers import Concatenate, Dense, Input
from netlet.models.columns import check_columns, columns_of, in_order

pytestmark = pytest.mark.usefixtures("numpy_backend")

NAMES = list("abcdef")


@pytest.fixture
def frame(rows: Any) -> pd.DataFrame:
    return pd.DataFrame(rows[0], columns=NAMES)


@pytest.fixture
def fitted(frame: pd.DataFrame, rows: Any, make_classifier: Any) -> Sequential:
    model: Sequential = make_classifier(metrics=["accuracy"])
    model.fit(frame, rows[1], verbose=0)
    return model


def test_columns_in_another_order_are_reordered(fitted: Sequential, frame: pd.DataFrame, rows: Any) -> None:
    x, y = rows
    shuffled = frame[list("fbdcae")]
    want = fitted.predict(x)
    for predict in (fitted.predict, fitted.predict_on_batch, fitted, fitted.predictor()):
        assert np.array_equal(predict(shuffled), want)
    assert np.array_equal(fitted.predict(iter([shuffled])), want)
    assert fitted.evaluate(shuffled, y, verbose=0) == fitted.evaluate(x, y, verbose=0)
    assert fitted.test_on_batch(shuffled, y) == fitted.test_on_batch(x, y)
    assert fitted.fit(frame, y, verbose=0, validation_data=(shuffled, y)).history["val_loss"] == [
        fitted.evaluate(x, y, verbose=0)[0]
    ]


def test_training_goes_on_by_name(frame: pd.DataFrame, rows: Any, make_classifier: Any) -> None:
    weights = []
    for second in (frame, frame[NAMES[::-1]]):
        netlet.set_random_seed(1)
        model = make_classifier()
        model.fit(frame, rows[1], verbose=0)
        model.fit(second, rows[1], verbose=0)
        model.train_on_batch(second, rows[1])
        weights.append([w.tobytes() for w in model.get_weights()])
    assert weights[0] == weights[1]


def test_missing_and_unexpected_columns_are_named(fitted: Sequential, frame: pd.DataFrame) -> None:
    before = fitted.get_weights()
    with pytest.raises(ValueError, match="x: the frame lacks columns that the model was fitted with: 'b', 'e'"):
        fitted.predict(frame.rename(columns={"b": "B", "e": "E"}))
    with pytest.raises(ValueError, match="columns that the model was not fitted with: 'extra'"):
        fitted.predict(frame.assign(extra=1.0))
    with pytest.raises(ValueError, match="lacks columns"):
        fitted.fit(frame[["a"]], np.zeros(50), verbose=0)
    assert all((a == b).all() for a, b in zip(before, fitted.get_weights(), strict=True))


def test_what_has_no_names_is_taken_as_it_is(fitted: Sequential, rows: Any) -> None:
    want = fitted.predict(rows[0])
    assert np.array_equal(fitted.predict(pd.DataFrame(rows[0])), want)
    assert np.array_equal(fitted.predict(rows[0].tolist()), want)


def test_names_are_saved_with_the_model(
    fitted: Sequential, frame: pd.DataFrame, rows: Any, make_classifier: Any, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "m.safetensors")
    want = fitted.predict(rows[0])
    for copy in (netlet.load_model(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(fitted))):
        assert np.array_equal(copy.predict(frame[NAMES[::-1]]), want)
        with pytest.raises(ValueError, match="lacks columns"):
            copy.predict(frame.rename(columns={"a": "A"}))
    nameless = make_classifier()
    nameless.fit(*rows, verbose=0)
    nameless.save(tmp_path / "n.safetensors")
    assert netlet.load_model(tmp_path / "n.safetensors")._columns is None


def test_a_file_with_other_things_for_names_is_refused(fitted: Sequential, tmp_path: Path) -> None:
    for value in ("abc", [1], {"a": 3}, 7):
        with pytest.raises(ValueError, match="expected names of columns"):
            check_columns(value)
    fitted._columns = {"a": 3}
    fitted.save(tmp_path / "m.safetensors")
    with pytest.raises(ModelFormatError, match="expected names of columns"):
        netlet.load_model(tmp_path / "m.safetensors")


def test_a_failed_fit_remembers_nothing(frame: pd.DataFrame, make_classifier: Any) -> None:
    model = make_classifier()
    with pytest.raises(ValueError, match="y has 3"):
        model.fit(frame, np.zeros(3), verbose=0)
    assert model._columns is None


def test_frames_in_batches_are_remembered_too(frame: pd.DataFrame, rows: Any, make_classifier: Any) -> None:
    model = make_classifier()
    model.fit([(frame, rows[1])].__iter__(), verbose=0)
    with pytest.raises(ValueError, match="lacks columns"):
        model.predict(frame[["a"]])


def test_each_input_has_columns_of_its_own(frame: pd.DataFrame) -> None:
    inputs = [Input((2,), name="left"), Input((4,), name="right")]
    model = Model(inputs, Dense(1)(Concatenate()(inputs)))
    model.compile("sgd", "mse")
    left, right = frame[["a", "b"]], frame[list("cdef")]
    model.fit({"left": left, "right": right}, np.zeros(50), verbose=0)
    want = model.predict({"left": left, "right": right})
    turned = {"right": right[list("fedc")], "left": left[["b", "a"]]}
    assert np.array_equal(model.predict(turned), want)
    with pytest.raises(ValueError, match=r"x\['left'\]: the frame lacks .*: 'a'"):
        model.predict({"left": left[["b"]], "right": right})


def test_numbered_or_repeated_columns_are_no_names() -> None:
    assert columns_of(pd.DataFrame(np.ones((2, 2)))) is None
    assert columns_of(pd.DataFrame(np.ones((2, 2)), columns=["a", "a"])) is None
    assert columns_of(np.ones((2, 2))) is None
    frame = pd.DataFrame(np.ones((2, 2)), columns=["a", "b"])
    assert columns_of([frame, np.ones(2)]) == {"0": ["a", "b"], "1": None}
    assert in_order(frame, ["a", "b"]) is frame
