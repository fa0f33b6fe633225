"""``History``: what is recorded, and the pictures that are drawn from it."""

from __future__ import annotations

import builtins
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

from netlet.callbacks import Callback
from netlet.models.history import History
from netlet.plotting import confusion_matrix, plot_confusion_matrix, plot_learning_curve


@pytest.fixture(autouse=True)
def no_window():
    with mpl.rc_context({"backend": "Agg"}):
        yield
        pyplot.close("all")


def recorded(*epochs: dict[str, float]) -> History:
    history = History()
    history.on_train_begin()
    for epoch, logs in enumerate(epochs):
        history.on_epoch_end(epoch, logs)
    return history


@pytest.fixture
def history() -> History:
    return recorded(
        {"loss": 2.0, "accuracy": 0.1, "val_loss": 2.1, "val_accuracy": 0.2},
        {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.2, "val_accuracy": 0.6},
        {"loss": 0.5, "accuracy": 0.9, "val_loss": 0.8, "val_accuracy": 0.7},
    )


def curves(ax: Axes) -> dict[str, list[float]]:
    return {str(line.get_label()): list(line.get_ydata()) for line in ax.lines}


def test_history_is_a_callback_that_records_floats_under_sorted_keys(history):
    assert isinstance(history, Callback)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.history["loss"] == [2.0, 1.0, 0.5]
    assert history.epoch == [0, 1, 2]
    assert "3 epochs" in repr(history) and "loss=0.5" in repr(history)


def test_numpy_scalars_become_floats():
    history = recorded({"loss": np.float32(0.5)})
    assert type(history.history["loss"][0]) is float


def test_keys_stay_sorted_and_the_dictionary_the_same_when_a_metric_comes_late():
    history = History()
    values = history.history
    history.on_epoch_end(0, {"loss": 1.0, "z": 1.0})
    history.on_epoch_end(1, {"loss": 0.9, "z": 2.0, "val_loss": 1.1})
    assert history.history is values
    assert list(values) == ["loss", "val_loss", "z"]
    assert values["val_loss"] == [1.1]


def test_array_metric_is_kept_and_not_shared():
    f1 = np.array([0.5, 1.0])
    history = recorded({"f1_score": f1})
    f1[:] = 0
    np.testing.assert_array_equal(history.history["f1_score"][0], [0.5, 1.0])
    assert curves(history.plot("f1_score")) == {"training": [0.75]}


def test_second_run_starts_afresh(history):
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 3.0})
    assert history.history == {"loss": [3.0]}
    assert history.epoch == [0]


def test_params_and_model_are_those_of_fit():
    history = History()
    history.set_params({"verbose": 1, "epochs": 2, "steps": 3})
    model = object()
    history.set_model(model)
    assert history.params == {"verbose": 1, "epochs": 2, "steps": 3}
    assert history.model is model


def test_plot_draws_one_axes_per_metric_with_both_curves(history):
    axes = history.plot()
    assert axes.shape == (2,)
    assert all(isinstance(ax, Axes) for ax in axes)
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]
    assert curves(axes[0]) == {"training": [2.0, 1.0, 0.5], "validation": [2.1, 1.2, 0.8]}
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["training", "validation"]
    assert axes[0].figure is axes[1].figure


def test_plot_of_one_metric_returns_its_axes(history):
    ax = history.plot("accuracy")
    assert isinstance(ax, Axes)
    assert curves(ax)["validation"] == [0.2, 0.6, 0.7]


def test_plot_counts_epochs_from_one(history):
    assert list(history.plot("loss").lines[0].get_xdata()) == [1, 2, 3]


def test_plot_puts_a_validation_every_second_epoch_where_it_belongs():
    history = recorded({"loss": 3.0}, {"loss": 2.0, "val_loss": 2.5}, {"loss": 1.0}, {"loss": 0.5, "val_loss": 1.5})
    training, validation = history.plot().lines
    assert list(training.get_xdata()) == [1, 2, 3, 4]
    assert list(validation.get_xdata()) == [2, 4]


def test_plot_of_a_validation_metric_alone(history):
    assert curves(history.plot("val_loss")) == {"training": [2.1, 1.2, 0.8]}


def test_plot_shows_a_single_epoch_as_a_point():
    assert recorded({"loss": 1.0}).plot().lines[0].get_marker() == "o"


def test_plot_draws_into_given_axes(history):
    figure, (left, right) = pyplot.subplots(1, 2)
    drawn = history.plot(["loss", "accuracy"], ax=[left, right])
    assert list(drawn) == [left, right]
    assert history.plot("loss", ax=left) is left
    assert pyplot.get_fignums() == [figure.number]


