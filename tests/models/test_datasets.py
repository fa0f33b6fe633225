"""Generators, loaders, datasets by number and mapped files train as arrays do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Model, Sequential, random
from netlet.callbacks import Callback
from netlet.layers import Concatenate, Dense, Input
from netlet.models import datasets
from netlet.models.data import is_batches


class Tensor:
    """What a tensor of PyTorch's is to us; one that needs a gradient refuses to be an array by itself."""

    def __init__(self, array: np.ndarray, needs_gradient: bool = False) -> None:
        self.array, self.needs_gradient = array, needs_gradient
        self.shape = array.shape

    def detach(self) -> Tensor:
        return Tensor(self.array)

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        if self.needs_gradient:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy()

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.array[index])


class OnlyNumpy:
    """Anything that has ``numpy()`` and no more."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def numpy(self) -> np.ndarray:
        return self.array


class Loader:
    """As PyTorch's DataLoader: batches are lists of tensors; begun anew each time."""

    def __init__(self, *arrays: np.ndarray, size: int = 10) -> None:
        self.arrays, self.size = arrays, size
        self.begun = 0

    def __len__(self) -> int:
        return -(-len(self.arrays[0]) // self.size)

    def __iter__(self) -> Iterator[list[Tensor]]:
        self.begun += 1
        for i in range(len(self)):
            yield [Tensor(a[self.size * i : self.size * (i + 1)], needs_gradient=True) for a in self.arrays]


class Dataset:
    """As Keras' PyDataset."""

    def __init__(self, *arrays: Any, size: int = 10, batches: int | None = 5) -> None:
        self.arrays, self.size, self.num_batches = arrays, size, batches
        self.asked: list[int] = []
        self.epochs: list[str] = []

    def __getitem__(self, i: int) -> Any:
        self.asked.append(i)
        first = self.size * (i % 5)
        return tuple(a[first : first + self.size] for a in self.arrays)

    def on_epoch_begin(self) -> None:
        self.epochs.append("begin")

    def on_epoch_end(self) -> None:
        self.epochs.append("end")


class Sequence:
    """As Keras' old Sequence: no ``__iter__``, no ``num_batches``."""

    def __init__(self, *arrays: np.ndarray) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return 5

    def __getitem__(self, i: int) -> Any:
        return tuple(a[10 * i : 10 * i + 10] for a in self.arrays)


def state(model: Sequential) -> list[bytes]:
    return [w.tobytes() for w in model.get_weights()]


@pytest.mark.parametrize("kind", [Loader, Dataset, Sequence])
def test_batches_train_evaluate_and_predict_as_arrays_do(
    kind: Any, backend: str, rows: Any, make_classifier: Any
) -> None:
    x, y = rows
    found = []
    for data in (None, kind(x, y)):
        netlet.set_random_seed(1)
        model = make_classifier(metrics=["accuracy"])
        fit = {"x": x, "y": y, "batch_size": 10} if data is None else {"x": data}
        history = model.fit(**fit, epochs=2, verbose=0, shuffle=False, validation_data=data or (x, y))
        evaluated = model.evaluate(verbose=0, **({"x": x, "y": y} if data is None else {"x": data}))
        predicted = model.predict(x if data is None else kind(x))
        found.append((state(model), history.history, history.params["steps"], evaluated, predicted))
    assert np.allclose(found[0][4], found[1][4], rtol=1e-6)  # a product may round otherwise in blocks of other sizes
    assert found[0][0] == found[1][0]
    assert found[0][2] == found[1][2] == 5
    assert found[0][3] == pytest.approx(found[1][3], rel=1e-12)


def test_loaders_are_begun_anew_for_each_epoch(rows: Any, make_classifier: Any, numpy_backend: None) -> None:
    loader = Loader(*rows)
    steps: list[int] = []

    class Count(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            steps.append(batch)

    make_classifier().fit(loader, epochs=3, verbose=0, callbacks=[Count()])
    assert steps == [0, 1, 2, 3, 4] * 3
    assert loader.begun == 4  # once to look at the first batch
    model = make_classifier()
    assert model.fit(loader, epochs=2, steps_per_epoch=2, verbose=0).params["steps"] == 2
    assert model.optimizer.iterations == 4


def test_a_loader_that_overstates_its_length_ends_its_epochs_early(
    rows: Any, make_classifier: Any, numpy_backend: None
) -> None:
    class Boast(Loader):
        def __len__(self) -> int:
            return 7

        def __iter__(self) -> Iterator[Any]:
            return iter([(self.arrays[0], self.arrays[1])] * 3)

    model = make_classifier()
    assert model.fit(Boast(*rows), epochs=2, verbose=0).epoch == [0, 1]
    assert model.optimizer.iterations == 6


def test_a_stream_without_length_is_an_iterable(rows: Any, make_classifier: Any, numpy_backend: None) -> None:
    class Stream(Loader):
        def __len__(self) -> int:
            raise TypeError("object of type 'IterableDataset' has no len()")

        def __iter__(self) -> Iterator[Any]:
            return iter([(self.arrays[0], self.arrays[1])] * 3)

    model = make_classifier()
    assert model.fit(Stream(*rows), epochs=2, verbose=0).params["steps"] is None
    assert model.optimizer.iterations == 6


def test_the_order_of_a_datasets_batches_is_drawn_for_each_epoch(
    rows: Any, make_classifier: Any, numpy_backend: None
) -> None:
    data = Dataset(*rows)
    model = make_classifier()
    model.fit(data, epochs=2, verbose=0)
    seed = model._shuffle_seed
    want = [int(i) for epoch in range(2) for i in random.permutation(seed, epoch, 5)]
    assert data.asked == [0, *want]  # the first to look at it
    assert data.epochs == ["begin", "end"] * 2
    data.asked.clear()
    model.fit(data, epochs=2, verbose=0, shuffle=False)
    assert data.asked == [0, *range(5), *range(5)]


def test_a_dataset_continues_its_pass_with_steps_per_epoch(
    rows: Any, make_classifier: Any, numpy_backend: None
) -> None:
    data = Dataset(*rows, batches=4)
    make_classifier().fit(data, epochs=3, steps_per_epoch=2, verbose=0, shuffle=False)
    assert data.asked[1:] == [0, 1, 2, 3, 0, 1]
    loader = Loader(rows[0][:40], rows[1][:40])
    make_classifier().fit(loader, epochs=4, steps_per_epoch=2, verbose=0)
    assert loader.begun == 3  # to look at the first batch, and for two passes
    endless = Dataset(*rows, batches=None)
    model = make_classifier()
    with pytest.raises(ValueError, match=r"has no end.*give steps_per_epoch"):
        model.fit(endless, verbose=0)
    model.fit(endless, epochs=2, steps_per_epoch=4, verbose=0)
    assert endless.asked[-8:] == list(range(8))
    with pytest.raises(ValueError, match=r"has no end.*give steps"):
        model.evaluate(endless, verbose=0)
    assert len(model.predict(Dataset(rows[0], batches=None), steps=3)) == 30
    with pytest.raises(ValueError, match="has no batches"):
        model.fit(Dataset(*rows, batches=0), verbose=0)


def test_class_weights_reach_the_batches_of_a_dataset(rows: Any, make_classifier: Any, numpy_backend: None) -> None:
    x, y = rows
    weights = {0: 3.0, 2: 0.5}
    found = []
    for data in ({"x": x, "y": y, "batch_size": 10}, {"x": Dataset(x, y)}):
        netlet.set_random_seed(1)
        model = make_classifier()
        model.fit(**data, shuffle=False, verbose=0, class_weight=weights)
        found.append(state(model))
    assert found[0] == found[1]
    with pytest.raises(ValueError, match="cannot be given together"):
        make_classifier().fit(Dataset(x, y, np.ones(50)), verbose=0, class_weight=weights)
    with pytest.raises(ValueError, match="class_weight must be None"):
        make_classifier().fit(Loader(x, y), verbose=0, class_weight=weights)


def test_sample_weights_come_with_the_batches(rows: Any, make_classifier: Any, numpy_backend: None) -> None:
    x, y = rows
    w = np.linspace(0, 1, 50)
    found = []
    for data in ({"x": x, "y": y, "sample_weight": w, "batch_size": 10}, {"x": Dataset(x, y, w)}):
        netlet.set_random_seed(1)
        model = make_classifier()
        model.fit(**data, shuffle=False, verbose=0)
        found.append(state(model))
    assert found[0] == found[1]


def test_what_holds_rows_is_not_taken_for_batches(rows: Any) -> None:
    x, y = rows
    for holds in (x, [x], (x, x), {"a": x}, x.tolist(), Tensor(x), "text"):
        assert not is_batches(holds)
    for yields in (iter([]), Loader(x, y), Dataset(x, y), Sequence(x, y), (b for b in [x])):
        assert is_batches(yields)


def test_tensors_are_arrays_wherever_they_come_from(rows: Any, make_classifier: Any, numpy_backend: None) -> None:
    x, y = rows
    model = make_classifier()
    want = model.predict(x)
    assert (model.predict(Tensor(x, needs_gradient=True)) == want).all()
    assert (model.predict(OnlyNumpy(x)) == want).all()
    assert model.evaluate(OnlyNumpy(x), Tensor(y, needs_gradient=True), verbose=0) == model.evaluate(x, y, verbose=0)


def test_dicts_name_the_inputs_in_batches_too(backend: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((50, 3)).astype(np.float32), rng.standard_normal((50, 2)).astype(np.float32)
    y = rng.standard_normal((50, 1)).astype(np.float32)

    class Named(Dataset):
        def __getitem__(self, i: int) -> Any:
            part = slice(10 * i, 10 * i + 10)
            return {"b": b[part], "a": a[part]}, y[part]

    def made() -> Any:
        netlet.set_random_seed(1)
        inputs = [Input((3,), name="a"), Input((2,), name="b")]
        model = Model(inputs, Dense(1)(Concatenate()(inputs)))
        model.compile("sgd", "mse")
        return model

    found = []
    for data in (
        {"x": {"b": b, "a": a}, "y": y, "batch_size": 10},
        {"x": Named()},
        {"x": (Named()[i] for i in range(5))},
    ):
        model = made()
        model.fit(**data, shuffle=False, verbose=0)
        found.append(state(model))
    assert found[0] == found[1] == found[2]
    assert np.allclose(made().predict(Named()), made().predict([a, b]), rtol=1e-6)


def test_an_inputs_batch_size_is_that_of_batches(numpy_backend: None) -> None:
    x = np.ones((16, 2), np.float32)
    model = Sequential([Input((2,), batch_size=4), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], batch_size=4, verbose=0)
    assert model.predict(x, batch_size=4).shape == (16, 1)


# Files mapped to memory


@pytest.fixture
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MAPPED_LIMIT", 0)


def mapped(x: np.ndarray, path: Path, dtype: Any) -> np.ndarray:
    disk = np.memmap(path, dtype, "w+", shape=x.shape)
    disk[:] = x
    disk.flush()
    return np.memmap(path, dtype, "r", shape=x.shape)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8, ">f4"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_mapped_file_trains_with_the_bits_of_memory(
    dtype: Any, shuffle: bool, backend: str, make_classifier: Any, tmp_path: Path, no_limit: None
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, (50, 6)).astype(np.float32), rng.integers(0, 4, 50)
    disk = mapped(x, tmp_path / "x", dtype)
    assert datasets.is_mapped(disk, "float32")
    found = []
    for data in (x, disk):
        netlet.set_random_seed(1)
        model = make_classifier(metrics=["accuracy"])
        history = model.fit(data, y, batch_size=8, epochs=2, verbose=0, shuffle=shuffle, validation_split=0.2)
        evaluated = model.evaluate(data, y, batch_size=8, verbose=0)
        found.append((state(model), history.history["loss"], evaluated, model.predict(data)))
        assert (
            model.fit(data, y, verbose=0, epochs=1, validation_data=(data, y)).history.keys() == history.history.keys()
        )
    assert found[0][0] == found[1][0]
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12)  # float64 sums in another order
    assert found[0][2] == pytest.approx(found[1][2], rel=1e-12)
    assert np.allclose(found[0][3], found[1][3], rtol=1e-6)


def test_a_mapped_file_is_never_read_whole(
    make_classifier: Any, numpy_backend: None, tmp_path: Path, no_limit: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((500, 6)), rng.integers(0, 4, 500)
    disk = mapped(x, tmp_path / "x", np.float64)
    largest = 0
    original = datasets.MappedRows.take

    def watched(self: Any, index: Any) -> Any:
        nonlocal largest
        taken = original(self, index)
        largest = max(largest, len(taken[0]))
        return taken

    monkeypatch.setattr(datasets.MappedRows, "take", watched)
    model = make_classifier()
    model.fit(disk, y, batch_size=16, verbose=0, validation_split=0.1, class_weight={1: 2.0})
    model.evaluate(disk, y, batch_size=16, verbose=0)
    assert model.predict(disk, batch_size=16).shape == (500, 4)
    assert largest == 16


def test_a_small_or_fitting_mapped_file_is_an_array(tmp_path: Path) -> None:
    x = np.ones((4, 6))
    assert not datasets.is_mapped(mapped(x, tmp_path / "a", np.float64), "float32")
    assert not datasets.is_mapped(x, "float32")


def test_mapped_rows_and_labels_must_be_as_many(make_classifier: Any, tmp_path: Path, no_limit: None) -> None:
    disk = mapped(np.ones((9, 6)), tmp_path / "x", np.float64)
    with pytest.raises(ValueError, match="x has 9 rows, y has 8"):
        make_classifier().fit(disk, np.zeros(8), verbose=0)
