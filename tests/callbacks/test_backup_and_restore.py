"""Training that was interrupted anywhere goes on with the bits of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import ModelFormatError, Sequential
from netlet.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
)
from netlet.layers import Dense
from netlet.metrics import AUC, F1Score, FBetaScore, R2Score
from netlet.models import datasets
from netlet.optimizers import SGD

SCRIPT = """
import os, signal, sys, hashlib
import numpy as np
import netlet
from netlet.callbacks import BackupAndRestore, Callback, EarlyStopping, ReduceLROnPlateau
from netlet.layers import BatchNormalization, Dense, Dropout
from netlet.optimizers import Adam

folder, freq, kill = sys.argv[1], sys.argv[2], int(sys.argv[3])

class Kill(Callback):
    seen = 0
    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == kill:
            os.kill(os.getpid(), signal.SIGKILL)

netlet.set_random_seed(5)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((70, 6)).astype("float32"), rng.integers(0, 4, 70)
model = netlet.Sequential([Dense(8, "tanh", input_shape=(6,)), BatchNormalization(), Dropout(0.3),
                           Dense(4, "softmax")])
optimizer = Adam(0.03, use_ema=True, gradient_accumulation_steps=2)
model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
callbacks = [
    BackupAndRestore(folder, save_freq=freq if freq == "epoch" else int(freq)),
    ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=0.02),
    EarlyStopping("val_loss", patience=50, restore_best_weights=True),
    *([Kill()] if kill else []),
]
history = model.fit(x, y, batch_size=8, epochs=5, verbose=0, validation_split=0.1, callbacks=callbacks)
digest = hashlib.sha256()
for array in [*model.get_weights(), model._engine.slots]:
    digest.update(array.tobytes())
print(digest.hexdigest(), history.epoch, sorted(history.history.items()), model.optimizer.iterations)
"""


def run(folder: Path, freq: str, kill: int) -> subprocess.CompletedProcess[str]:
    package = str(Path(netlet.__file__).parent.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([package, *sys.path])}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), freq, str(kill)], env=env, capture_output=True, text=True
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(
    ("freq", "kills"), [("1", [13]), ("5", [12, 17]), ("epoch", [20]), ("3", [1, 8])], ids=lambda v: str(v)
)
def test_fit_resumes_bitwise_after_kill(backend: str, freq: str, kills: list[int], tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", freq, 0)
    assert whole.returncode == 0, whole.stderr
    for kill in kills:
        assert run(tmp_path / "killed", freq, kill).returncode == -signal.SIGKILL
    resumed = run(tmp_path / "killed", freq, 0)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout
    assert not (tmp_path / "killed").exists()


class Interrupted(Exception):
    pass


class Interrupt(Callback):
    """Raises after so many batches."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise Interrupted


