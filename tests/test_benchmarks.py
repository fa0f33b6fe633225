"""The benchmarks check what they claim to check: answers, shuffling, and a table that shows who loses."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the benchmarks are no part of the installed package

from benchmarks import compare, contest, figures, probe, reference
from benchmarks.cases import CASES, INFERENCE, PROBE, TRAINING, Goal, InferenceCase, TrainingCase
from benchmarks.contest import ROOT
from benchmarks.contestants import ALL, CONTESTANTS, chosen
from benchmarks.data import Data, inference_rows, initial_weights, training_data
from benchmarks.peers import numpy_loop

SMALL = (
    TrainingCase("small_mse", (5, 7, 3), 4, 16, 1, "mean_squared_error", hidden="tanh", learning_rate=0.1),
    TrainingCase("small_entropy", (6, 8, 4), 8, 32, 1, "softmax_cross_entropy", learning_rate=0.1),
)


@pytest.mark.parametrize("case", TRAINING, ids=str)
def test_training_cases_are_whole_epochs_of_learnable_data(case: TrainingCase) -> None:
    assert case.rows == case.steps * case.batch
    small = dataclasses.replace(case, rows=2 * case.batch) if case.batch < 1000 else case
    data, weights = training_data(small), initial_weights(case)
    assert data.x.shape == (small.rows, case.widths[0])
    assert [w.shape for w in weights[::2]] == [(layer.inputs, layer.outputs) for layer in case.layers]
    if case.loss == "softmax_cross_entropy":
        assert data.y.shape == (small.rows,)
        assert 0 <= data.y.min() < data.y.max() < case.widths[-1]
    else:
        assert data.y.shape == (small.rows, case.widths[-1])


@pytest.mark.parametrize("case", [c for c in CASES.values() if max(c.widths) < 512], ids=str)
def test_data_and_weights_are_the_same_every_time(case: Any) -> None:
    for first, second in zip(initial_weights(case), initial_weights(case), strict=True):
        assert np.array_equal(first, second)
    if isinstance(case, InferenceCase):
        assert np.array_equal(inference_rows(case), inference_rows(case))
    else:
        assert np.array_equal(training_data(case).x, training_data(case).x)


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(CASES) == len(TRAINING) + len(INFERENCE)
    assert len(CONTESTANTS) == len(ALL)


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
    case = InferenceCase((6, 8, 4), 5)
    predict = numpy_loop.prepare_inference(case, initial_weights(case), {})
    assert contest.distance(case, [predict(inference_rows(case))], reference.answer(case)) < 1e-6


@pytest.mark.parametrize("case", [c for c in TRAINING if c.smoke], ids=str)
def test_a_learning_rate_one_percent_off_is_a_wrong_answer(case: TrainingCase) -> None:
    want = reference.answer(case)
    off = dataclasses.replace(case, learning_rate=1.01 * case.learning_rate)
    got = reference.train(off, training_data(case), initial_weights(case), case.check_epochs)
    assert contest.distance(case, got, want) > 5 * contest.tolerance(case, want)
    assert contest.distance(case, initial_weights(case), want) == pytest.approx(1)


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

        true = reference.answer(case)
        monkeypatch.setattr(reference, "answer", lambda case: [1.01 * w for w in true])
        for entry in running.run(case, contestants).values():
            assert "wrong answer in seed_linear" in str(entry.failed)
            assert entry.seconds == []


def test_contest_survives_a_process_that_ends() -> None:
    numpy = CONTESTANTS["numpy"]
    with contest.Contest(rounds=1, budget=0.001, quick=True) as running:
        running.run(CASES["seed_linear"], [numpy])
        running._processes["numpy"]._process.kill()
        failed = running.run(CASES["seed_mlp"], [numpy])["numpy"]
        assert "its process ended" in str(failed.failed)
        assert running.run(CASES["seed_mlp"], [numpy])["numpy"].failed is None


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
    with pytest.raises(ValueError, match="exactly one"):
        Goal(times_faster=1, microseconds=1)


def _fixture_run(figures: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """A run as pytest-benchmark writes it: microseconds of each turn, by case and contestant."""
    machine = {"cpu": "a processor", "cpu_family": "1.2", "isa": ["avx2"], "cores": 2, "caches": {"L1d": "32K"}}
    entries = [
        {
            "params": {"case": case, "contestant": name},
            "group": case,
            "extra_info": {
                "kind": CASES[case].kind,
                "unit": "step",
                "flops": CASES[case].flops,
                "setting": "defaults",
                "threads": "2",
                "version": "1.0",
                "error": 1e-7,
            },
            "stats": {"data": [turn * 1e-6 for turn in turns]},
        }
        for case, contestants in figures.items()
        for name, turns in contestants.items()
    ]
    more = {"memory_gib": 1.0, "system": "Linux", "python": "CPython 3", "load": 0.1}
    return {"machine_info": {**machine, **more}, "benchmarks": entries}


def test_compare_shows_ratios_goals_and_the_cases_lost(tmp_path: Path) -> None:
    run = _fixture_run(
        {
            "seed_linear": {"netlet": [1, 2, 3], "numpy": [50, 60, 70], "jax": [30, 50, 90]},
            "seed_linear_long": {"netlet": [0.5, 0.5, 0.5], "numpy": [9, 9, 9]},
            "tabular": {"netlet": [100, 100, 100], "numpy": [50, 50, 50]},
            "predict_64-64-64-10_batch32": {"netlet": [3, 3, 3], "numpy": [1, 1, 1], "onnxruntime-1": [9, 9, 9]},
        }
    )
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    written = compare.report(path)
    table = (tmp_path / "run.md").read_text()
    assert "| seed_linear | netlet 2 | jax 50 | 25.00 [27.50, 30.00] | ≥ 20× the best peer | yes |" in table
    assert "| tabular | netlet 100 | numpy 50 | 0.50 [0.50, 0.50] | ≥ 3.5× the best peer | no |" in table
    assert "| netlet 3 | onnxruntime-1 9 | 3.00 [3.00, 3.00] | ≥ 2× onnxruntime | yes |" in table
    assert "| fit: seed_linear | 1.5 | | | ≤ 1 µs above seed_linear_long | no |" in table
    assert table.index("| numpy | defaults | 2 | 50 |") < table.index("| **netlet** | defaults | 2 | 100 |")
    assert "busy" not in table
    for path in written[1:]:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in written] == ["run.md", "run-training.png", "run-inference.png"]


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
    assert "## seed_linear" in output.with_suffix(".md").read_text()
