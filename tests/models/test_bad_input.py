"""Bad input: each public argument, each defect: the right exception, naming what was expected and what came, and the
model as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from netlet import Input, Sequential
from netlet.callbacks import Callback
from netlet.errors import NotBuiltError, NotCompiledError
from netlet.layers import Activation, Dense, Flatten, InputLayer, Layer, Reshape
from netlet.metrics import Mean
from netlet.optimizers import Optimizer
from netlet.utils import clear_session

pytestmark = pytest.mark.usefixtures("numpy_backend")

N = 20
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 6)).astype(np.float32)
Y = RNG.integers(0, 4, N)
ONE_HOT = np.eye(4)[Y]

NAN_ROW = X.copy()
NAN_ROW[3, 2] = np.nan

# argument -> (what is given, the exception, part of its message)
BAD_X: list[tuple[Any, type[Exception], str]] = [
    (None, TypeError, "x: expected an array of numbers, got NoneType"),
    ("rows", TypeError, "x: expected an array of numbers, got str"),
    ({"x": X}, TypeError, "x: expected an array of numbers, got dict"),
    ({1, 2}, TypeError, "x: expected an array of numbers, got set"),
    (3.5, ValueError, r"dense: input has shape \(\), expected \(None, 6\)"),
    (X[0], ValueError, r"dense: input has shape \(6,\), expected \(None, 6\)"),
    (X[:, :5], ValueError, r"dense: input has shape \(20, 5\), expected \(None, 6\)"),
    (X[:, None], ValueError, r"dense: input has shape \(20, 1, 6\), expected \(None, 6\)"),
    (X[:0], ValueError, "x: has no rows"),
    ([], ValueError, r"dense: input has shape \(0,\), expected \(None, 6\)"),
    ([[1, 2], [3]], ValueError, "x: cannot be made into an array"),
    ([X, X], ValueError, r"dense: input has shape \(2, 20, 6\), expected \(None, 6\)"),
    ([X, X[:, :2]], ValueError, "x: cannot be made into an array"),
    (X.astype(complex), TypeError, "x: expected real numbers, got an array of complex128"),
    (X.astype(object), TypeError, "x: expected real numbers, got an array of object"),
    (X.astype(str), TypeError, "x: expected real numbers, got an array of <U32"),
    ([["1"] * 6] * N, TypeError, "x: expected real numbers, got an array of <U1"),
    (X.astype("datetime64[s]"), TypeError, "x: expected real numbers, got an array of datetime64"),
    (np.zeros(N, [("a", "f4")]), TypeError, "x: expected real numbers"),
    (pd.DataFrame(X).assign(name="a"), TypeError, "x: column 'name' has dtype .*, expected numbers"),
    (np.ma.masked_greater(X, 0), ValueError, "x: masked arrays"),
]
BAD_Y: list[tuple[Any, type[Exception], str]] = [
    (None, ValueError, "y is None, expected labels"),
    ("labels", TypeError, "y: expected an array of numbers, got str"),
    (2, ValueError, r"y: has shape \(\), sparse_categorical_crossentropy expects \(None,\)"),
    (ONE_HOT, ValueError, r"y: has shape \(20, 4\), .* expects \(None,\); for one-hot labels use categorical_cross"),
    (Y[:, None, None], ValueError, r"y: has shape \(20, 1, 1\)"),
    (Y[:10], ValueError, "x has 20 rows, y has 10"),
    (Y[:0], ValueError, "y: has no rows"),
    ([[1], [2, 3]], ValueError, "y: cannot be made into an array"),
    (np.where(np.arange(N) == 7, 4, Y), ValueError, r"y: label 4 at row 7 is not a class number in \[0, 4\)"),
    (np.where(np.arange(N) == 7, -1, Y), ValueError, r"y: label -1 at row 7"),
    (np.where(np.arange(N) == 7, 1.5, Y), ValueError, r"y: label 1.5 at row 7"),
    (np.where(np.arange(N) == 7, np.nan, Y), ValueError, r"y: label nan at row 7"),
    (np.where(np.arange(N) == 7, np.inf, Y), ValueError, r"y: label inf at row 7"),
    (np.where(np.arange(N) == 7, 2**40, Y), ValueError, r"y: label 1099511627776 at row 7"),
    (Y.astype(np.uint64) + np.uint64(2**63), ValueError, "y: label 92233720368547758"),
    (Y.astype(object), TypeError, "y: expected real numbers, got an array of object"),
    (Y.astype(str), TypeError, "y: expected real numbers, got an array of <U"),
    (Y + 0j, TypeError, "y: expected real numbers, got an array of complex128"),
    (pd.Series(["cat"] * N), TypeError, "y: expected real numbers"),
]
BAD_WEIGHT: list[tuple[Any, type[Exception], str]] = [
    ("heavy", TypeError, "sample_weight: expected an array of numbers, got str"),
    (1.0, ValueError, r"sample_weight: has shape \(\), expected \(20,\)"),
    (np.ones(19), ValueError, r"sample_weight: has shape \(19,\), expected \(20,\)"),
    (np.ones((N, 2)), ValueError, r"sample_weight: has shape \(20, 2\), expected \(20,\)"),
    (np.ones(N, complex), TypeError, "sample_weight: expected real numbers"),
    ([None] * N, TypeError, "sample_weight: expected real numbers"),
]
BAD_CLASS_WEIGHT: list[tuple[Any, type[Exception], str]] = [
    ([1.0, 2.0], TypeError, "class_weight: expected a dict"),
    ("balanced", TypeError, "class_weight: expected a dict"),
    ({"cat": 1.0}, TypeError, "class_weight: expected class numbers as keys, got 'cat'"),
    ({0: "1"}, TypeError, "class_weight: expected a number for class 0, got '1'"),
    ({0: [1]}, TypeError, "class_weight: expected a number for class 0"),
    ({0: -1.0}, ValueError, "class_weight: expected a finite weight >= 0 for class 0"),
    ({0: np.nan}, ValueError, "class_weight: expected a finite weight >= 0 for class 0"),
]
NOT_COUNTS = [-1, 1.5, "3", True, [1]]
BAD_FIT: list[tuple[str, Any, type[Exception], str]] = [
    *[("x", *bad) for bad in BAD_X],
    *[("y", *bad) for bad in BAD_Y],
    *[("sample_weight", *bad) for bad in BAD_WEIGHT],
    *[("class_weight", *bad) for bad in BAD_CLASS_WEIGHT],
    *[("batch_size", bad, ValueError, "batch_size must be a positive integer, got ") for bad in [0, *NOT_COUNTS]],
    *[("epochs", bad, ValueError, "epochs must be an integer >= 0, got ") for bad in [*NOT_COUNTS, None]],
    *[("initial_epoch", bad, ValueError, "initial_epoch must be an integer >= 0, got ") for bad in NOT_COUNTS],
    *[("steps_per_epoch", bad, ValueError, "steps_per_epoch must be a positive integer") for bad in [0, *NOT_COUNTS]],
    *[("validation_steps", bad, ValueError, "validation_steps must be a positive") for bad in [0, *NOT_COUNTS]],
    *[("validation_batch_size", bad, ValueError, "validation_batch_size must be a positive") for bad in [0, -3, "a"]],
    *[("validation_freq", bad, ValueError, "validation_freq") for bad in [0, -1, "1", 1.5, [0], ["a"]]],
    *[("verbose", bad, ValueError, 'verbose must be 0, 1, 2 or "auto"') for bad in [3, -1, "loud", None, 0.5]],
    *[("shuffle", bad, TypeError, "shuffle must be True or False") for bad in ["batch", 1, None]],
    *[("validation_split", bad, ValueError, "validation_split") for bad in [-0.1, 1, 1.5, "half", None, True, 0.99]],
    *[("callbacks", bad, TypeError, "callbacks: expected Callback instances") for bad in [3, [3], Callback]],
    ("validation_data", X, ValueError, "validation_data must be"),
    ("validation_data", (X,), ValueError, "validation_data must be .* got tuple of 1"),
    ("validation_data", (X, Y, Y, Y), ValueError, "validation_data must be .* got tuple of 4"),
    ("validation_data", (X[:, :3], Y), ValueError, r"validation_data: dense: input has shape \(20, 3\)"),
    ("validation_data", (X, Y + 4), ValueError, "validation_data: y: label"),
    ("validation_data", (X, "y"), TypeError, "validation_data: y: expected an array"),
    ("validation_data", (X, Y[:5]), ValueError, "validation_data: x has 20 rows, y has 5"),
]


def identify(value: Any) -> str:
    text = (
        type(value).__name__ if isinstance(value, (np.ndarray, pd.DataFrame, pd.Series, list, tuple)) else repr(value)
    )
    return text[:40]


@pytest.fixture
def model(make_classifier: Any) -> Sequential:
    """A compiled 6-8-4 classifier that has been trained for a while."""
    clear_session()
    made: Sequential = make_classifier(metrics=["accuracy"])
    made.fit(X, Y, verbose=0)
    return made


def check_refused(
    model: Sequential, fingerprint: Callable[[Sequential], str], call: Any, error: type[Exception], message: str
) -> None:
    before = fingerprint(model)
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) is error or issubclass(type(caught.value), error)
    assert fingerprint(model) == before
    model.fit(X, Y, verbose=0)  # and it goes on working


@pytest.mark.parametrize(("argument", "value", "error", "message"), BAD_FIT, ids=identify)
def test_fit_refuses(
    model: Sequential, fingerprint: Any, argument: str, value: Any, error: type[Exception], message: str
) -> None:
    arguments = {"x": X, "y": Y, "verbose": 0, argument: value}
    check_refused(model, fingerprint, lambda: model.fit(**arguments), error, message)


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch", "evaluate"])
@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        *[("x", *bad) for bad in BAD_X],
        *[("y", *bad) for bad in BAD_Y],
        *[("sample_weight", *bad) for bad in BAD_WEIGHT],
    ],
    ids=identify,
)
def test_batch_calls_refuse(
    model: Sequential, fingerprint: Any, method: str, argument: str, value: Any, error: type[Exception], message: str
) -> None:
    arguments = {"x": X, "y": Y, argument: value}
    if method == "evaluate":
        arguments["verbose"] = 0
    check_refused(model, fingerprint, lambda: getattr(model, method)(**arguments), error, message)


@pytest.mark.parametrize("method", ["predict", "predict_on_batch", "__call__"])
@pytest.mark.parametrize(("value", "error", "message"), BAD_X, ids=identify)
def test_prediction_refuses(
    model: Sequential, fingerprint: Any, method: str, value: Any, error: type[Exception], message: str
) -> None:
    check_refused(model, fingerprint, lambda: getattr(model, method)(value), error, message)


@pytest.mark.parametrize(
    ("method", "argument", "value", "error", "message"),
    [
        *[("evaluate", "batch_size", bad, ValueError, "batch_size must be a positive") for bad in [0, *NOT_COUNTS]],
        *[("evaluate", "steps", bad, ValueError, "steps must be a positive integer") for bad in [0, *NOT_COUNTS]],
        *[("evaluate", "verbose", bad, ValueError, "verbose must be") for bad in [3, "loud", None]],
        ("evaluate", "callbacks", [3], TypeError, "callbacks: expected Callback instances, got 3"),
        *[("predict", "batch_size", bad, ValueError, "batch_size must be a positive") for bad in [0, *NOT_COUNTS]],
        *[("predict", "steps", bad, ValueError, "steps must be a positive integer") for bad in [0, *NOT_COUNTS]],
        *[("predict", "verbose", bad, ValueError, "verbose must be") for bad in [3, "loud", None]],
        ("predict", "callbacks", [3], TypeError, "callbacks: expected Callback instances, got 3"),
        *[("train_on_batch", "class_weight", *bad) for bad in BAD_CLASS_WEIGHT],
    ],
    ids=identify,
)
def test_other_arguments_refuse(
    model: Sequential, fingerprint: Any, method: str, argument: str, value: Any, error: type[Exception], message: str
) -> None:
    arguments = {"x": X, argument: value}
    if method != "predict":
        arguments["y"] = Y
    if method == "evaluate":
        arguments.setdefault("verbose", 0)
    check_refused(model, fingerprint, lambda: getattr(model, method)(**arguments), error, message)


def test_weights_of_both_kinds_are_refused(model: Sequential, fingerprint: Any) -> None:
    call = lambda method: method(X, Y, sample_weight=np.ones(N), class_weight={0: 1.0})  # noqa: E731
    message = "sample_weight and class_weight cannot be given together"
    check_refused(model, fingerprint, lambda: call(model.fit), ValueError, message)
    check_refused(model, fingerprint, lambda: call(model.train_on_batch), ValueError, message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": Y}, "y must be None where x yields batches"),
        ({"sample_weight": np.ones(N)}, "sample_weight must be None"),
        ({"class_weight": {0: 1.0}}, "class_weight must be None"),
        ({"validation_split": 0.5}, "validation_split needs arrays"),
    ],
)
def test_arguments_that_do_not_go_with_batches(
    model: Sequential, fingerprint: Any, arguments: dict[str, Any], message: str
) -> None:
    check_refused(model, fingerprint, lambda: model.fit(iter([(X, Y)]), **arguments), ValueError, message)


@pytest.mark.parametrize(
    ("batches", "error", "message"),
    [
        ([], ValueError, "yielded no batch"),
        ([X], ValueError, "y is None"),
        ([(X, Y, Y, Y)], ValueError, "a batch must be"),
        ([()], ValueError, "a batch must be"),
        ([(X[:, :2], Y)], ValueError, r"dense: input has shape \(20, 2\)"),
        ([(X, Y[:3])], ValueError, "x has 20 rows, y has 3"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_bad_batches_are_refused(
    model: Sequential, fingerprint: Any, method: str, batches: Any, error: type[Exception], message: str
) -> None:
    check_refused(model, fingerprint, lambda: getattr(model, method)(iter(batches)), error, message)


def test_a_bad_batch_later_leaves_the_steps_before(model: Sequential) -> None:
    steps = model.optimizer.iterations
    with pytest.raises(ValueError, match="y: label 9 at row 0"):
        model.fit(iter([(X, Y), (X, Y), (X, Y * 0 + 9)]), callbacks=[EachBatch()], verbose=0)
    assert model.optimizer.iterations == steps + 2
    model.fit(X, Y, verbose=0)


class EachBatch(Callback):
    """Asks for each batch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        pass


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error", "categorical_crossentropy"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y, r"y: has shape \(20,\), .* expects \(None, 4\)"),
        (Y[:, None], r"y: has shape \(20, 1\), .* expects \(None, 4\)"),
        (ONE_HOT[:, :3], r"y: has shape \(20, 3\), .* expects \(None, 4\)"),
        (ONE_HOT[None], r"y: has shape \(1, 20, 4\), .* expects \(None, 4\)"),
        (ONE_HOT[:5], "x has 20 rows, y has 5"),
    ],
)
def test_labels_of_the_predictions_shape(
    make_classifier: Any, fingerprint: Any, loss: str, y: np.ndarray, message: str
) -> None:
    model = make_classifier(loss=loss)
    before = fingerprint(model)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, verbose=0)
    assert fingerprint(model) == before