class Batches:
    """Batches of 8 rows by number; begun anew each time they are iterated."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        return self.x[8 * i : 8 * i + 8], self.y[8 * i : 8 * i + 8]


class Loader(Batches):
    """The same, as an iterable alone."""

    __getitem__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return (Batches.__getitem__(self, i) for i in range(6))


def endless(x: np.ndarray, y: np.ndarray) -> Iterator[Any]:
    batches = Batches(x, y)
    while True:
        yield from (batches[i] for i in range(6))


def mapped(x: np.ndarray, folder: Path) -> np.ndarray:
    disk = np.memmap(folder / "x", np.float64, "w+", shape=x.shape)
    disk[:] = x
    return disk


DATA: dict[str, Any] = {
    "rows": lambda x, y, folder: ({"x": x, "y": y, "batch_size": 8}),
    "rows unshuffled": lambda x, y, folder: ({"x": x, "y": y, "batch_size": 8, "shuffle": False}),
    "rows, part of a pass an epoch": lambda x, y, folder: {"x": x, "y": y, "batch_size": 4, "steps_per_epoch": 3},
    "iterable": lambda x, y, folder: {"x": Loader(x, y)},
    "iterable, part of a pass an epoch": lambda x, y, folder: {"x": Loader(x, y), "steps_per_epoch": 2},
    "generator": lambda x, y, folder: {"x": endless(x, y), "steps_per_epoch": 4},
    "dataset": lambda x, y, folder: {"x": Batches(x, y)},
    "dataset, part of a pass an epoch": lambda x, y, folder: {"x": Batches(x, y), "steps_per_epoch": 2},
    "mapped file": lambda x, y, folder: {"x": mapped(x, folder), "y": y, "batch_size": 8},
}


@pytest.mark.usefixtures("numpy_backend")
@pytest.mark.parametrize("after", [4, 6, 7])
@pytest.mark.parametrize("kind", DATA)
def test_every_kind_of_data_is_resumed(
    kind: str, after: int, rows: Any, make_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "MAPPED_LIMIT", 0)

    def trained(*interrupt: Callback) -> tuple[Any, Any]:
        netlet.set_random_seed(1)
        model = make_model()
        callbacks = [BackupAndRestore(tmp_path / "backup", save_freq=2), *interrupt]
        try:
            history = model.fit(**DATA[kind](*rows, tmp_path), epochs=4, verbose=0, callbacks=callbacks)
        except Interrupted:
            return None, None
        return [w.tobytes() for w in model.get_weights()], history.history

    want = trained()
    assert trained(Interrupt(after)) == (None, None)
    assert (tmp_path / "backup").exists()
    assert trained() == want


@pytest.mark.parametrize("kind", ["R2Score", "AUC", "FBetaScore", "F1Score, micro"])
def test_metrics_that_take_their_shape_from_the_first_batch_go_on(kind: str, backend: str, tmp_path: Path) -> None:
    made: dict[str, Callable[[], Any]] = {
        "R2Score": R2Score,
        "AUC": lambda: AUC(multi_label=True, name="auc"),
        "FBetaScore": lambda: FBetaScore(threshold=0.5),
        "F1Score, micro": lambda: F1Score("micro", threshold=0.5),
    }
    rng = np.random.default_rng(3)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    y = (x[:, :2] > 0).astype(np.float32)

    def trained(*interrupt: Callback) -> Any:
        netlet.set_random_seed(1)
        model = Sequential([Dense(2, "sigmoid", input_shape=(3,))])
        model.compile("sgd", "mse", metrics=[made[kind]()])
        callbacks = [BackupAndRestore(tmp_path / "b", save_freq=1), *interrupt]
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=callbacks)
        return [w.tobytes() for w in model.get_weights()], repr(history.history)

    want = trained()
    with pytest.raises(Interrupted):
        trained(Interrupt(8))
    assert trained() == want


@pytest.mark.usefixtures("numpy_backend")
def test_what_schedulers_did_before_the_interruption_is_not_done_twice(
    rows: Any, make_model: Any, tmp_path: Path
) -> None:
    def rates(*interrupt: Callback) -> list[float]:
        netlet.set_random_seed(1)
        model = make_model()
        falling = LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        backup = BackupAndRestore(tmp_path / "b", save_freq=1)
        return list(
            model.fit(*rows, batch_size=10, epochs=4, verbose=0, callbacks=[backup, falling, *interrupt]).history[
                "learning_rate"
            ]
        )

    want = rates()
    with pytest.raises(Interrupted):
        rates(Interrupt(7))
    assert rates() == want == [0.025, 0.0125, 0.00625, 0.003125]


@pytest.mark.usefixtures("numpy_backend")
@pytest.mark.parametrize("order", [1, -1])
def test_other_callbacks_go_on_wherever_they_stand(order: int, rows: Any, make_model: Any, tmp_path: Path) -> None:
    class Stop(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 3:
                raise Interrupted

    def trained(*interrupt: Callback) -> Any:
        netlet.set_random_seed(1)
        model = make_model()
        stopper = EarlyStopping("loss", mode="max", patience=6, restore_best_weights=True)
        plateau = ReduceLROnPlateau("loss", mode="max", patience=3)
        callbacks = [BackupAndRestore(tmp_path / "b"), stopper, plateau, *interrupt][::order]
        history = model.fit(*rows, epochs=20, verbose=0, callbacks=callbacks)
        return [w.tobytes() for w in model.get_weights()], history.history, stopper.best_epoch, history.epoch

    want = trained()
    with pytest.raises(Interrupted):
        trained(Stop())
    assert trained() == want
    assert want[3] == list(range(7))


@pytest.mark.usefixtures("numpy_backend")
def test_the_previous_backup_serves_where_the_last_is_broken(rows: Any, make_model: Any, tmp_path: Path) -> None:
    def trained(*interrupt: Callback) -> Any:
        netlet.set_random_seed(1)
        model = make_model()
        backup = BackupAndRestore(tmp_path / "b", save_freq=2, double_checkpoint=True)
        model.fit(*rows, batch_size=10, epochs=3, verbose=0, callbacks=[backup, *interrupt])
        return [w.tobytes() for w in model.get_weights()]

    want = trained()
    with pytest.raises(Interrupted):
        trained(Interrupt(9))
    latest, previous = sorted((tmp_path / "b").iterdir())
    latest.write_bytes(latest.read_bytes()[:-5])
    assert trained() == want
    with pytest.raises(Interrupted):
        trained(Interrupt(9))
    latest.write_bytes(b"0")
    previous.unlink()
    with pytest.raises(ModelFormatError, match="file has 1 bytes"):
        trained()


@pytest.mark.usefixtures("numpy_backend")
@pytest.mark.parametrize("behind", [True, False])
def test_an_epoch_is_not_lost_where_a_callback_behind_fails_at_its_end(
    behind: bool, backend: str, rows: Any, make_model: Any, tmp_path: Path
) -> None:
    class Fails(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise Interrupted

    def trained(*callbacks: Callback) -> Any:
        netlet.set_random_seed(2)
        model = make_model()
        history = model.fit(*rows, batch_size=16, epochs=4, verbose=0, callbacks=list(callbacks))
        return model.get_weights(), history.epoch, history.history

    whole = trained()
    backup = BackupAndRestore(tmp_path / "b", double_checkpoint=True)
    with pytest.raises(Interrupted):
        trained(*([backup, Fails()] if behind else [Fails(), backup]))
    assert backup._current_epoch == (2 if behind else 1)
    files = [tmp_path / "b" / f"{name}.backup.safetensors" for name in ("latest", "previous")]
    assert [file.exists() for file in files] == [True, behind]
    begun: list[int] = []
    again = trained(backup, LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch)))
    assert begun == ([2, 3] if behind else [1, 2, 3])
    assert again[1:] == whole[1:]
    for a, b in zip(again[0], whole[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_backup_of_another_model_or_other_data_is_refused(rows: Any, make_model: Any, tmp_path: Path) -> None:
    backup = BackupAndRestore(tmp_path / "b", save_freq=1)
    with pytest.raises(Interrupted):
        make_model().fit(*rows, batch_size=10, verbose=0, callbacks=[backup, Interrupt(3)])
    wide = Sequential([Dense(9, "tanh", input_shape=(6,)), Dense(4, "softmax")])
    wide.compile(SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = wide.get_weights()
    with pytest.raises(ModelFormatError, match="another optimizer"):
        wide.fit(*rows, batch_size=10, verbose=0, callbacks=[backup])
    wide.compile(SGD(0.05), "sparse_categorical_crossentropy")
    with pytest.raises(ModelFormatError, match="other metrics"):
        wide.fit(*rows, batch_size=10, verbose=0, callbacks=[backup])
    assert all((a == b).all() for a, b in zip(before, wide.get_weights(), strict=True))
    with pytest.raises(ValueError, match="a pass of 5 batches of 10 rows, these data have 10 of 5"):
        make_model().fit(*rows, batch_size=5, verbose=0, callbacks=[backup])


@pytest.mark.usefixtures("numpy_backend")
def test_files_are_deleted_at_the_end_and_nothing_else(rows: Any, make_model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[BackupAndRestore(folder)])
    assert not folder.exists()
    folder.mkdir()
    (folder / "mine").write_text("mine")
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[BackupAndRestore(folder, double_checkpoint=True)])
    assert [path.name for path in folder.iterdir()] == ["mine"]
    model = make_model()
    keeping = BackupAndRestore(folder, delete_checkpoint=False)
    assert model.fit(*rows, epochs=2, verbose=0, callbacks=[keeping]).epoch == [0, 1]
    assert len(list(folder.iterdir())) == 2
    assert model.fit(*rows, epochs=3, verbose=0, callbacks=[keeping]).epoch == [0, 1, 2]


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    for empty in ("", None):
        with pytest.raises(ValueError, match="Empty `backup_dir`"):
            BackupAndRestore(empty)
    for freq in ("batch", 0.15, 0, True):
        with pytest.raises(ValueError, match="Invalid value for argument `save_freq`"):
            BackupAndRestore(tmp_path, save_freq=freq)  # type: ignore[arg-type]


def test_saving_by_epoch_does_not_ask_for_batches(rows: Any, make_model: Any, tmp_path: Path) -> None:
    from netlet.callbacks import CallbackList

    assert not CallbackList(BackupAndRestore(tmp_path)).wants_batches("train")
    assert CallbackList(BackupAndRestore(tmp_path, save_freq=3)).wants_batches("train")

    class Own(BackupAndRestore):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """A hook of its own is called."""

    assert CallbackList(Own(tmp_path)).wants_batches("train")
