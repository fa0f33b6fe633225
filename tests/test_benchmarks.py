"""The benchmarks check what they claim to check: answers, shuffling, and a table that shows who loses."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import platform
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the benchmarks are no part of the installed package

import netlet
from benchmarks import (
    anatomy,
    compare,
    contest,
    figures,
    footprint,
    probe,
    readme,
    reference,
    rounding,
    scaling,
    streaming,
    threads,
    worker,
)
from benchmarks.cases import (
    CASES,
    GROWTH,
    INFERENCE,
    PROBE,
    PRODUCTS,
    SWEEPS,
    TRAINING,
    Goal,
    InferenceCase,
    ProductCase,
    TrainingCase,
    format_widths,
)
from benchmarks.contest import ROOT
from benchmarks.contestants import ALL, CONTESTANTS, ISAS, before, chosen
from benchmarks.data import Array, Data, Factors, inference_rows, initial_weights, product_factors, training_data
from benchmarks.peers import fma_peak, netlet_model, numpy_loop, weight_read

SMALL = (
    TrainingCase("small_mse", (5, 7, 3), 4, 16, 1, "mean_squared_error", hidden="tanh", learning_rate=0.1),
    TrainingCase("small_entropy", (6, 8, 4), 8, 32, 1, "softmax_cross_entropy", learning_rate=0.1),
)


@pytest.mark.parametrize("case", [c for c in CASES.values() if isinstance(c, TrainingCase)], ids=str)
def test_training_cases_are_whole_epochs_of_learnable_data(case: TrainingCase) -> None:
    assert case.rows == case.steps * case.batch
    small = dataclasses.replace(case, rows=2 * case.batch) if case.batch < 1000 else case
    data, weights = training_data(small), initial_weights(case)
    assert data.x.shape == (small.rows, case.widths[0])
    assert [w.shape for w in weights[::2]] == [(layer.inputs, layer.outputs) for layer in case.layers]
    if case.loss == "softmax_cross_entropy":
        assert data.y.shape == (small.rows,)
        assert 0 <= data.y.min() <= data.y.max() < case.widths[-1]
    else:
        assert data.y.shape == (small.rows, case.widths[-1])


@pytest.mark.parametrize("case", [c for c in (*TRAINING, *INFERENCE) if max(c.widths) < 512], ids=str)
def test_data_and_weights_are_the_same_every_time(case: Any) -> None:
    for first, second in zip(initial_weights(case), initial_weights(case), strict=True):
        assert np.array_equal(first, second)
    if isinstance(case, InferenceCase):
        assert np.array_equal(inference_rows(case), inference_rows(case))
    else:
        assert np.array_equal(training_data(case).x, training_data(case).x)


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(CASES) == len(TRAINING) + len(INFERENCE) + len(PRODUCTS) + len(GROWTH)
    assert len(CONTESTANTS) == len(ALL)
    assert format_widths((784, 512, 512, 10)) == "784-512-512-10"
    assert format_widths((64,) * 5 + (10,)) == "5x64-10"


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_a_sweep_changes_one_size(sweep: Any) -> None:
    sizes = [size for size, _ in sweep.points]
    assert sizes == sorted(set(sizes)) and len(sizes) > 4
    for size, name in sweep.points:
        case: Any = CASES[name]
        assert case.kind == sweep.name.partition("_")[0]
        assert size == {"width": case.widths[0], "batch": case.batch, "depth": len(case.layers)}[sweep.axis]
    cases: list[Any] = [CASES[name] for _, name in sweep.points]
    same = {"width": lambda c: (len(c.widths), c.batch), "batch": lambda c: c.widths, "depth": lambda c: c.batch}
    assert len({same[sweep.axis](case) for case in cases}) == 1


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_reference_gradient_is_the_derivative_of_the_loss(case: TrainingCase) -> None:
    data = training_data(case)
    weights = [w.astype(np.float64) for w in initial_weights(case)]
    for w, dw in zip(weights, reference.gradients(case, weights, data.x, data.y), strict=True):
        for index in np.ndindex(w.shape):
            value, h = w[index], 1e-5
            w[index] = value + h
            above = reference.loss(case, weights, data.x, data.y)
            w[index] = value - h
            below = reference.loss(case, weights, data.x, data.y)
            w[index] = value
            assert (above - below) / (2 * h) == pytest.approx(dw[index], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_numpy_loop_agrees_with_the_reference(case: TrainingCase) -> None:
    data, weights = training_data(case), initial_weights(case)
    want = reference.train(case, data, weights, 3)
    training = numpy_loop.prepare_training(case, data, weights, {})
    training.run(3, False)
    checked = dataclasses.replace(case, check_epochs=3)
    assert contest.distance(case, training.weights(), want) <= contest.tolerance(checked, want)


def test_numpy_prediction_agrees_with_the_reference() -> None:
    for case in (InferenceCase((6, 8, 4), 5), InferenceCase((5, 3), 1, output="linear")):
        predict = numpy_loop.prepare_inference(case, initial_weights(case), {})
        assert contest.distance(case, [predict(inference_rows(case))], reference.answer(case)) < 1e-6


@pytest.mark.parametrize("direction", ["forward", "gradients"])
def test_products_agree_with_the_reference(direction: Any) -> None:
    case = ProductCase(5, 3, 7, direction)
    factors, want = product_factors(case), reference.answer(case)
    assert [a.shape for a in want] == [(5, 3), (5, 7), (7, 3)][: 3 if direction == "gradients" else 1]
    for peer in (numpy_loop, netlet_model):
        got = peer.prepare_product(case, factors, {})()
        assert contest.distance(case, got, want) < contest.tolerance(case, want)
    assert case.flops == 2 * 5 * 3 * 7 * len(want)


def test_a_product_in_half_precision_is_a_wrong_answer() -> None:
    case = ProductCase(64, 48, 1024)
    factors, want = product_factors(case), reference.answer(case)
    exact = reference.products(case, factors)
    assert contest.distance(case, exact, want) < contest.tolerance(case, want) / 3
    # Ten bits of fraction, as float16 and TensorFloat-32 have.
    rounded = Factors(*(a.astype(np.float16).astype(np.float32) for a in (factors.x, factors.kernel, factors.dy)))
    assert contest.distance(case, reference.products(case, rounded), want) > 3 * contest.tolerance(case, want)


def test_the_bound_is_above_a_matrix_product() -> None:
    """It runs on one thread here and is held against one 256 x 256 product of NumPy's on one thread."""
    pytest.importorskip("llvmlite")
    threadpoolctl = pytest.importorskip("threadpoolctl")
    if reason := fma_peak.available({"isa": None}):
        pytest.skip(reason)
    case = ProductCase(256, 256, 256)
    multiply = numpy_loop.prepare_product(case, product_factors(case), {})

    def seconds(unit: Any, times: int) -> float:
        unit()
        spent = []
        for _ in range(times):
            begin = time.thread_time()
            unit()
            spent.append(time.thread_time() - begin)
        return min(spent)

    loop, flops = fma_peak._compile(str(fma_peak._isa({"isa": None})))
    turns = 200_000
    peak = turns * flops / seconds(lambda: loop(turns, 0.999, 0.001), 10)
    with threadpoolctl.threadpool_limits(1):
        reached = case.flops / seconds(multiply, 30)
    assert 0.02 * peak < reached < 1.05 * peak