def test_class_numbers_for_one_hot_come_with_a_hint(make_classifier: Any) -> None:
    with pytest.raises(ValueError, match="for class numbers use sparse_categorical_crossentropy"):
        make_classifier(loss="categorical_crossentropy").fit(X, Y, verbose=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("argument", ["x", "y", "sample_weight"])
def test_check_finite_names_the_row(make_classifier: Any, fingerprint: Any, argument: str, bad: float) -> None:
    data = {"x": X.copy(), "y": ONE_HOT.copy(), "sample_weight": np.ones(N)}
    model = make_classifier(loss="mse", check_finite=True)
    model.fit(**data, verbose=0)
    data[argument][3] = bad
    for call in (model.fit, model.evaluate):
        check = lambda call=call: call(**data, verbose=0)  # noqa: E731
        before = fingerprint(model)
        with pytest.raises(ValueError, match=f"{argument}: row 3 holds NaN or infinity"):
            check()
        assert fingerprint(model) == before
    if argument == "x":
        for method in (model.predict, model.predict_on_batch):
            with pytest.raises(ValueError, match="x: row 3 holds NaN or infinity"):
                method(data["x"])


def test_nan_passes_where_nobody_asked_to_check(make_classifier: Any) -> None:
    model = make_classifier()
    assert np.isnan(model.predict(NAN_ROW)[3]).all()
    assert np.isfinite(model.predict(NAN_ROW)[[0, 1, 2, 4]]).all()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"optimizer": "sdg"}, ValueError, r"unknown optimizer 'sdg'\. Did you mean 'sgd'"),
        ({"optimizer": "rmspropp"}, ValueError, r"unknown optimizer 'rmspropp'\. Did you mean 'rmsprop'"),
        ({"optimizer": None}, ValueError, "optimizer must not be None"),
        ({"optimizer": Optimizer(0.1)}, ValueError, r"Optimizer does not define update_step\(\)"),
        ({"optimizer": 3}, ValueError, "optimizer: expected a name"),
        ({"optimizer": {"class_name": "SGD", "config": {"learning_rate": -1}}}, ValueError, "learning_rate"),
        ({"loss": "mean_square_error"}, ValueError, "Did you mean 'mean_squared_error'"),
        ({"loss": 3}, ValueError, "loss: expected a name"),
        ({"loss": ["mse", "mse"]}, ValueError, "loss has 2 elements, expected 1"),
        ({"loss": lambda y, p: 0}, ValueError, "no gradient to train with"),
        ({"metrics": "accuracy"}, ValueError, "metrics must be a list, got 'accuracy'"),
        ({"metrics": ["acuracy"]}, ValueError, "unknown metric 'acuracy'. Did you mean 'accuracy'"),
        ({"metrics": [None]}, ValueError, "metrics must not hold None"),
        ({"metrics": [Mean(name="loss")]}, ValueError, "a metric is called 'loss'"),
        ({"metrics": ["categorical_accuracy"]}, ValueError, "cannot read class numbers"),
        ({"metrics": ["mse"]}, ValueError, "metric 'mse' cannot read class numbers"),
        ({"weighted_metrics": "accuracy"}, ValueError, "weighted_metrics must be a list"),
        ({"loss_weights": [0.5, 1]}, ValueError, "loss_weights has 2 elements, expected 1"),
        ({"loss_weights": ["a"]}, TypeError, "loss_weights must hold numbers"),
        ({"steps_per_execution": 0}, ValueError, "steps_per_execution must be a positive integer, got 0"),
        ({"steps_per_execution": "2"}, ValueError, "steps_per_execution must be a positive integer, got '2'"),
        ({"run_eagerly": "yes"}, TypeError, "run_eagerly must be True or False"),
        ({"jit_compile": "maybe"}, ValueError, "jit_compile must be True, False or 'auto'"),
        ({"check_finite": 1}, TypeError, "check_finite must be True or False"),
        ({"auto_scale_loss": 1}, TypeError, "auto_scale_loss must be True or False"),
    ],
)
def test_compile_refuses(
    model: Sequential, fingerprint: Any, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **settings}
    check_refused(model, fingerprint, lambda: model.compile(**arguments), error, message)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_a_model_that_is_not_compiled_says_so(method: str) -> None:
    model = Sequential([Dense(4, input_shape=(6,))])
    with pytest.raises(NotCompiledError, match=rf"call compile\(\) before {method}\(\)"):
        getattr(model, method)(X, Y)
    model.compile("sgd")
    with pytest.raises(NotCompiledError, match="without a loss"):
        getattr(model, method)(X, Y)
    assert model.predict(X).shape == (N, 4)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "predict_on_batch"])
