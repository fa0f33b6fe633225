"""One model, many threads: predictions at once, training alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from netlet import Sequential
from netlet.callbacks import Callback
from netlet.layers import Dense


def test_many_threads_predict_the_same(backend: str, rows: Any) -> None:
    x, _ = rows
    model = Sequential([Dense(32, "relu"), Dense(4, "softmax")])
    start = threading.Barrier(8)

    def predict(_: int) -> set[bytes]:
        start.wait()  # the first calls race to build the model and its engine
        return {model.predict(x).tobytes() for _ in range(50)}

    with ThreadPoolExecutor(8) as pool:
        results = set().union(*pool.map(predict, range(8)))
    assert len(results) == 1
    assert len(model.weights) == 4


class Pause(Callback):
    """Holds fit at the end of its first epoch until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.reached.set()
        assert self.go_on.wait(30)


def test_fit_is_exclusive_and_says_so(backend: str, rows: Any, make_classifier: Any, tmp_path: Any) -> None:
    x, y = rows
    model = make_classifier()
    want = model.predict(x).shape
    pause = Pause()
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(model.fit, x, y, epochs=2, verbose=0, callbacks=[pause])
        assert pause.reached.wait(30)
        try:
            for action, call in {
                "fit": lambda: model.fit(x, y, verbose=0),
                "train_on_batch": lambda: model.train_on_batch(x, y),
                "compile": lambda: model.compile("sgd", "mse"),
                "add": lambda: model.add(Dense(2)),
                "pop": lambda: model.pop(),
                "save": lambda: model.save(tmp_path / "m"),
            }.items():
                with pytest.raises(RuntimeError, match=f"{action} cannot run while another thread runs fit"):
                    call()
            assert model.predict(x).shape == want
            assert np.isfinite(model.evaluate(x, y, verbose=0))
        finally:
            pause.go_on.set()
        assert training.result(30).epoch == [0, 1]
    model.fit(x, y, verbose=0)


def test_callbacks_may_use_the_model_in_training(backend: str, rows: Any, make_classifier: Any, tmp_path: Any) -> None:
    x, y = rows

    class Use(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.predict(x)
            logs["own"] = self.model.evaluate(x, y, verbose=0)
            self.model.set_weights(self.model.get_weights())
            self.model.save(tmp_path / f"{epoch}")

    history = make_classifier().fit(x, y, epochs=2, verbose=0, callbacks=[Use()], validation_data=(x, y))
    assert history.history["own"] == pytest.approx(history.history["val_loss"], rel=1e-12)
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1"}