def _bfloat16(a: Array) -> Array:
    """Rounded to eight bits of fraction, in the type that it has."""
    bits = np.ascontiguousarray(a, np.float32).view(np.uint32)
    rounded: Array = ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32).astype(a.dtype)
    return rounded


class _Rounded(np.ndarray[Any, Any]):
    """Its products are of factors in bfloat16."""

    def __matmul__(self, other: Any) -> Any:
        return (_bfloat16(self.view(np.ndarray)) @ _bfloat16(other.view(np.ndarray))).view(_Rounded)


@pytest.mark.parametrize("case", [c for c in TRAINING if not c.slow], ids=str)
def test_a_training_that_is_not_the_same_is_a_wrong_answer(case: TrainingCase) -> None:
    data, weights, want = training_data(case), initial_weights(case), reference.answer(case)
    allowed = contest.tolerance(case, want)

    def off(got: list[Array]) -> float:
        return contest.distance(case, got, want)

    float32 = numpy_loop.prepare_training(case, data, weights, {})
    float32.run(case.check_epochs, False)
    assert off(float32.weights()) <= allowed
    assert off(weights) == pytest.approx(1), "nothing was done"

    faster = dataclasses.replace(case, learning_rate=1.01 * case.learning_rate)
    assert off(reference.train(faster, data, weights, case.check_epochs)) > 2 * allowed

    row = case.rows // 2  # one before it has faded by the end of 1,000 steps
    missed = Data(data.x.copy(), data.y.copy())
    missed.x[row], missed.y[row] = data.x[row - 1], data.y[row - 1]
    assert off(reference.train(case, missed, weights, case.check_epochs)) > 2 * allowed

    coarse = Data(data.x.view(_Rounded), data.y)
    half = reference.train(case, coarse, [w.view(_Rounded) for w in weights], case.check_epochs)
    assert off([np.asarray(w) for w in half]) > 2 * allowed


@pytest.mark.parametrize("case", [c for c in TRAINING if c.hidden == "relu" and not c.slow], ids=str)
def test_no_layer_of_relus_is_dead(case: TrainingCase) -> None:
    """Nothing would be checked of the layers before it."""
    data, weights = training_data(case), initial_weights(case)
    for values in reference.forward(case, weights, data.x)[1:-1]:
        assert (values > 0).any(axis=0).mean() > 0.5