def test_plot_of_many_metrics_fills_rows_of_three():
    history = recorded(dict.fromkeys("abcd", 1.0))
    axes = history.plot()
    assert axes.shape == (4,)
    assert len(axes[0].figure.axes) == 4  # no empty frames


def test_plot_refuses_what_it_cannot_draw(history):
    with pytest.raises(ValueError, match=r"unknown metric 'acuracy'.* Did you mean 'accuracy'\?"):
        history.plot("acuracy")
    with pytest.raises(ValueError, match=r"ax: expected 2 Axes, one per metric \(loss, accuracy\), got 1"):
        history.plot(ax=pyplot.subplots()[1])
    with pytest.raises(ValueError, match="at least one name"):
        history.plot([])
    with pytest.raises(ValueError, match="no epoch was completed"):
        History().plot()


def test_missing_matplotlib_names_the_extra(history, monkeypatch):
    real_import = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(f"No module named {name!r}")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    for module in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ImportError, match=r"pip install 'netlet\[plot\]'"):
        history.plot()


def test_confusion_matrix_counts_true_rows_and_predicted_columns():
    matrix = confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 0, 2], num_classes=4)
    expected = [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(matrix, expected)
    assert matrix.dtype == np.int64


def test_confusion_matrix_agrees_with_scikit_learn():
    from sklearn.metrics import confusion_matrix as reference

    rng = np.random.default_rng(3)
    true, predicted = rng.integers(0, 7, size=(2, 500))
    np.testing.assert_array_equal(confusion_matrix(true, predicted), reference(true, predicted))


def test_confusion_matrix_of_nothing():
    assert confusion_matrix([], []).shape == (0, 0)
    np.testing.assert_array_equal(confusion_matrix([], [], num_classes=2), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("true", "predicted", "classes", "message"),
    [
        ([0, 1], [0], None, "y_pred: expected as many labels as y_true, 2, got 1"),
        ([0, 3], [0, 0], 3, r"y_true: expected labels in 0 .. 2, got 0 .. 3"),
        ([0, 1], [0, -1], None, r"y_pred: expected labels in 0 .. 1, got -1 .. 0"),
        ([0, 1], [0.5, 1.0], None, "y_pred: expected integer labels, got float64"),
        ([0, 1], [[0.1, 0.9], [0.8, 0.2]], None, r"y_pred: expected labels of shape \(N,\), got shape \(2, 2\)"),
        (["a"], [0], None, "y_true: expected integer labels"),
    ],
)
def test_confusion_matrix_refuses_what_are_not_labels(true, predicted, classes, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(true, predicted, classes)


def test_plot_confusion_matrix_writes_the_counts():
    ax = plot_confusion_matrix([[5, 1], [0, 4]], labels=["cat", "dog"])
    assert {(text.get_position(), text.get_text()) for text in ax.texts} == {
        ((0, 0), "5"),
        ((1, 0), "1"),
        ((1, 1), "4"),
    }
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["cat", "dog"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert ax.get_title() == "9 of 10 right"


def test_plot_confusion_matrix_draws_into_given_axes():
    _, ax = pyplot.subplots()
    assert plot_confusion_matrix(np.eye(3, dtype=int), ax=ax) is ax
    assert len(pyplot.get_fignums()) == 1


def test_plot_confusion_matrix_checks_its_arguments():
    with pytest.raises(ValueError, match=r"matrix: expected shape \(C, C\), got \(2, 3\)"):
        plot_confusion_matrix(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="labels: expected 2 names, one per class, got 3"):
        plot_confusion_matrix(np.eye(2), labels="abc")


def test_plot_learning_curve_makes_its_own_axes():
    ax = plot_learning_curve("mean_squared_error", {"training": ([1, 2], [0.5, 0.25])})
    assert ax.get_ylabel() == "mean squared error"
    assert ax.get_legend() is None


def test_fit_returns_a_history_that_plots():
    from netlet.layers import Dense
    from netlet.models import Sequential

    x = np.linspace(0.0, 1.0, 20)[:, None]
    model = Sequential([Dense(1, input_shape=(1,))])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    history = model.fit(x, 2 * x, epochs=4, batch_size=5, validation_split=0.25, verbose=0)
    assert isinstance(history, History)
    assert history.model is model
    assert history.params == {"verbose": 0, "epochs": 4, "steps": 3}
    assert history.epoch == [0, 1, 2, 3]
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert [ax.get_ylabel() for ax in history.plot()] == ["loss", "mae"]
