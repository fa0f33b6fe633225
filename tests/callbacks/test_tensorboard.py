"""TensorBoard's own reader finds in the event files what was logged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Model
from netlet.callbacks import CallbackList, TensorBoard
from netlet.layers import BatchNormalization, Concatenate, Dense, Embedding, Flatten, Input

pytestmark = [
    pytest.mark.usefixtures("numpy_backend"),
    # of the packages that write and read the files, not of ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    return found.Reload()


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = events(folder)
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def steps(folder: Path) -> dict[str, list[int]]:
    return {tag: [step for step, _ in entries] for tag, entries in scalars(folder).items()}


def test_epochs_and_validations_are_scalars(rows: Any, make_model: Any, tmp_path: Path) -> None:
    model = make_model()
    history = model.fit(
        *rows, batch_size=10, epochs=2, verbose=0, validation_split=0.2, callbacks=[TensorBoard(tmp_path)]
    )
    record = {name: [np.float32(v) for v in values] for name, values in history.history.items()}
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert train == {
        "epoch_loss": list(enumerate(record["loss"])),
        "epoch_accuracy": list(enumerate(record["accuracy"])),
        "epoch_learning_rate": [(0, np.float32(0.05)), (1, np.float32(0.05))],
    }
    assert validation == {
        "epoch_loss": list(enumerate(record["val_loss"])),
        "epoch_accuracy": list(enumerate(record["val_accuracy"])),
        "evaluation_loss_vs_iterations": list(zip([4, 8], record["val_loss"], strict=True)),
        "evaluation_accuracy_vs_iterations": list(zip([4, 8], record["val_accuracy"], strict=True)),
    }


def test_no_validation_no_file_of_it(rows: Any, make_model: Any, tmp_path: Path) -> None:
    make_model().fit(*rows, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


@pytest.mark.parametrize(("freq", "want"), [("batch", list(range(1, 11))), (1, list(range(1, 11))), (3, [3, 6, 9])])
def test_batches_are_scalars_every_so_often(
    freq: Any, want: list[int], rows: Any, make_model: Any, tmp_path: Path
) -> None:
    board = TensorBoard(tmp_path, update_freq=freq, write_steps_per_second=True)
    make_model().fit(*rows, batch_size=10, epochs=2, verbose=0, callbacks=[board])
    found = steps(tmp_path / "train")
    assert found["batch_loss"] == found["batch_accuracy"] == found["batch_steps_per_second"] == want
    assert found["epoch_steps_per_second"] == [0, 1]


def test_epochs_alone_ask_for_no_batches(tmp_path: Path) -> None:
    assert not CallbackList(TensorBoard(tmp_path)).wants_batches("train")
    assert CallbackList(TensorBoard(tmp_path, update_freq=2)).wants_batches("train")


def test_a_callback_serves_again(rows: Any, make_model: Any, tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    for _ in range(2):
        make_model().fit(*rows, verbose=0, callbacks=[board])
    assert len(list((tmp_path / "train").iterdir())) == 2


def test_weights_are_histograms_and_images(rows: Any, make_model: Any, tmp_path: Path) -> None:
    model = make_model()
    model.fit(*rows, epochs=3, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=2, write_images=True)])
    found = events(tmp_path / "train")
    paths = [weight.path for weight in model.weights]
    assert sorted(found.Tags()["histograms"]) == sorted(f"{path}/histogram" for path in paths)
    assert sorted(found.Tags()["images"]) == sorted(f"{path}/image" for path in paths)
    kernel = model.weights[0]
    written = found.Histograms(f"{kernel.path}/histogram")
    assert [entry.step for entry in written] == [0, 2]
    value = written[-1].histogram_value
    assert (value.num, value.min, value.max) == (48, kernel.numpy().min(), kernel.numpy().max())
    image = found.Images(f"{kernel.path}/image")[-1]
    assert (image.height, image.width) == (6, 8)


def test_the_graph_has_the_ops_and_what_they_read(tmp_path: Path) -> None:
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Concatenate()([Dense(4, "relu", name="first")(a), b])
    model = Model([a, b], Dense(1, name="last")(BatchNormalization(name="norm")(h)))
    model.compile("sgd", "mse")
    x = [np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)]
    model.fit(x, np.ones(4), verbose=0, callbacks=[TensorBoard(tmp_path / "on")])
    graph = events(tmp_path / "on" / "train").Graph()
    nodes = {node.name: node for node in graph.node}
    assert len(nodes) == len(graph.node)
    assert {name for node in graph.node for name in node.input} <= set(nodes)
    assert {"input_a", "input_b", "first/kernel", "norm/gamma", "norm/moving_mean", "last/bias"} <= set(nodes)
    first = next(node for node in graph.node if node.op == "dense" and node.name.startswith("first/"))
    assert list(first.input) == ["input_a", "first/kernel", "first/bias"]
    model.fit(x, np.ones(4), verbose=0, callbacks=[TensorBoard(tmp_path / "off", write_graph=False)])
    assert not events(tmp_path / "off" / "train").Tags()["graph"]


def test_embeddings_are_saved_with_their_labels(tmp_path: Path) -> None:
    model = netlet.Sequential([Input((2,)), Embedding(5, 3, name="words"), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 2), np.int32)
    board = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "labels.tsv"})
    model.fit(x, np.ones(4), epochs=2, verbose=0, callbacks=[board])
    assert (tmp_path / "projector_config.pbtxt").read_text() == (
        'embeddings {\n  tensor_name: "words/embeddings"\n'
        '  tensor_path: "words.tsv"\n  metadata_path: "labels.tsv"\n}\n'
    )
    written = np.loadtxt(tmp_path / "words.tsv", delimiter="\t").astype(np.float32)
    assert np.array_equal(written, model.layers[0].get_weights()[0])
    with pytest.raises(ValueError, match=r"names \['sentences'\], which are no Embedding layers"):
        model.fit(
            x,
            np.ones(4),
            verbose=0,
            callbacks=[TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"sentences": "l"})],
        )


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="update_freq must be 'epoch', 'batch' or a number"):
        TensorBoard(tmp_path, update_freq="step")
    with pytest.raises(ValueError, match="profile_batch must be 0"):
        TensorBoard(tmp_path, profile_batch=2)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("TensorBoard", "tensorboardX", "tensorboard"),
        ("RichProgress", "rich", "rich"),
        ("RemoteMonitor", "requests", "remote"),
    ],
)
def test_without_its_package_the_error_names_the_extra(name: str, package: str, extra: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from netlet import callbacks\n"
        f"try:\n    callbacks.{name}()\nexcept ImportError as error:\n    print(error)"
    )
    env = {"PYTHONPATH": ":".join([str(Path(netlet.__file__).parent.parent), *sys.path])}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert out == f"{name} needs the package {package}: pip install 'netlet[{extra}]'\n"