def test_edges_switch_relus_on_or_off() -> None:
    case = TrainingCase("edge", (1, 2, 1), 1, 1, 1, "mean_squared_error")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    weights = [np.array([[1.0, -1e-7]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)]

    def moved(edge: float) -> list[bool]:
        return (reference.gradients(case, weights, x, y, edge)[0][0] != 0).tolist()

    assert moved(0) == moved(1e-6) == [True, False]
    assert moved(-1e-6) == [True, True]
    weights[0][0, 1] = 1e-7
    assert moved(1e-6) == [True, False]


def test_trainings_in_float32_are_in_the_cases_own_order() -> None:
    for case in SMALL:
        want = reference.answer(case)
        found = [contest.distance(case, got, want) for got in rounding.trainings(case)]
        assert len(found) == rounding.TRAININGS
        assert min(found) > 1e-8 and max(found) < 1e-5


def test_a_shape_or_nan_is_infinitely_far() -> None:
    case = CASES["seed_linear"]
    want = reference.answer(case)
    assert contest.distance(case, [want[0].ravel(), want[1]], want) == np.inf
    assert contest.distance(case, [want[0] * np.nan, want[1]], want) == np.inf


def test_probe_tells_a_shuffled_epoch_from_others() -> None:
    data, weights = training_data(PROBE), initial_weights(PROBE)
    order = np.random.default_rng(3).permutation(PROBE.rows)

    def after(rows: np.ndarray) -> str | None:
        shuffled = Data(data.x[rows], data.y[rows])
        return probe.fault(reference.train(PROBE, shuffled, weights, 1))

    assert after(order) is None
    assert "own order" in str(after(np.arange(PROBE.rows)))
    assert "0 to 2 times" in str(after(np.concatenate([order[:-8], order[:8]])))
    assert probe.fault(weights) is not None
    fewer = dataclasses.replace(PROBE, batch=4)
    assert probe.fault(reference.train(fewer, data, weights, 1)) is not None


def test_contest_alternates_and_refuses_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    case, contestants = CASES["seed_linear"], [CONTESTANTS["numpy"], CONTESTANTS["netlet-numpy"]]
    with contest.Contest(rounds=3, budget=0.001, quick=True) as running:
        asked: list[str] = []
        ask = contest.Process.ask

        def listen(process: contest.Process, command: str, **arguments: Any) -> dict[str, Any]:
            asked.extend([process.contestant.name] if command == "time" else [])
            return ask(process, command, **arguments)

        monkeypatch.setattr(contest.Process, "ask", listen)
        entries = running.run(case, contestants)
        for entry in entries.values():
            assert entry.failed is None
            assert entry.error is not None and entry.tolerance is not None
            assert entry.error <= entry.tolerance
            assert len(entry.seconds) == 3 and min(entry.seconds) > 0
        assert asked == ["numpy", "netlet-numpy", "netlet-numpy", "numpy", "numpy", "netlet-numpy"]

        true, allowed = reference.answer(case), entries["numpy"].tolerance
        monkeypatch.setattr(reference, "answer", lambda case: [1.01 * w for w in true])
        with pytest.raises(ValueError, match="seed_linear: trainings in float32 end up to"):
            running.run(case, contestants)
        monkeypatch.setattr(contest, "tolerance", lambda case, want: allowed)
        for entry in running.run(case, contestants).values():
            assert "wrong answer in seed_linear" in str(entry.failed)
            assert entry.seconds == []


def test_the_bound_takes_turns_without_an_answer() -> None:
    pytest.importorskip("llvmlite")
    if reason := fma_peak.available({"isa": None}):
        pytest.skip(reason)
    case = CASES["product_6x800x800_forward"]
    with contest.Contest(rounds=2, budget=0.001, quick=True) as running:
        (entry,) = running.run(case, [CONTESTANTS["peak"]]).values()
    assert entry.failed is None and entry.error is None
    assert len(entry.seconds) == 2
    assert case.flops / min(entry.seconds) > 1e9


def test_one_row_is_bounded_by_reading_the_weights() -> None:
    if reason := weight_read.available({"isa": None}):
        pytest.skip(reason)
    small, large = CASES["predict_64-64-64-10_batch1"], CASES["predict_784-512-512-10_batch1"]
    assert CONTESTANTS["reading"].takes_part(small)
    assert not CONTESTANTS["reading"].takes_part(CASES["predict_64-64-64-10_batch32"])

    def seconds(case: Any) -> float:
        unit, calls = weight_read.prepare_bound(case, {"isa": None})
        unit()
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            unit()
            times.append((time.perf_counter() - begin) / calls)
        return min(times)

    # 35 KB and 2.7 MB: 1 GB/s is slower than any memory, 1 TB/s faster than any cache of one core
    assert 3.5e-8 < seconds(small) < 3.5e-5
    assert 2.7e-6 < seconds(large) < 2.7e-3


def test_the_bound_of_more_threads_is_that_of_one_times_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    if reason := fma_peak.available({"isa": None}):
        pytest.skip(reason)
    case = CASES["product_6x800x800_forward"]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    _, one = fma_peak.prepare_bound(case, {"isa": None})
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    _, four = fma_peak.prepare_bound(case, {"isa": None})
    assert four == 4 * one and fma_peak.describe()["threads"] == "4"


def test_a_slow_contestant_gets_fewer_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = contest.Process.ask

    def slow(process: contest.Process, command: str, **arguments: Any) -> dict[str, Any]:
        reply = ask(process, command, **arguments)
        return {**reply, "seconds": 10.0} if command == "calibrate" else reply

    monkeypatch.setattr(contest.Process, "ask", slow)
    with contest.Contest(rounds=5, budget=0.001, quick=True) as running:
        (entry,) = running.run(CASES["seed_linear"], [CONTESTANTS["numpy"]]).values()
    assert entry.failed is None
    assert len(entry.seconds) == contest.LEAST_TURNS


def test_nothing_keeps_openblas_from_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some machines set these for the sake of older versions; an entry that sets them itself keeps them."""
    pytest.importorskip("threadpoolctl")
    own = numpy_loop.describe()["version"]
    if "OpenBLAS" not in own or "OPENBLAS_CORETYPE" in os.environ:
        pytest.skip("NumPy has no OpenBLAS, or its kernels are set from outside")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "524288")
    with contextlib.closing(contest.Process(CONTESTANTS["numpy"])) as process:
        assert process.ask("available")["version"] == own
    with contextlib.closing(contest.Process(CONTESTANTS["numpy-baseline"])) as forced:
        about = forced.ask("available")
    assert about["reason"] or about["version"].endswith(ISAS["baseline"])


def test_contest_survives_a_process_that_ends() -> None:
    numpy = CONTESTANTS["numpy"]
    with contest.Contest(rounds=1, budget=0.001, quick=True) as running:
        running.run(CASES["seed_linear"], [numpy])
        running._processes["numpy"]._process.kill()
        failed = running.run(CASES["seed_mlp"], [numpy])["numpy"]
        assert "its process ended" in str(failed.failed)
        assert running.run(CASES["seed_mlp"], [numpy])["numpy"].failed is None


def test_another_netlet_takes_turns_with_this_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no package netlet"):
        before(tmp_path)
    package = tmp_path / "netlet"
    package.mkdir()
    here = Path(netlet.__file__).parent
    for each in here.iterdir():
        if each.name != "_version.py":
            (package / each.name).symlink_to(each)
    (package / "_version.py").write_text("__version__ = '0.0.older'\n", encoding="utf-8")
    entries = before(tmp_path)
    assert {entry.name for entry in entries} == {"netlet-before", "netlet-before-1", "netlet-before-predictor"}
    here = CONTESTANTS["netlet-numpy"]  # whose backend is there in every installation
    other = dataclasses.replace(
        here, environment={**here.environment, **entries[0].environment, "NETLET_BACKEND": "numpy"}
    )
    with contextlib.closing(contest.Process(other)) as process:
        assert process.ask("available")["version"].startswith("0.0.older ")
    with contextlib.closing(contest.Process(here)) as process:
        assert process.ask("available")["version"].startswith(f"{netlet.__version__} ")


def test_peers_are_chosen_by_entry_or_library() -> None:
    names = [contestant.name for contestant in chosen(["torch", "numpy-1"])]
    assert "torch" in names and "torch-1" in names and "numpy-1" in names
    assert "numpy" not in names and "keras-torch" not in names
    assert "netlet" in names
    with pytest.raises(ValueError, match="no contestant is called 'torhc'"):
        chosen(["torhc"])


def test_a_goal_has_one_form() -> None:
    assert str(Goal(times_faster=3.5)) == "≥ 3.5× the best peer"
    assert str(Goal(microseconds=1, above="x")) == "≤ 1 µs above x"
    assert str(Goal(peak=0.85)) == "≥ 85 % of the FMA peak"
    assert Goal(times_faster=2).reached(2) and not Goal(times_faster=2).reached(1.9)
    assert Goal(microseconds=2).reached(2) and not Goal(microseconds=2).reached(2.1)
    assert Goal(peak=0.5).reached(0.6) and not Goal(peak=0.5).reached(0.4)
    with pytest.raises(ValueError, match="exactly one"):
        Goal(times_faster=1, microseconds=1)


def test_entries_take_part_where_they_belong() -> None:
    def part(case: str) -> set[str]:
        return {contestant.name for contestant in ALL if contestant.takes_part(CASES[case])}

    training, inference = part("tabular"), part("predict_64-64-64-10_batch1")
    assert {"netlet", "netlet-1", "numpy", "torch-fused-1", "jax-best", "keras-tensorflow-best"} <= training
    assert not training & {"netlet-predictor", "onnxruntime", "peak", "numpy-avx2"}
    assert {"netlet-predictor", "onnxruntime-binding-1", "torch-script-1"} <= inference
    assert "torch-fused-1" not in inference
    assert part("predict_8-8_linear_batch1") == inference - {"sklearn", "sklearn-1"}
    assert "peak" in part("wide")
    by_isa = {f"{library}-{isa}{end}" for library in ("netlet", "numpy") for isa in ISAS for end in ("", "-1")}
    by_isa |= {f"peak-{isa}-1" for isa in ISAS}
    assert part("product_512x512x512_forward") == by_isa | {"torch", "torch-1"}
    assert part("product_6x800x800_forward") == {"netlet", "netlet-1", "numpy", "numpy-1", "torch", "torch-1"}
    assert part("train_64-10_batch32") == {"netlet", "numpy", "torch", "jax"}
    assert part("predict_64-10_batch32") == {"netlet", "netlet-predictor", "numpy", "torch", "jax", "onnxruntime"}


def _fixture_run(figures: dict[str, dict[str, list[float]]], threads: str = "2") -> dict[str, Any]:
    """A run as pytest-benchmark writes it: microseconds of each turn, by case and contestant."""
    machine = {"cpu": "a processor", "cpu_family": "1.2", "isa": ["avx2"], "cores": 2, "caches": {"L1d": "32K"}}
    entries = [
        {
            "params": {"case": case, "contestant": name},
            "group": case,
            "extra_info": {
                "kind": CASES[case].kind,
                "unit": CASES[case].unit,
                "flops": CASES[case].flops,
                "setting": "defaults",
                "bound": name.startswith(("peak", "reading")),
                "threads": "1" if name.endswith("-1") else threads,
                "version": "1.0",
                "error": None if name.startswith(("peak", "reading")) else 1e-7,
            },
            "stats": {"median": 1e-6 * sorted(turns)[len(turns) // 2], "data": [turn * 1e-6 for turn in turns]},
        }
        for case, contestants in figures.items()
        for name, turns in contestants.items()
    ]
    more = {"memory_gib": 1.0, "system": "Linux", "python": "CPython 3", "load": 0.1}
    return {"machine_info": {**machine, **more}, "benchmarks": entries}


def test_the_roofline_is_of_all_cores_and_for_one_row_of_reading() -> None:
    product, batch, one = (CASES[f"{name}"] for name in (
        "product_512x512x512_forward", "predict_64-64-64-10_batch32", "predict_64-64-64-10_batch1"
    ))  # fmt: skip
    run = _fixture_run(
        {
            product.name: {"netlet-avx512": [900.0], "numpy-avx512": [900.0], "peak-avx512-1": [1000.0]},
            batch.name: {"netlet": [10.0], "onnxruntime": [20.0]},
            one.name: {"netlet": [2.0], "netlet-predictor": [1.0], "reading": [0.4]},
        }
    )
    bounds = {held.case: held.bound for held in compare.held_goals(figures.groups(run)) if held.met}
    rate = 2 * product.flops / 1000.0  # of two cores, a microsecond
    assert float(bounds[batch.name]) == pytest.approx(batch.flops / rate, rel=0.01)
    assert bounds[one.name] == "0.4"


def test_a_turn_ends_when_the_worker_is_idle() -> None:
    stop = time.monotonic() + 0.15

    def spin() -> None:
        while time.monotonic() < stop:
            pass

    spinner = threading.Thread(target=spin)
    spinner.start()
    worker.settle()
    assert time.monotonic() >= stop
    spinner.join()
    begin = time.monotonic()
    worker.settle()
    assert time.monotonic() - begin < 0.15


def test_goals_tell_how_far_apart_the_processors_were() -> None:
    run = _fixture_run({"tabular": {"netlet": [8, 8], "jax": [17, 17]}, "seed_mlp": {"netlet": [1, 1], "jax": [2, 2]}})
    for entry in run["benchmarks"]:
        if entry["params"]["case"] == "tabular":
            entry["extra_info"]["apart"] = [52.0, 50.0, 371.2]
    found = {held.case: held.apart for held in compare.held_goals(figures.groups(run))}
    assert found == {"tabular": "52 [50, 371]", "seed_mlp": ""}
    for entry in run["benchmarks"]:
        entry["extra_info"]["apart"] = [52.0, 50.0, 61.0]
    assert {held.apart for held in compare.held_goals(figures.groups(run))} == {"52"}


def test_compare_shows_ratios_goals_and_the_cases_lost(tmp_path: Path) -> None:
    run = _fixture_run(
        {
            "seed_linear": {"netlet": [1, 2, 3], "numpy": [70, 70, 70], "jax": [60, 60, 60], "jax-best": [30, 50, 90]},
            "seed_linear_long": {"netlet": [0.5, 0.5, 0.5], "numpy": [9, 9, 9]},
            "tabular": {"netlet": [100, 100, 100], "numpy": [50, 50, 50]},
            "predict_64-64-64-10_batch32": {"netlet": [3, 3, 3], "numpy": [1, 1, 1], "onnxruntime-1": [9, 9, 9]},
        }
    )
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    written = compare.report(path)
    table = (tmp_path / "run.md").read_text()
    assert "| seed_linear | netlet 2 | jax-best 50 | 25.00 [27.50, 30.00] | ≥ 20× the best peer | yes |" in table
    assert "| jax 60, 30.00× |" in table, "where each has its defaults"
    assert "| tabular | netlet 100 | numpy 50 | 0.50 [0.50, 0.50] | ≥ 3.5× the best peer | no |" in table
    assert "| netlet 3 | onnxruntime-1 9 | 3.00 [3.00, 3.00] | ≥ 2× onnxruntime | yes |" in table
    assert "| fit: seed_linear | 1.5 | | | ≤ 1 µs above seed_linear_long | no |" in table
    assert table.index("| numpy | defaults | 2 | 50 |") < table.index("| **netlet** | defaults | 2 | 100 |")
    assert "busy" not in table
    assert "| tabular | 100 µs | 0.5× | | | | | |" in table
    for path in written[1:]:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in written] == ["run.md", "run-training.png", "run-inference.png"]


def test_compare_names_the_entry_that_holds_a_goal() -> None:
    """Netlet has two entries for serving: a time is asked of each, a ratio of the faster of them."""
    one, many = "predict_64-64-64-10_batch1", "predict_64-64-64-10_batch32"
    figures = {
        one: {"netlet": [2, 2, 2], "netlet-predictor": [0.5, 0.5, 0.5], "onnxruntime": [5, 5, 5]},
        many: {"netlet": [4, 4, 4], "netlet-predictor": [3, 3, 3], "onnxruntime": [9, 9, 9], "numpy": [1, 1, 1]},
    }
    table = compare.markdown(_fixture_run(figures), "x")
    assert f"| {one} | netlet-predictor 0.5 | onnxruntime 5 | 10.00 [10.00, 10.00] | ≤ 0.6 µs | yes |" in table
    assert f"| {one} | netlet 2 | onnxruntime 5 | 2.50 [2.50, 2.50] | ≤ 2.5 µs | yes |" in table
    assert f"| {many} | netlet-predictor 3 | onnxruntime 9 | 3.00 [3.00, 3.00] | ≥ 2× onnxruntime | yes |" in table
    assert f"| {many} | 3 µs (netlet-predictor) | 0.333× | | | | | 3× |" in table
    del figures[one]["netlet-predictor"], figures[many]["netlet-predictor"]
    table = compare.markdown(_fixture_run(figures), "x")
    assert f"| {one} | netlet-predictor did not take part | | | ≤ 0.6 µs | not measured |" in table
    assert f"| {many} | netlet 4 | onnxruntime 9 | 2.25 [2.25, 2.25] | ≥ 2× onnxruntime | yes |" in table


def test_compare_holds_a_share_of_the_peak() -> None:
    run = _fixture_run({"wide": {"netlet": [100, 100, 100], "peak": [80, 80, 80], "jax": [120, 120, 120]}})
    table = compare.markdown(run, "x")
    assert "| wide | netlet 100 | peak 80 | 80 % | ≥ 85 % of the FMA peak | no |" in table
    assert "| wide | netlet 100 | jax 120 | 1.20 [1.20, 1.20] | ≥ 1.25× the best peer | no |" in table


def test_compare_shows_products_by_instruction_set(tmp_path: Path) -> None:
    entries = {
        f"{library}-{isa}{end}": [microseconds * (2 if end else 1)] * 3
        for library, microseconds in (("netlet", 1000.0), ("numpy", 1500.0), ("peak", 800.0))
        for isa in ISAS
        for end in (("-1",) if library == "peak" else ("", "-1"))
    }
    cases = [f"product_{n}x{n}x{n}_{kind}" for n in (512, 1024) for kind in ("forward", "gradients")]
    run = _fixture_run(dict.fromkeys(cases, entries))
    table = compare.markdown(run, "x")
    assert "| 512x512x512 forward | avx2 | 1 | 134 | 89 | 1.50 [1.50, 1.50] | 168 | 80 % | 53 % |" in table
    assert "| 512x512x512 forward | avx2 | 2 | 268 | 179 | 1.50 [1.50, 1.50] | 336 | 80 % | 53 % |" in table
    assert "| numpy-avx2-1 | defaults | 1 | 3,000 | [3,000, 3,000] | 1.50 |" in table
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    assert [written.name for written in compare.report(path)] == ["run.md", "run-isa.png"]


def test_compare_shows_growth_and_threads(tmp_path: Path) -> None:
    (width,) = (sweep for sweep in SWEEPS if sweep.name == "training_width")
    figures: dict[str, dict[str, list[float]]] = {
        name: {"netlet": [size, size, size], "jax": [2.0 * size] * 3} for size, name in width.points
    }
    figures["simplechains"] = {"netlet": [50] * 3, "netlet-1": [90] * 3, "jax": [100] * 3, "jax-1": [120] * 3}
    run = _fixture_run(figures)
    table = compare.markdown(run, "x")
    assert "| width | netlet | jax |" in table
    assert "| 1,024 | 1,024 | 2,048 |" in table
    assert "## train_" not in table, "points of a sweep have no table of their own"
    assert "| simplechains | netlet | 1: 90, 2: 50 | 1.80 | 2 |" in table
    assert "| simplechains | jax | 1: 120, 2: 100 | 1.20 | 2 |" in table
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    names = [written.name for written in compare.report(path)]
    assert names == ["run.md", "run-training.png", "run-growth.png", "run-threads.png"]


def test_compare_warns_of_a_busy_machine() -> None:
    run = _fixture_run({"tabular": {"numpy-1": [1.0]}})
    run["machine_info"]["load"] = 1.5
    assert "The machine was busy" in compare.markdown(run, "x")


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (12.34, "12.3"), (423561.2, "423,561"), (99.96, "100"), (1e-5, "1e-05")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert figures.number(value) == text


def test_a_run_writes_json_and_table_without_names_of_host_or_paths(tmp_path: Path) -> None:
    output = tmp_path / "run.json"
    arguments = ["--smoke", "--case", "seed_linear", "--peers", "numpy", "-k", "numpy", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "benchmarks.run", "--output", str(output), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    text = output.read_text()
    assert str(ROOT) not in text and str(tmp_path) not in text
    assert f'"{platform.node()}"' not in text
    run = json.loads(text)
    (group,) = figures.groups(run)
    assert {figure.contestant for figure in group.figures} == {"numpy", "numpy-1", "netlet-numpy"}
    assert all(len(figure.turns) == 3 and figure.median > 0 for figure in group.figures)
    assert all(set(entry["stats"]) == {"median", "data"} for entry in run["benchmarks"])
    assert "## seed_linear" in output.with_suffix(".md").read_text()


def test_footprint_measures_fresh_imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "feet.json"
    assert footprint.main(["--output", str(output), "--rounds", "2", "--no-build", "--libraries", "netlet,numpy"]) == 0
    run = json.loads(output.read_text())
    ours, numpy = footprint.footprints(run)
    assert (ours.library, numpy.library) == ("netlet", "numpy")
    for found in (ours, numpy):
        assert len(found.seconds) == len(found.memory) == 2
        assert 0.005 < min(found.seconds) < 30 and 5e6 < min(found.memory) < 5e8
        assert found.installed and found.needed and found.wheel and found.wheel < found.installed <= found.needed
    assert ours.modules > numpy.modules
    assert ours.needed == ours.installed + numpy.installed
    text = capsys.readouterr().out
    assert "| MB on disk |" in text and "| NumPy |" in text
    assert str(ROOT) not in output.read_text()


def test_footprint_tells_a_goal_missed_and_draws(tmp_path: Path) -> None:
    sizes = {"modules": 9, "installed": 7_000_000, "needed": 8_000_000, "wheel": 1_000_000}
    entry = {"version": "1", "seconds": [0.05, 0.06, 0.3], "memory": [30_000_000], **sizes}
    feet = [{"library": "netlet", **entry}, {"library": "torch", **entry, "wheel": None}]
    run = {**_fixture_run({}), "footprints": feet}
    text = footprint.markdown(run, "x")
    assert "| s to import, NumPy included | 0.06 | ≤ 0.09 | yes |" in text
    assert "| MB on disk | 7 | ≤ 6 | no |" in text
    assert "| Netlet | 1 | 0.060 [0.055, 0.180] | 30 | 9 | 7 | 8 | ≈ 1 |" in text
    assert "| PyTorch | 1 | 0.060 [0.055, 0.180] | 30 | 9 | 7 | 8 | |" in text
    feet[0]["built"] = True
    assert "| 7 | 8 | 1 |" in footprint.markdown(run, "x")
    footprint.plot(run, tmp_path / "feet.png")
    assert (tmp_path / "feet.png").read_bytes().startswith(b"\x89PNG")


def test_a_wheel_is_as_large_as_its_files_deflated(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b")]
    files[0].write_bytes(b"a" * 10_000)
    files[1].write_bytes(np.random.default_rng(0).bytes(10_000))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
        assert footprint.deflated(files) == sum(info.compress_size for info in archive.infolist())


def test_a_wheel_that_can_be_built_is_weighed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("needs pip")
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    build = """
        import zipfile
        from pathlib import Path

        ABOUT = {"METADATA": "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n",
                 "WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
                 "RECORD": ""}

        def build_wheel(folder, config_settings=None, metadata_directory=None):
            name = "tiny-1-py3-none-any.whl"
            with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
                for file, text in ABOUT.items():
                    wheel.writestr(f"tiny-1.dist-info/{file}", text)
                wheel.writestr("tiny.py", "#" * 10_000)
            return name
    """
    (tmp_path / "backend.py").write_text(textwrap.dedent(build))
    weighed = footprint.built_wheel(tmp_path)
    assert weighed is not None and 10_000 < weighed < 12_000
    (tmp_path / "backend.py").write_text("raise OSError('no compiler')")
    assert footprint.built_wheel(tmp_path) is None
    assert "no wheel can be built" in capsys.readouterr().out


def test_what_a_library_needs_is_followed() -> None:
    assert "numpy" in footprint.required(footprint.Library("x", "x", "", ("scikit-learn|scipy|matplotlib",)))
    assert footprint.required(footprint.Library("x", "x", "", ("no-such-package",))) == set()


def test_streaming_fits_a_map_without_copying_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = netlet_model.available({"target": "native"}) is None
    monkeypatch.setenv("NETLET_BACKEND", "native" if native else "numpy")  # Numba's compiler would be counted, too
    output = tmp_path / "out.json"
    arguments = ["--gb", "0.1", "--rounds", "1", "--folder", str(tmp_path), "--output", str(output)]
    assert streaming.main(arguments) == 0
    found = json.loads(output.read_text())
    assert found["bytes"] > 9e7
    # Ten times less than the rows: workspaces of a batch of 1,024, the permutation, the threads' stacks.
    assert streaming.above_weights(found) < 1e7 + 2 * 4 * 1024 * (1024 + 2 * 256 + 2 * 10)
    assert found["shuffled"]["loss"] == pytest.approx(found["unshuffled"]["loss"], rel=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"], "the file of rows is deleted"
    assert "| shuffled |" in capsys.readouterr().out


@pytest.mark.parametrize("freed", [False, True])
def test_streaming_sees_a_copy(freed: bool) -> None:
    if freed:  # memory that the allocator keeps, and would place the copy in
        block = np.ones(4_000_000)  # of 32 MB, mapped; thereafter, what is smaller lies in the heap
        del block
        blocks = [np.ones(3_000_000) for _ in range(2)]
        blocks.clear()
    before = streaming.in_use()
    with streaming.Watch().running() as watch:
        copy = np.ones(5_000_000)
        time.sleep(0.05)
    assert watch.most - before > 0.9 * copy.nbytes


def _scaling_run(serial: float = 0.0, **cases: dict[str, float]) -> dict[str, Any]:
    machine_info = {**_fixture_run({})["machine_info"], "caches": {"L1d": "32K", "L3": "32768K"}}
    about = {"processors": 2, "affinity": 2, "quota": None, "sockets": 1, "numa_nodes": 1, "smt": False}
    measured = {
        "call": 1e-6, "fork_join": {"2": 5e-6}, "handover": {"2": 1e-6}, "bandwidth": {"1": 2e10, "2": 3e10},
        "serial": dict.fromkeys(cases, serial), "others": 0.0,
    }  # fmt: skip
    schedule = vars(scaling.Schedule.read(scaling.sources()))
    return {"machine_info": machine_info, "topology": about, "schedule": schedule, **measured, "cases": cases}


def test_scaling_follows_its_formulas() -> None:
    big, rows = "predict_784-512-512-10_batch1024", "predict_64-64-64-10_batch1024"
    run = _scaling_run(
        serial=1e-6,
        tabular={"1": 20e-6, "2": 11.5e-6},
        simplechains={"1": 1001e-6, "2": 502e-6},
        mnist_big={"1": 4001e-6, "2": 2014e-6},
        wide={"1": 0.6, "2": 0.3},
        **{big: {"1": 10001e-6, "2": 5009e-6}, rows: {"1": 251e-6, "2": 156e-6}},
    )
    inputs, schedule = scaling.inputs_of(run), scaling.Schedule(**run["schedule"])

    def predict(name: str, threads: int, hopeful: bool) -> float:
        case: Any = CASES[name]
        return 1e6 * scaling.predict(case, inputs, threads, hopeful, schedule)

    known: dict[str, Any] = CASES
    assert schedule.parts(known["tabular"], 2) == 2 and scaling.loops(known["tabular"], schedule) == 1
    assert predict("tabular", 64, True) == pytest.approx(1 + 19 / 2 + 1), "two parts, two threads"
    assert schedule.parts(known["seed_mlp"], 2) == 1 and scaling.loops(known["seed_mlp"], schedule) == 0
    assert schedule.threads(known["seed_mlp"], 64) == 1, "too little work for a second thread"
    parts, handed = schedule.parts(known["simplechains"], 2), scaling.loops(known["simplechains"], schedule)
    assert parts > 16 and handed == 1, "its 32 gradients are added by one thread"
    assert predict("simplechains", 2, True) == pytest.approx(1 + 1000 * -(-parts // 2) / parts + 1)
    assert predict("simplechains", 8, True) == pytest.approx(1 + 1000 * -(-parts // 8) / parts + 3)
    assert predict("simplechains", 8, False) == pytest.approx(1 + 1000 * -(-parts // 8) / parts + 7)
    # Gathering, 3 products forward, 5 backward; 2 slopes and 2 of the 3 biases.
    assert [schedule.parts(known[rows], threads) for threads in (1, 2, 4, 64)] == [5, 8, 15, 22]
    assert scaling.loops(known["mnist_big"], schedule) == 1 + 3 + 5 + 2 + 2
    assert predict("mnist_big", 4, True) == pytest.approx(1 + 1000 + 13 * 2)
    assert predict(big, 4, True) == pytest.approx(1 + 2500 + 3 * 2 + 2 * 5)
    assert predict(rows, 2, True) == pytest.approx(1 + 250 / 2 + 5)
    floor = 1e6 * scaling.moved(known["wide"]) / 3e10
    assert predict("wide", 64, False) == pytest.approx(floor)
    assert predict("wide", 64, True) < floor
    text = "\n".join(scaling.report(run))
    assert "| tabular | 2 | 1 | 20 | 1 | 1.74× | 1.74× |" in text
    assert "SMT off" in text


def test_scaling_doubts_what_it_did_not_foresee() -> None:
    """What two threads took longer than predicted is as work that cannot be shared."""
    run = _scaling_run(mnist_big={"1": 4000e-6, "2": 2513e-6})
    inputs, schedule = scaling.inputs_of(run), scaling.Schedule(**run["schedule"])
    case: Any = CASES["mnist_big"]
    assert scaling.predict(case, inputs, 2, True, schedule) == pytest.approx(2013e-6)
    assert scaling.predict(case, inputs, 2, False, schedule) == pytest.approx(2513e-6)
    assert scaling.predict(case, inputs, 4, False, schedule) == pytest.approx(1000e-6 + 3000e-6 / 4 + 13 * 3e-6)


def test_scaling_claims_nothing_of_a_busy_machine() -> None:
    run = _scaling_run(tabular={"1": 20e-6, "2": 20e-6})
    run["others"] = 0.4
    text = "\n".join(scaling.report(run))
    assert "Others used the processors" in text and "| tabular | 2 | 1 | 20 | 0 | 1.00× |\n" in text + "\n"
    assert "predicted |" not in text and "Sharing W pays" not in text
    assert scaling.is_busy({**run, "others": None, "machine_info": {"load": 2.0, "cores": 2}})
    assert not scaling.is_busy({**run, "others": None, "machine_info": {"load": 0.2, "cores": 2}})
    used = scaling.others(0.05)
    assert used is None or 0 <= used <= (os.cpu_count() or 1)


def test_scaling_measures_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "cores", lambda: 2)  # on one core the figures mean nothing, but there are figures
    monkeypatch.setattr(scaling, "STREAM_FLOATS", 1 << 16)
    monkeypatch.setattr(scaling, "others", lambda: 0.0)
    monkeypatch.setattr(scaling, "DEEP", tuple(dataclasses.replace(case, rows=16) for case in scaling.DEEP))
    monkeypatch.delenv("NETLET_NUM_THREADS", raising=False)
    run = scaling.measure(("tabular", "predict_64-64-64-10_batch1024"), turn=0.002, turns=2)
    assert "NETLET_NUM_THREADS" not in os.environ
    assert set(run["cases"]["tabular"]) == set(run["bandwidth"]) == {"1", "2"}
    assert set(run["fork_join"]) == set(run["handover"]) == {"2"}
    assert all(seconds > 0 for found in run["cases"].values() for seconds in found.values())
    assert all(0 <= seconds <= run["cases"][name]["1"] for name, seconds in run["serial"].items())
    assert "| predict_64-64-64-10_batch1024 |" in "\n".join(scaling.report(run))
    monkeypatch.setattr(scaling, "cores", lambda: 1)
    alone = scaling.measure(("tabular",), turn=0.002, turns=2)
    assert "nothing to predict from" in scaling.report(alone)[-1]


def test_threads_are_measured_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: 2)
    monkeypatch.setattr(threads, "others", lambda: 0.0)
    monkeypatch.setattr(threads, "SHARED", ("tabular", "predict_64-64-64-10_batch1"))
    monkeypatch.setattr(threads, "SERVED", threads.SERVED[1:])
    output = tmp_path / "threads.json"
    assert threads.main(["--output", str(output), "--seconds", "0.02", "--rounds", "1"]) == 0
    run = json.loads(output.read_text())
    assert set(run["served"]) == {"predict_64-64-64-10_batch32", "predict_64-64-64-10_batch1"}
    assert all(rates.keys() == {"1", "2"} and min(rates.values()) > 100 for rates in run["served"].values())
    assert run["shared"].keys() == set(threads.SHARED)
    for by_threads in run["shared"].values():
        assert by_threads.keys() == {"1", "2"}
        assert all(times.keys() == {"0", "1", "2"} and min(times.values()) > 1e-6 for times in by_threads.values())
    run["shared"] = {"mnist_small": {"2": {"0": 1e-4, "1": 1.4e-4}}}
    run["machine_info"]["cores"] = 2
    text = "\n".join(threads.report(run))
    assert "| mnist_small | 2 | 1 | 140 | 1.40× | 1.50× |" in text and "Others used" not in text
    run["others"] = 1.0
    assert "Others used the processors" in threads.report(run)[2]


def test_the_anatomy_of_a_case_adds_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["seed_mlp", "predict_64-64-64-10_batch32"]
    assert set(names) < set(anatomy.shown()) and "wide" not in anatomy.shown()
    monkeypatch.setattr(anatomy, "shown", lambda: names)
    monkeypatch.setattr(anatomy, "cores", lambda: 2)
    monkeypatch.setattr(anatomy, "others", lambda: 0.0)
    output = tmp_path / "anatomy.json"
    assert anatomy.main(["--output", str(output), "--seconds", "0.01"]) == 0
    run = json.loads(output.read_text())
    assert list(run["cases"]) == names
    for by_threads in run["cases"].values():
        assert list(by_threads) == ["1", "2"]
        for found in by_threads.values():
            assert found["products"] > 0 and found["flops"] > 0
            assert sum(found[kind] for kind in (*anatomy.KINDS, "other")) == pytest.approx(found["step"])
    assert run["cases"][names[0]]["1"]["gather"] > 0
    run["cases"] = {"tabular": {"1": {"threads": 1, "step": 20.0, "peak": 100.0, "flops": 1_200_000, "products": 15.0}}}
    run["cases"]["tabular"]["1"] |= {"gather": 1.0, "loss": 2.0, "update": 0.5, "other": 1.5}
    run["cases"]["tabular"]["2"] = run["cases"]["tabular"]["1"]  # on which nothing was shared
    text = anatomy.report(run)
    assert text[-1] == "| tabular | 1 | 20 | 15 | 80 % | 1 | 2 | 0.5 | 1.5 |" and "| tabular" not in text[-2]
    run["others"] = 1.0
    assert "Others used the processors" in anatomy.report(run)[2]


def test_a_share_is_of_all_threads_that_want_a_core() -> None:
    assert threads.share(1, 0, 2) == threads.share(1, 1, 2) == threads.share(2, 0, 2) == 1
    assert threads.share(2, 1, 2) == 1.5
    assert threads.share(1, 8, 2) == 4.5


def test_neighbours_are_gone_afterwards() -> None:
    began: list[Any] = []
    popen = subprocess.Popen

    def remember(*arguments: Any, **options: Any) -> Any:
        began.append(popen(*arguments, **options))
        return began[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", remember)
        with threads.neighbours(2):
            assert [process.poll() for process in began] == [None, None]
    assert all(process.poll() is not None for process in began)


def test_scaling_knows_when_the_schedule_has_changed() -> None:
    text = scaling.sources()
    assert scaling.Schedule.read(text.replace("worth = 8e5", "worth = 9e5")).shard_flops == 9e5
    assert scaling.Schedule.read(text.replace("flops < 1e6", "flops < 2e6")).loop_flops == 2e6
    assert scaling.Schedule.read(text.replace("kGemmWorth = 1 << 18", "kGemmWorth = 1 << 16")).product == 1 << 16
    with pytest.raises(ValueError, match="the work of a team"):
        scaling.Schedule.read(text.replace("flops < 4e6", "flops <= 4e6"))
    schedule = scaling.Schedule.read(text)
    shallow, deep = scaling.DEEP
    assert not schedule.is_small(shallow) and scaling.loops(deep, schedule) - scaling.loops(shallow, schedule) == 48


@pytest.mark.parametrize("path", ["README.md", "benchmarks/README.md"])
def test_readmes_show_the_runs_that_are_kept(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert readme.written(ROOT / path) == written, "run: python -m benchmarks.readme"


def test_kept_runs_have_the_tables_made_of_them() -> None:
    """Whoever changes the report makes it again: python -m benchmarks.compare benchmarks/results/NAME.json"""
    for path in sorted(readme.RESULTS.glob("[!0-9]*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        if "benchmarks" in run:
            assert path.with_suffix(".md").read_text(encoding="utf-8") == compare.markdown(run, path.stem)
        elif "footprints" in run:
            assert path.with_suffix(".md").read_text(encoding="utf-8") == footprint.markdown(run, path.stem)


def test_readme_shows_goals_missed_and_the_plots_that_there_are(tmp_path: Path) -> None:
    figures = {
        "seed_linear": {"netlet": [1.0], "jax": [30.0]},
        "tabular": {"netlet": [100.0], "numpy": [50.0]},
        "product_6x800x800_forward": {"netlet": [1.0], "numpy": [2.0]},
    }
    (tmp_path / "full.json").write_text(json.dumps(_fixture_run(figures)))
    (tmp_path / "full-growth.png").write_bytes(b"")
    text = readme.written(ROOT / "README.md", tmp_path)
    assert "Of 2 goals, 1 are met:" in text
    assert "- missed: tabular ≥ 3.5× the best peer, netlet 100 beside numpy 50, 0.50" in text
    assert "| seed_linear | 1 µs | | | | 30× | | |" in text
    assert "full-growth.png" in text and "full-isa.png" not in text
    assert "product_6x800x800" not in text
    (tmp_path / "goals.json").write_text(json.dumps(_fixture_run({"tabular": {"netlet": [10.0], "numpy": [50.0]}})))
    text = readme.written(ROOT / "README.md", tmp_path)
    assert "Of 1 goals, 1 are met." in text and "results/goals.md" in text
    assert text.index("results/goals.md") < text.index("of a run before that") < text.index("full-growth.png")
    (tmp_path / "scaling.json").write_text(json.dumps(_scaling_run(tabular={"1": 20e-6, "2": 20e-6})))
    assert "| tabular | 2 | 1 | 20 |" in readme.written(ROOT / "benchmarks/README.md", tmp_path)


def test_readme_blocks_must_be_there_once() -> None:
    assert readme.replaced("a <!-- x:begin -->\nold\n<!-- x:end --> b", "x", ["new"]).split("\n")[1] == "new"
    with pytest.raises(ValueError, match="x:begin"):
        readme.replaced("nothing", "x", [])
