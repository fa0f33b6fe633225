"""``fit``: what it returns, what it calls, how it divides data, when it stops."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Sequential
from netlet.callbacks import Callback, History
from netlet.layers import Dense
from netlet.models import fitting
from netlet.optimizers import SGD

pytestmark = pytest.mark.usefixtures("numpy_backend")


class Recorder(Callback):
    """Notes every hook that is called."""

    def __init__(self, *, batches: bool) -> None:
        super().__init__()
        self.calls: list[tuple[str, int | None]] = []
        self.logs: list[dict[str, Any]] = []
        if not batches:
            for name in ("on_train_batch_begin", "on_train_batch_end"):
                setattr(self, name, getattr(super(), name))

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("train_begin", None))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train_end", None))
        self.logs.append(logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_begin", epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_end", epoch))
        self.logs.append(logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_begin", batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch_end", batch))
        self.logs.append(logs)


def count_train_calls(model: Sequential, x: Any, y: Any) -> list[tuple[int, int]]:
    """Let ``model`` record the (first, last) of each call of its executor's train."""
    model.evaluate(x, y, verbose=0)
    engine = model._engine
    assert engine is not None
    calls: list[tuple[int, int]] = []
    run = engine.executor.train

    def train(*args: Any, **kwargs: Any) -> None:
        calls.append((kwargs["first"], kwargs["last"]))
        run(*args, **kwargs)

    engine.executor.train = train  # type: ignore[method-assign]
    return calls


def test_history_has_floats_under_sorted_keys(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2)
    assert isinstance(history, History)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(len(values) == 3 and all(type(v) is float for v in values) for values in history.history.values())
    assert history.epoch == [0, 1, 2]
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 2}
    assert model.history is history
    assert history.model is model


