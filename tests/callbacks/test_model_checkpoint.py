"""ModelCheckpoint: what is saved, when, and under which name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import ModelFormatError, Sequential
from netlet.callbacks import Callback, CallbackList, ModelCheckpoint
from netlet.layers import Dense

pytestmark = pytest.mark.usefixtures("numpy_backend")


class Scripted(Callback):
    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["val_loss"] = self.values[epoch]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_epoch_is_saved_under_its_name_and_can_be_loaded(
    backend: str, rows: Any, make_model: Any, tmp_path: Path
) -> None:
    model = make_model()
    path = tmp_path / "new" / "folder" / "{epoch:02d}-{val_loss:.1f}.safetensors"
    history = model.fit(*rows, epochs=3, verbose=0, validation_split=0.2, callbacks=[ModelCheckpoint(path)])
    losses = history.history["val_loss"]
    assert names(path.parent) == [f"{i + 1:02d}-{losses[i]:.1f}.safetensors" for i in range(3)]
    last = netlet.load_model(path.parent / f"03-{losses[2]:.1f}.safetensors")
    assert np.array_equal(last.predict(rows[0]), model.predict(rows[0]))
    assert last.optimizer is not None
    assert last.optimizer.iterations == model.optimizer.iterations


def test_weights_alone_are_saved(rows: Any, make_model: Any, tmp_path: Path) -> None:
    model = make_model()
    path = tmp_path / "last.weights.safetensors"
    model.fit(*rows, epochs=2, verbose=0, callbacks=[ModelCheckpoint(path, save_weights_only=True)])
    other = make_model()
    other.load_weights(path)
    assert all((a == b).all() for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    with pytest.raises(ModelFormatError, match="not a model"):
        netlet.load_model(path)


@pytest.mark.parametrize(
    ("settings", "values", "saved"),
    [
        ({}, [3, 4, 2, 2, 1], [1, 3, 5]),
        ({"mode": "max"}, [3, 4, 2, 2, 5], [1, 2, 5]),
        ({"initial_value_threshold": 2.5}, [3, 4, 2, 2, 1], [3, 5]),
        ({"save_best_only": False}, [3, 4, 2], [1, 2, 3]),
    ],
)
def test_only_the_best_is_saved(
    settings: Any, values: list[float], saved: list[int], rows: Any, make_model: Any, tmp_path: Path
) -> None:
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}", **{"save_best_only": True, **settings})
    make_model().fit(*rows, epochs=len(values), verbose=0, callbacks=[Scripted(values), checkpoint])
    assert names(tmp_path) == [str(epoch) for epoch in saved]


@pytest.mark.parametrize(("steps_per_execution", "want"), [(1, ["1-4", "2-3", "3-2"]), (2, ["1-4", "2-4", "3-4"])])
def test_every_so_many_batches_are_saved(
    steps_per_execution: int, want: list[str], rows: Any, make_model: Any, tmp_path: Path
) -> None:
    model = make_model(steps_per_execution=steps_per_execution)
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=4)
    model.fit(*rows, batch_size=10, epochs=3, verbose=0, callbacks=[checkpoint])
    assert names(tmp_path) == want


def test_saving_by_epoch_does_not_ask_for_batches(tmp_path: Path) -> None:
    assert not CallbackList(ModelCheckpoint(tmp_path / "a")).wants_batches("train")
    assert CallbackList(ModelCheckpoint(tmp_path / "a", save_freq=2)).wants_batches("train")


def test_a_missing_metric_warns_and_saves(rows: Any, make_model: Any, tmp_path: Path) -> None:
    checkpoint = ModelCheckpoint(tmp_path / "a", monitor="unknown", mode="min", save_best_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with unknown available"):
        make_model().fit(*rows, verbose=0, callbacks=[checkpoint])
    assert names(tmp_path) == ["a"]


def test_a_metric_that_is_an_array_warns_and_saves(rows: Any, make_model: Any, tmp_path: Path) -> None:
    class Many(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["val_loss"] = np.ones(3)

    checkpoint = ModelCheckpoint(tmp_path / "a", save_best_only=True)
    with pytest.warns(UserWarning, match="only when `monitor` is a scalar value"):
        make_model().fit(*rows, verbose=0, callbacks=[Many(), checkpoint])
    assert names(tmp_path) == ["a"]


def test_it_says_what_it_does(rows: Any, make_model: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "a")
    checkpoint = ModelCheckpoint(path, save_best_only=True, verbose=1)
    make_model().fit(*rows, epochs=2, verbose=0, callbacks=[Scripted([1.0, 2.0]), checkpoint])
    assert capsys.readouterr().out == (
        f"\nEpoch 1: val_loss improved from None to 1.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        "\nEpoch 2: val_loss did not improve from 1.00000\n"
    )
    make_model().fit(*rows, verbose=0, callbacks=[ModelCheckpoint(path, verbose=1)])
    assert capsys.readouterr().out.startswith(f"\nEpoch 1: saving model to {path}\n")


def test_bad_arguments_are_refused_at_once(rows: Any, make_model: Any, tmp_path: Path) -> None:
    for freq in ("never", 1.5, 0):
        with pytest.raises(ValueError, match="Unrecognized save_freq"):
            ModelCheckpoint(tmp_path / "a", save_freq=freq)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"another format.*model\.weights\.safetensors"):
        ModelCheckpoint(tmp_path / "a.pkl", save_weights_only=True)
    with pytest.raises(KeyError, match="field 'val_mae' that the logs lack; they have: accuracy, loss"):
        make_model().fit(*rows, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_mae}")])
    with pytest.raises(OSError, match="is a directory; name a file"):
        make_model().fit(*rows, verbose=0, callbacks=[ModelCheckpoint(tmp_path)])


# save_weights and load_weights


def build(*names: str, units: int = 8) -> Sequential:
    return Sequential([Dense(units, input_shape=(6,), name=names[0]), Dense(4, name=names[1])])


def test_weights_find_their_layers_by_name_or_else_by_place(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    first = build("a", "b")
    first.save_weights(path)
    for other in (build("a", "b"), build("c", "d"), build("b", "a")):
        if other.layers[0].name == "b":
            with pytest.raises(ModelFormatError, match=r"'b/kernel' has shape \(6, 8\), the file's \(8, 4\)"):
                other.load_weights(path)
            continue
        other.load_weights(path)
        assert all((a == b).all() for a, b in zip(first.get_weights(), other.get_weights(), strict=True))


def test_a_square_layer_goes_where_its_name_is(tmp_path: Path) -> None:
    first = Sequential([Dense(6, input_shape=(6,), name="a"), Dense(6, name="b")])
    swapped = Sequential([Dense(6, input_shape=(6,), name="b"), Dense(6, name="a")])
    first.save_weights(tmp_path / "w")
    swapped.load_weights(tmp_path / "w")
    assert (swapped.layers[0].get_weights()[0] == first.layers[1].get_weights()[0]).all()


def test_a_mismatch_changes_nothing_unless_it_may_be_skipped(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    first, wide = build("a", "b"), build("a", "b", units=9)
    first.layers[1].set_weights([first.layers[1].get_weights()[0], np.arange(4.0)])
    first.save_weights(path)
    before = [w.tobytes() for w in wide.get_weights()]
    with pytest.raises(ModelFormatError, match=r"'a/kernel' has shape \(6, 9\), the file's \(6, 8\) \(and 2 more\)"):
        wide.load_weights(path)
    assert [w.tobytes() for w in wide.get_weights()] == before
    with pytest.warns(UserWarning, match="left as it was"):
        wide.load_weights(path, skip_mismatch=True)
    assert wide.get_weights()[3].tolist() == [0.0, 1.0, 2.0, 3.0]
    with pytest.raises(ModelFormatError, match="'c/kernel' is not in the file"):
        Sequential([Dense(8, input_shape=(6,), name="c")]).load_weights(path)


def test_a_whole_model_has_weights_too(rows: Any, make_model: Any, tmp_path: Path) -> None:
    model, other = make_model(), make_model()
    model.fit(*rows, verbose=0)
    model.save(tmp_path / "m.safetensors")
    other.load_weights(tmp_path / "m.safetensors")
    assert (other.predict(rows[0]) == model.predict(rows[0])).all()


def test_weights_files_are_checked(tmp_path: Path) -> None:
    model = build("a", "b")
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(ModelFormatError):
        model.load_weights(path)
    with pytest.raises(FileExistsError):
        model.save_weights(path, overwrite=False)
    with pytest.raises(ValueError, match="another format"):
        model.save_weights(tmp_path / "w.pkl")
    with pytest.raises(netlet.NotBuiltError):
        Sequential([Dense(3)]).save_weights(path)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nowhere")
