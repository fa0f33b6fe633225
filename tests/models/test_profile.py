"""``model.profile()``: what it names and counts, what it leaves alone, and how it prints."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, random
from netlet.backends import available_backends
from netlet.errors import NotBuiltError, NotCompiledError
from netlet.layers import Activation, Dense, Flatten
from netlet.models.profiling import Profile
from netlet.optimizers import SGD
from netlet.program import OPS, OPTIMIZERS

needs_native = pytest.mark.skipif("native" not in available_backends(), reason="the C++ extension is not installed")


def quick(model: Sequential, *args: Any, **kwargs: Any) -> Profile:
    return model.profile(*args, seconds=0.01, **kwargs)


def names(report: Profile) -> list[str]:
    return [row.name for row in report.rows]


def test_a_training_step_is_named_part_by_part(backend: str, rows: Any, make_classifier: Any) -> None:
    model = make_classifier(metrics=["accuracy"])
    first, second = (layer.name for layer in model.layers)
    report = quick(model, *rows, batch_size=10)
    if backend == "numba":
        assert names(report) == ["shuffle", "forward", "loss and metrics", "backward and update", "other"]
        assert "whole phases" in report.note
    else:
        prepare, update = (["prepare"], []) if backend == "native" else ([], ["update"])  # plain SGD, one shard
        assert names(report) == [
            *("shuffle", "gather", *prepare, f"{first} forward", f"{second} forward", "loss", "metrics"),
            *(f"{second} backward", f"{first} backward", *update, "other"),
        ]
        by_name = {row.name: row for row in report.rows}
        assert by_name[f"{first} forward"].op == "dense" and by_name["loss"].op is None
    assert report.target.partition(":")[0] == backend
    assert (report.training, report.batch_size, report.dtype) == (True, 10, "float32")
    assert report.steps >= 3 and report.model == model.name


def test_without_labels_it_is_prediction_that_is_profiled(backend: str, rows: Any, make_classifier: Any) -> None:
    model = make_classifier()
    first, second = (layer.name for layer in model.layers)
    report = quick(model, rows[0])
    ops = [f"{first} forward", f"{second} forward", "softmax forward"]
    assert (
        names(report)
        == {
            "native": [*ops, "other"],
            "numpy": ["gather", *ops, "other"],
            "numba": ["forward", "other"],
        }[backend]
    )
    assert not report.training and report.batch_size == 32


def test_a_model_that_was_never_compiled_can_profile_prediction(backend: str) -> None:
    report = quick(Sequential([Dense(3, input_shape=(4,))]), np.zeros((5, 4)), batch_size=7)
    assert report.batch_size == 5  # all rows, where there are fewer
    assert report.microseconds > 0


def test_shares_and_microseconds_add_up_to_the_step(backend: str, rows: Any, make_classifier: Any) -> None:
    for report in (quick(make_classifier(metrics=["accuracy"]), *rows), quick(make_classifier(), rows[0])):
        assert sum(row.share for row in report.rows) == pytest.approx(100)
        assert sum(row.microseconds for row in report.rows) == pytest.approx(report.microseconds)
        assert all(row.microseconds >= 0 and row.share >= 0 for row in report.rows)


def test_the_model_is_as_it_was(backend: str, rows: Any, make_classifier: Any, fingerprint: Any) -> None:
    model = make_classifier(optimizer=SGD(0.5, momentum=0.9))
    history = model.fit(*rows, epochs=2, verbose=0)
    before, recorded, drawn = fingerprint(model), dict(history.history), random.global_generator().count
    engine = model._engine
    quick(model, *rows, batch_size=8, sample_weight=np.ones(50))
    quick(model, rows[0])
    assert fingerprint(model) == before
    assert model.history is history and history.history == recorded
    assert model._engine is engine and random.global_generator().count == drawn


def test_training_goes_on_as_if_nothing_had_been(backend: str, rows: Any, make_classifier: Any) -> None:
    model = make_classifier(optimizer=SGD(0.5, momentum=0.9))
    twin = Sequential.from_config(model.get_config())
    twin.compile(SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy")
    twin.set_weights(model.get_weights())
    ends = []
    for trained, profiled in ((model, True), (twin, False)):
        random.set_random_seed(5)
        trained.fit(*rows, epochs=2, verbose=0)
        if profiled:
            quick(trained, *rows)
        trained.fit(*rows, epochs=2, verbose=0)
        ends.append(trained.get_weights())
    for got, want in zip(*ends, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_operations_are_those_of_the_specs(numpy_backend: None, rows: Any, momentum: float) -> None:
    model = Sequential([Dense(8, "relu", input_shape=(6,)), Dense(4, "softmax", use_bias=False)])
    model.compile(SGD(momentum=momentum), "sparse_categorical_crossentropy")
    report = quick(model, *rows, batch_size=10)
    first, second = (layer.name for layer in model.layers)
    flops = {row.name: row.flops for row in report.rows}
    per_element = OPS["dense"].flops([(6,)], [(6, 8), (8,)], {"activation": "relu"}) / 8
    assert per_element == 2 * 6 + 1 + 1  # products and sums, the bias, the activation
    assert flops[f"{first} forward"] == 10 * 8 * per_element
    assert flops[f"{first} backward"] == 10 * 8 * per_element  # nobody wants the gradient of the input
    assert flops[f"{second} forward"] == 10 * 4 * 2 * 8
    assert flops[f"{second} backward"] == 10 * 4 * 2 * 8 * 2
    per_param = OPTIMIZERS["sgd"].flops({"momentum": momentum, "nesterov": False})
    assert flops["update"] == (6 * 8 + 8 + 8 * 4) * per_param
    moved = {row.name: row.bytes for row in report.rows}
    assert moved["update"] == (6 * 8 + 8 + 8 * 4) * 4 * (3 if momentum == 0 else 5)
    assert moved[f"{first} forward"] == 4 * (10 * (6 + 8) + 6 * 8 + 8)
    assert moved["gather"] == 2 * 10 * (4 * 6 + 4)


def test_rates_follow_from_operations_bytes_and_time(rows: Any, make_classifier: Any) -> None:
    report = quick(make_classifier(), *rows)
    for row in report.rows:
        if row.gflops is not None:
            assert row.flops is not None
            assert row.gflops == pytest.approx(row.flops / row.microseconds / 1e3)
        if row.gigabytes is not None:
            assert row.bytes is not None and row.flops is not None and row.flops < row.bytes
            assert row.gigabytes == pytest.approx(row.bytes / row.microseconds / 1e3)


@needs_native
def test_per_cent_are_of_the_measured_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "native")
    monkeypatch.setenv("NETLET_NUM_THREADS", "1")
    model = Sequential([Dense(256, "relu", input_shape=(256,))])
    report = model.profile(np.ones((64, 256)), batch_size=64)
    assert report.threads == 1 and report.peak is not None and report.peak > 1
    row = report.rows[0]
    assert row.gflops is not None and row.of_peak == pytest.approx(100 * row.gflops / report.peak)
    assert 1 < row.of_peak < 110  # a product of 64 x 256 x 256 is no small part of it, and not above it


@needs_native
def test_threads_share_a_step_of_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "native")
    monkeypatch.setenv("NETLET_NUM_THREADS", "2")
    model = Sequential([Dense(64, "relu", input_shape=(64,)), Dense(64, "relu"), Dense(10)])
    model.compile("sgd", "mse")
    report = quick(model, np.ones((512, 64)), np.ones((512, 10)), batch_size=512)
    assert report.threads == 2
    assert "update" in names(report) and "prepare" in names(report)
    assert sum(row.share for row in report.rows) == pytest.approx(100)
    assert quick(model, np.ones((2048, 64)), batch_size=2048).threads == 2  # prediction in blocks


@pytest.mark.parametrize("training", [True, False])
def test_a_large_layer_among_small_ones_has_the_largest_share(backend: str, training: bool) -> None:
    model = Sequential([Dense(8, input_shape=(8,)), Dense(600, name="in"), Dense(600, name="slow"), Dense(4)])
    model.compile("sgd", "mse")
    x, y = np.ones((64, 8)), np.ones((64, 4))
    report = model.profile(x, y if training else None, batch_size=64, seconds=0.3)
    by_layer: dict[str, float] = {}
    for row in report.rows:
        layer = row.name.partition(" ")[0]
        by_layer[layer] = by_layer.get(layer, 0.0) + row.share
    assert max(by_layer, key=lambda layer: by_layer[layer]) == "slow"
    assert by_layer["slow"] > 40


def test_layers_without_weights_and_fused_ones_keep_their_names(numpy_backend: None) -> None:
    model = Sequential(
        [Input((2, 3)), Activation("gelu", name="bend"), Flatten(), Dense(4, name="wide"), Activation("tanh"), Dense(2)]
    )
    last = model.layers[-1].name
    assert names(quick(model, np.ones((3, 2, 3)))) == [
        *("gather", "bend forward", "wide forward", f"{last} forward", "other")
    ]


def test_float64_and_regression(backend: str) -> None:
    model = Sequential([Dense(3, "tanh", input_shape=(2,)), Dense(1)], dtype="float64")
    model.compile("sgd", "mse", metrics=["mae"])
    report = quick(model, np.ones((9, 2)), np.ones((9, 1)), batch_size=4)
    assert report.dtype == "float64" and report.microseconds > 0


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no rows a step": ({"batch_size": 0}, ValueError, "batch_size must be a positive integer, got 0"),
    "half a row": ({"batch_size": 1.5}, ValueError, "batch_size must be a positive integer"),
    "no time": ({"seconds": 0}, ValueError, "seconds must be a number above 0 and at most 3600, got 0"),
    "negative time": ({"seconds": -1.0}, ValueError, "seconds must be"),
    "time that is none": ({"seconds": float("nan")}, ValueError, "seconds must be"),
    "text for time": ({"seconds": "long"}, ValueError, "seconds must be"),
    "weights without labels": ({"y": None, "sample_weight": np.ones(50)}, ValueError, "sample_weight needs y"),
    "fewer labels": ({"y": np.zeros(49, int)}, ValueError, "x has 50 rows, y has 49"),
    "fewer weights": ({"sample_weight": np.ones(49)}, ValueError, "sample_weight"),
    "wrong input": ({"x": np.ones((50, 5))}, ValueError, r"input has shape \(50, 5\), expected \(None, 6\)"),
    "no input": ({"x": np.ones((0, 6)), "y": np.zeros(0, int)}, ValueError, "no rows"),
    "batches": ({"x": iter([]), "y": None}, TypeError, "x must be rows, not an iterable of batches"),
    "text": ({"x": "rows"}, TypeError, "expected an array of numbers"),
}


@pytest.mark.parametrize("defect", BAD)
def test_a_bad_argument_is_named_and_changes_nothing(
    defect: str, backend: str, rows: Any, make_classifier: Any, fingerprint: Any
) -> None:
    change, error, message = BAD[defect]
    model = make_classifier()
    before = fingerprint(model)
    with pytest.raises(error, match=message):
        model.profile(**{"x": rows[0], "y": rows[1], "seconds": 0.01, **change})
    assert fingerprint(model) == before


def test_what_the_model_lacks_is_said(numpy_backend: None, rows: Any) -> None:
    with pytest.raises(NotBuiltError, match="no layers"):
        Sequential().profile(rows[0])
    model = Sequential([Dense(4, input_shape=(6,))])
    with pytest.raises(NotCompiledError, match=r"call compile\(\) before profile\(\)"):
        model.profile(*rows)


def test_another_threads_training_is_not_disturbed(numpy_backend: None, rows: Any, make_classifier: Any) -> None:
    model, entered, done = make_classifier(), threading.Event(), threading.Event()

    def hold() -> None:
        with model._guard("fit"):
            entered.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert entered.wait(30)
    try:
        with pytest.raises(RuntimeError, match="profile cannot run while another thread runs fit"):
            model.profile(*rows)
    finally:
        done.set()
        other.join()


def test_ctrl_c_ends_it(backend: str, rows: Any, make_classifier: Any, fingerprint: Any) -> None:
    model = make_classifier()
    quick(model, *rows)  # what is compiled at first use is compiled
    before = fingerprint(model)
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.profile(*rows, seconds=60)
    waited = time.monotonic() - sent[0]
    timer.join()
    assert waited < 1.0
    assert fingerprint(model) == before
    model.predict(rows[0], verbose=0)


def test_it_prints_as_an_aligned_table(backend: str, rows: Any, make_classifier: Any) -> None:
    model = make_classifier(metrics=["accuracy"])
    report = quick(model, *rows, batch_size=10)
    title, where, empty, head, rule, *lines = str(report).splitlines()
    assert title == f'Profile of "{model.name}": a training step of 10 rows'
    assert where.startswith(f"float32 on {backend}") and where.endswith(f"{report.steps:,} steps timed")
    assert empty == "" and set(rule) == {"-"} and len(rule) == len(head)
    assert head.split() == ["part", "µs", "share", "GFLOP/s", "of", "peak", "GB/s"]
    table = lines[: len(report.rows)]
    assert [line[: len(row.name)] for line, row in zip(table, report.rows, strict=True)] == names(report)
    end = head.index("share") + len("share")
    assert {line[end - 2 : end] for line in table} == {" %"}
    assert lines[len(report.rows)] == rule
    total = lines[len(report.rows) + 1].split()
    assert total[0] == "step" and total[2:4] == ["100.0", "%"]
    assert "".join(lines[len(report.rows) + 2 :]).replace(" ", "") == (report.note and f"{report.note}.").replace(
        " ", ""
    )


def test_it_is_plain_data_and_html(numpy_backend: None, rows: Any) -> None:
    model = Sequential([Dense(4, input_shape=(6,))], name="a<b>")
    report = quick(model, rows[0])
    data = report.to_dict()
    assert json.loads(json.dumps(data)) == {**data, "rows": list(data["rows"])}
    assert data["rows"][-1]["name"] == "other" and data["microseconds"] == report.microseconds
    page = report._repr_html_()
    assert "a&lt;b&gt;" in page and "a<b>" not in page
    assert page.count("<tr>") == len(report.rows) + 2 == page.count("</tr>")