def test_loss_of_an_epoch_is_the_mean_over_rows_before_each_step(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    copy = make_classifier()
    copy.set_weights(model.get_weights())
    history = model.fit(x, y, epochs=1, batch_size=16, shuffle=False, verbose=0)
    losses = [copy.train_on_batch(x[at : at + 16], y[at : at + 16]) for at in range(0, 50, 16)]
    weights = [16, 16, 16, 2]
    assert history.history["loss"][0] == pytest.approx(np.average(losses, weights=weights), rel=1e-6)


def test_an_epoch_is_one_call_without_batch_hooks(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    calls = count_train_calls(model, x, y)
    model.fit(x, y, epochs=5, batch_size=10, verbose=0, callbacks=[Recorder(batches=False)])
    assert calls == [(0, 5)] * 5


def test_epochs_that_nobody_follows_share_calls_and_change_no_bit(
    rows: Any, make_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "PASSES_SECONDS", 0.1)
    x, y = rows
    fast = make_classifier(metrics=["accuracy"])
    followed = make_classifier(metrics=["accuracy"])
    followed.set_weights(fast.get_weights())
    for model in (fast, followed):
        model.optimizer.learning_rate = 0.05
    fast.evaluate(x, y, verbose=0)
    together: list[int] = []
    engine = fast._engine
    run = engine.executor.train_epochs

    def train_epochs(*args: Any, **kwargs: Any) -> None:
        together.append(kwargs["epochs"])
        run(*args, **kwargs)

    engine.executor.train_epochs = train_epochs
    histories = []
    for model, callbacks in ((fast, None), (followed, [Recorder(batches=False)])):
        netlet.set_random_seed(3)
        histories += [model.fit(x, y, epochs=60, batch_size=50, verbose=0, callbacks=callbacks) for _ in range(2)]
    assert [w.tobytes() for w in fast.get_weights()] == [w.tobytes() for w in followed.get_weights()]
    for a, b in zip(histories[:2], histories[2:], strict=True):
        assert a.history == b.history
        assert a.epoch == b.epoch == list(range(60))
    assert fast.optimizer.iterations == followed.optimizer.iterations == 120
    assert together and max(together) > 1
    assert 0 < sum(together) < 120


def test_ctrl_c_within_epochs_that_share_a_call_keeps_those_that_are_done(
    rows: Any, make_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "PASSES_SECONDS", 0.1)
    x, y = rows
    model = make_classifier()
    model.evaluate(x, y, verbose=0)
    executor = model._engine.executor
    run = executor.train_epochs

    def train_epochs(*args: Any, epochs: int, sums: Any, **kwargs: Any) -> None:
        run(*args, epochs=epochs - 1, sums=sums[: epochs - 1], **kwargs)
        raise KeyboardInterrupt

    executor.train_epochs = train_epochs
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=1000, batch_size=20, verbose=0)
    done = len(model.history.epoch)
    assert 0 < done < 1000
    assert model.history.epoch == list(range(done))
    assert len(model.history.history["loss"]) == done
    assert model.optimizer.iterations == 3 * done


def test_steps_per_execution_groups_batch_hooks(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(steps_per_execution=2)
    calls = count_train_calls(model, x, y)
    recorder = Recorder(batches=True)
    model.fit(x, y, batch_size=10, verbose=0, callbacks=recorder)
    assert calls == [(0, 2), (2, 4), (4, 5)]
    assert [c for c in recorder.calls if c[0].startswith("batch")] == [
        ("batch_begin", 0),
        ("batch_end", 1),
        ("batch_begin", 2),
        ("batch_end", 3),
        ("batch_begin", 4),
        ("batch_end", 4),
    ]


def test_callbacks_are_called_in_keras_order(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    recorder = Recorder(batches=True)
    model = make_classifier(metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=25, verbose=0, callbacks=[recorder])
    epoch = [("batch_begin", 0), ("batch_end", 0), ("batch_begin", 1), ("batch_end", 1)]
    assert recorder.calls == [
        ("train_begin", None),
        ("epoch_begin", 0),
        *epoch,
        ("epoch_end", 0),
        ("epoch_begin", 1),
        *epoch,
        ("epoch_end", 1),
        ("train_end", None),
    ]
    assert all(list(logs) == ["accuracy", "loss"] for logs in recorder.logs)
    assert recorder.model is model
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}


def test_batch_hooks_do_not_change_a_bit(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    plain, hooked = make_classifier(), make_classifier()
    hooked.set_weights(plain.get_weights())
    netlet.set_random_seed(1)
    plain.fit(x, y, epochs=3, verbose=0)
    netlet.set_random_seed(1)
    hooked.fit(x, y, epochs=3, verbose=0, callbacks=[Recorder(batches=True)])
    assert [w.tobytes() for w in plain.get_weights()] == [w.tobytes() for w in hooked.get_weights()]


def test_old_batch_hook_names_and_duck_typed_callbacks_work(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    seen = []

    class Old(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(("old", batch))

    class Duck:
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(("duck", epoch))

    make_classifier().fit(x, y, batch_size=25, verbose=0, callbacks=[[Old()], Duck()])
    assert seen == [("old", 0), ("old", 1), ("duck", 0)]


def test_what_a_callback_adds_to_logs_is_in_history(rows: Any, make_classifier: Any) -> None:
    class Rate(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
            self.model.optimizer.learning_rate /= 2

    x, y = rows
    history = make_classifier(optimizer=SGD(0.4)).fit(x, y, epochs=3, verbose=0, callbacks=[Rate()])
    assert history.history["learning_rate"] == [0.4, 0.2, 0.1]


def test_learning_rate_set_between_epochs_takes_effect(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    before = model.get_weights()
    model.optimizer.learning_rate = 0.0
    model.fit(x, y, verbose=0)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    model.optimizer.learning_rate = 0.1
    model.fit(x, y, verbose=0)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_batch_end"])
def test_stop_training_ends_fit(rows: Any, make_classifier: Any, hook: str) -> None:
    class Stop(Callback):
        pass

    def stop(self: Any, number: int, logs: Any = None) -> None:
        self.model.stop_training = True

    setattr(Stop, hook, stop)
    x, y = rows
    model = make_classifier()
    history = model.fit(x, y, epochs=10, batch_size=10, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0]
    assert model.optimizer.iterations == (5 if hook == "on_epoch_end" else 1)
    assert model.fit(x, y, epochs=2, verbose=0).epoch == [0, 1]  # the next fit begins anew


def test_own_history_callback_is_used(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    history = History()
    assert make_classifier().fit(x, y, verbose=0, callbacks=[history]) is history
    assert len(history.history["loss"]) == 1


def test_initial_epoch_counts_towards_epochs(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    assert model.fit(x, y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert model.optimizer.iterations == 4
    assert model.fit(x, y, epochs=5, initial_epoch=5, verbose=0).epoch == []


def test_validation_split_takes_the_last_rows(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    split, given = make_classifier(), make_classifier()
    given.set_weights(split.get_weights())
    weight = np.linspace(0, 1, 50)
    a = split.fit(x, y, shuffle=False, verbose=0, validation_split=0.3, sample_weight=weight)
    validation = (x[35:], y[35:], weight[35:])
    b = given.fit(x[:35], y[:35], shuffle=False, verbose=0, validation_data=validation, sample_weight=weight[:35])
    assert a.history == b.history


def test_validation_data_overrides_the_split_and_may_yield_batches(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    history = model.fit(x, y, verbose=0, validation_split=0.5, validation_data=_Batches(batches))
    assert model.optimizer.iterations == 2  # of 32 rows: the split was not made
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)


def test_a_validation_generator_serves_every_epoch(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    parts = [(x[:20], y[:20]), (x[20:], y[20:])]
    all_of_it = make_classifier().fit(x, y, epochs=3, verbose=0, validation_data=iter(parts))
    assert len(all_of_it.history["val_loss"]) == 3
    endless = make_classifier().fit(
        x, y, epochs=3, verbose=0, validation_data=itertools.cycle(parts), validation_steps=1
    )
    assert len(endless.history["val_loss"]) == 3


@pytest.mark.parametrize(("freq", "expected"), [(1, 4), (2, 2), (3, 1), ([1, 4], 2), ({2}, 1)])
def test_validation_freq(rows: Any, make_classifier: Any, freq: Any, expected: int) -> None:
    x, y = rows
    history = make_classifier().fit(x, y, epochs=4, verbose=0, validation_split=0.2, validation_freq=freq)
    assert len(history.history["val_loss"]) == expected
    assert len(history.history["loss"]) == 4


def test_validation_steps_and_batch_size(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    history = model.fit(x, y, verbose=0, validation_data=(x, y), validation_steps=2, validation_batch_size=10)
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(x[:20], y[:20], verbose=0), rel=1e-6)


def test_class_weight_is_sample_weight_by_class(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    a, b, c = make_classifier(), make_classifier(), make_classifier(loss="categorical_crossentropy")
    b.set_weights(a.get_weights())
    c.set_weights(a.get_weights())
    by_class = {0: 2.0, 2: 0.5}
    weight = np.array([by_class.get(int(label), 1.0) for label in y])
    want = a.fit(x, y, shuffle=False, verbose=0, sample_weight=weight).history
    assert b.fit(x, y, shuffle=False, verbose=0, class_weight=by_class).history == want
    one_hot = c.fit(x, np.eye(4)[y], shuffle=False, verbose=0, class_weight=by_class).history
    assert one_hot["loss"] == pytest.approx(want["loss"], rel=1e-6)


def test_weights_leave_the_divisor_alone(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    plain = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y, verbose=0, sample_weight=np.full(50, 3.0)) == pytest.approx(3 * plain, rel=1e-6)


def test_shuffle_depends_on_the_seed_alone(rows: Any, make_classifier: Any) -> None:
    x, y = rows

    def trained(seed: int) -> bytes:
        netlet.set_random_seed(seed)
        model = make_classifier()
        model.fit(x, y, epochs=2, verbose=0)
        return b"".join(w.tobytes() for w in model.get_weights())

    assert trained(1) == trained(1)
    assert trained(1) != trained(2)


def test_reseeding_restarts_the_shuffles_of_a_model(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    start = model.get_weights()
    results = []
    for _ in range(2):
        model.set_weights(start)
        netlet.set_random_seed(5)
        model.fit(x, y, epochs=2, verbose=0)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1]


def test_epochs_see_each_row_once(make_classifier: Any) -> None:
    # With a linear model on one-hot rows and learning rate 1, each step moves only the weights of its rows.
    model = Sequential([Dense(1, use_bias=False, kernel_initializer="zeros", input_shape=(10,))])
    model.compile(SGD(1.0), "mse")
    model.fit(np.eye(10), np.ones((10, 1)), batch_size=3, verbose=0)
    # a batch of 3 moves its weights by 2/3, the last batch of 1 by 2
    assert sorted(model.get_weights()[0][:, 0].tolist()) == pytest.approx([2 / 3] * 9 + [2.0])


class _Batches:
    """An iterable of batches that can be begun again."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches
        self.begun = 0

    def __iter__(self) -> Iterator[Any]:
        self.begun += 1
        return iter(self.batches)


def test_iterables_train_as_arrays_do(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    arrays, batches = make_classifier(metrics=["accuracy"]), make_classifier(metrics=["accuracy"])
    batches.set_weights(arrays.get_weights())
    parts = _Batches([(x[at : at + 16], y[at : at + 16]) for at in range(0, 50, 16)])
    want = arrays.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0).history
    assert batches.fit(parts, epochs=3, verbose=0).history == want


def test_generator_with_steps_per_epoch(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    endless = ((x[at : at + 10], y[at : at + 10], np.ones(10)) for at in itertools.cycle(range(0, 50, 10)))
    history = model.fit(endless, epochs=2, steps_per_epoch=7, verbose=0)
    assert model.optimizer.iterations == 14
    assert history.params is not None
    assert history.params["steps"] == 7


def test_generator_that_ends_warns_and_ends_training(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    batches = iter([(x[:10], y[:10]), (x[10:20], y[10:20])])
    with pytest.warns(UserWarning, match="ran out"):
        history = model.fit(batches, epochs=3, verbose=0)
    assert history.epoch == [0]
    assert model.optimizer.iterations == 2


def test_steps_per_epoch_of_arrays_continues_the_pass(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    calls = count_train_calls(model, x, y)
    with pytest.warns(UserWarning, match="ran out"):  # the third epoch has one step left of the pass
        model.fit(x, y, epochs=4, batch_size=10, steps_per_epoch=2, verbose=0)
    assert calls == [(0, 2), (2, 4), (4, 5), (0, 2)]


def test_progress_bar_reports_each_epoch(rows: Any, make_classifier: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = rows
    make_classifier(metrics=["accuracy"]).fit(x, y, epochs=2, batch_size=10, validation_split=0.2)
    out = capsys.readouterr().out
    assert "Epoch 1/2" in out
    assert "Epoch 2/2" in out
    assert out.count("4/4 ━") == 2
    assert out.count(" - val_loss: ") == 2
    make_classifier().fit(x, y, epochs=2, verbose=2)
    assert capsys.readouterr().out.count("2/2 - ") == 2
    make_classifier().fit(x, y, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""


def test_verbose_does_not_change_a_bit(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    results = []
    for verbose in (0, 1, 2):
        netlet.set_random_seed(9)
        model = make_classifier()
        model.fit(x, y, epochs=3, batch_size=4, verbose=verbose)
        results.append(b"".join(w.tobytes() for w in model.get_weights()))
    assert results[0] == results[1] == results[2]


def test_train_on_batch_is_a_step(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    a, b = make_classifier(metrics=["accuracy"]), make_classifier(metrics=["accuracy"])
    b.set_weights(a.get_weights())
    history = a.fit(x, y, batch_size=50, shuffle=False, verbose=0).history
    assert b.train_on_batch(x, y, return_dict=True) == {k: v[0] for k, v in history.items()}
    assert [w.tobytes() for w in a.get_weights()] == [w.tobytes() for w in b.get_weights()]
    assert b.optimizer.iterations == 1
    values = b.train_on_batch(x, y)
    assert isinstance(values, list)
    assert len(values) == 2
    assert isinstance(make_classifier().train_on_batch(x, y), float)


def test_keyboard_interrupt_leaves_the_model_usable(rows: Any, make_classifier: Any) -> None:
    class Interrupt(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 2:
                raise KeyboardInterrupt

    x, y = rows
    model = make_classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=10, verbose=1, callbacks=[Interrupt()])
    assert model.optimizer.iterations == 3
    model.fit(x, y, verbose=0)
    assert model.predict(x).shape == (50, 4)