def test_a_model_without_layers_says_so(method: str) -> None:
    model = Sequential()
    model.compile("sgd", "mse")
    arguments = (X, Y) if method in ("fit", "evaluate") else (X,)
    with pytest.raises(NotBuiltError, match="no layers"):
        getattr(model, method)(*arguments)
    with pytest.raises(NotBuiltError, match="no layers"):
        model.build((None, 6))


@pytest.mark.parametrize(
    ("x", "y"), [(X, Y + 4), (X, Y[:3]), (X[:0], Y[:0]), (X, None), (X.astype(str), Y), (np.float32(1), Y)]
)
def test_bad_first_data_do_not_build_a_model(x: Any, y: Any) -> None:
    model = Sequential([Dense(4, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises((ValueError, TypeError)):
        model.fit(x, y, verbose=0)
    assert not model.built
    assert model.weights == []
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential(Dense(1)), TypeError, "layers must be a list of layers"),
        (lambda: Sequential([3]), TypeError, "expected a layer, got 3"),
        (lambda: Sequential(3), TypeError, "not iterable"),
        (lambda: Sequential(trainable="yes"), TypeError, "trainable must be True or False"),
        (lambda: Sequential(name=3), ValueError, "name must be a non-empty string"),
        (lambda: Sequential(name=""), ValueError, "name must be a non-empty string"),
        (lambda: Sequential(dtype="float16"), ValueError, "dtype: expected one of float32, float64, got 'float16'"),
        (lambda: Sequential(dtype="int32"), ValueError, "dtype: expected one of float32, float64"),
        (lambda: Sequential([Dense(1, name="a"), Dense(1, name="a")]), ValueError, "name 'a' is taken"),
        (lambda: Sequential().build((None, 3)), NotBuiltError, "no layers"),
        (lambda: Sequential([Dense(1)]).build(), NotBuiltError, "input's shape is not known"),
        (lambda: Sequential([Dense(1)]).build(3), ValueError, "must begin with the batch, got 3"),
        (lambda: Sequential([Dense(1)]).build(()), ValueError, "must begin with the batch"),
        (lambda: Sequential([Dense(1)]).build((None, None)), ValueError, "only the batch may be of any size"),
        (lambda: Sequential([Dense(1)]).build((None, 0)), ValueError, "must be a positive integer, got 0"),
        (lambda: Sequential([Dense(1)]).build((None,)), ValueError, "at least one axis after the batch"),
        (lambda: Sequential([Dense(1)]).summary(line_length=5), ValueError, "line_length"),
        *[
            (lambda units=units: Dense(units), ValueError, "Dense: units must be a positive integer, got ")
            for units in (0, -1, 2.5, "3", None, True, [3])
        ],
        (lambda: Dense(1, "rleu"), ValueError, "unknown activation 'rleu'. Did you mean 'relu'"),
        (lambda: Dense(1, 3), ValueError, "activation: expected a name"),
        (lambda: Dense(1, np.tanh), ValueError, "custom functions are not supported yet"),
        (lambda: Dense(1, use_bias=1), TypeError, "use_bias must be True or False"),
        (lambda: Dense(1, kernel_initializer="glorot"), ValueError, "unknown initializer 'glorot'"),
        (lambda: Dense(1, bias_initializer=3), ValueError, "initializer: expected a name"),
        (lambda: Dense(1, activity_regularizer=abs), ValueError, "has no gradient"),
        *[
            (lambda name=name: Dense(1, **{name: "l3"}), ValueError, f"{name}: unknown")
            for name in ("kernel_regularizer", "bias_constraint", "activity_regularizer")
        ],
        (lambda: Dense(1, name=""), ValueError, "name must be a non-empty string"),
        (lambda: Dense(1, name="a/b"), ValueError, "without '/'"),
        (lambda: Dense(1, trainable=1), TypeError, "trainable must be True or False"),
        (lambda: Dense(1, dtype="float33"), ValueError, "Did you mean 'float32'"),
        (lambda: Dense(1, colour="red"), ValueError, "Dense: unexpected arguments colour"),
        (lambda: Dense(1, input_shape=(None,)), ValueError, "only the batch may be of any size"),
        (lambda: Dense(1, input_shape="3"), ValueError, "must be a tuple of positive integers"),
        (lambda: Dense(1, input_shape=(2.5,)), ValueError, "must be a positive integer, got 2.5"),
        (lambda: Dense(1, input_dim=0), ValueError, "must be a positive integer, got 0"),
        (lambda: Dense(1, input_dim=2, input_shape=(2,)), ValueError, "give one of input_shape"),
        (lambda: Dense(1, batch_input_shape=()), ValueError, "must begin with the batch"),
        (lambda: Input(), ValueError, "give one of shape and batch_shape"),
        (lambda: Input((2,), batch_shape=(None, 2)), ValueError, "give one of shape and batch_shape"),
        (lambda: Input((0,)), ValueError, "must be a positive integer, got 0"),
        (lambda: Input((2,), batch_size=0), ValueError, "batch_size must be a positive integer, got 0"),
        (lambda: Input(batch_shape=()), ValueError, "begins with the batch"),
        (lambda: Input((2,), dtype="float16"), ValueError, "dtype: expected one of float32, float64"),
        (lambda: InputLayer(batch_shape=(3, 2), batch_size=3), ValueError, "not both"),
        (lambda: Activation("soft_max"), ValueError, "Did you mean 'softmax'"),
        (lambda: Activation(None, 3), TypeError, "positional"),
        (lambda: Reshape(3), ValueError, "target_shape must be a tuple of ints"),
        (lambda: Reshape((-1, -1)), ValueError, "at most one -1"),
        (lambda: Reshape((0, 2)), ValueError, "positive sizes"),
        (lambda: Flatten("channels_frist"), ValueError, "data_format must be"),
        (lambda: Layer(units=3), ValueError, "Layer: unexpected arguments units"),
    ],
)
def test_constructors_refuse(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
