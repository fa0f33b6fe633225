"""Keras as an oracle: the same weights and gradients, a hundred steps, and the same weights come out.

Keras runs in a process of its own, with PyTorch: in this Python, or in the one that ``NETLET_KERAS_PYTHON`` names. It
takes minutes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import optimizers
from netlet.layers.variable import Variable
from netlet.program import Optimizer, Param, Program, Value
from netlet.testing import Target, targets

SCRIPT = Path(__file__).with_name("keras_steps.py")
STEPS = 100

# Weights of every kind of shape.
WEIGHTS = {
    "embedding/embeddings": (11, 4),
    "dense/kernel": (5, 7),
    "dense/bias": (7,),
    "tall/kernel": (17, 3),
    "conv/kernel": (2, 3, 4, 5),
    "scale/gamma": (),
}
# How far moved weights may be from Keras', relative to the largest. In float64 it is the order of operations alone, but
# where Keras takes a scalar that multiplies the steps in float32 (factors of clipping by norm, powers of Adafactor's
# step, the root in Muon's, the rise of a warm-up), two of its roundings of 6e-8. In float32 each of 100 steps rounds,
# and so do all of Keras' bias corrections, which are off by up to 1e-5 of a step.
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
FLOAT32_SCALARS = 1.2e-7

SCHEDULE = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.01, "decay_steps": 7, "decay_rate": 0.8},
    "registered_name": None,
}

Case = tuple[str, dict[str, Any], list[str]]
Answers = tuple[str, dict[str, np.ndarray]]
RULES: list[Case] = [
    ("SGD", {}, []),
    ("SGD", {"momentum": 0.9}, []),
    ("SGD", {"momentum": 0.9, "nesterov": True}, []),
    ("Adam", {"learning_rate": 0.01}, []),
    ("Adam", {"amsgrad": True}, []),
    ("AdamW", {"learning_rate": 0.01}, []),
    ("Adamax", {"learning_rate": 0.01}, []),
    ("Nadam", {"learning_rate": 0.01}, []),
    ("RMSprop", {}, []),
    ("RMSprop", {"centered": True, "momentum": 0.5}, []),
    ("Adagrad", {"learning_rate": 0.1}, []),
    ("Adadelta", {"learning_rate": 1.0}, []),
    ("Lion", {}, []),
    ("Lamb", {"learning_rate": 0.01}, []),
    ("Ftrl", {"learning_rate": 0.1}, []),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.01,
            "beta": 0.1,
        },
        [],
    ),
    ("Adafactor", {"learning_rate": 0.05}, []),
    ("Muon", {"learning_rate": 0.01, "exclude_layers": ["tall"]}, []),
    ("Muon", {"nesterov": False, "rms_rate": None, "adam_lr_ratio": 0.5}, ["bias"]),
    ("ScheduleFreeAdamW", {"learning_rate": 0.01}, []),
    ("ScheduleFreeAdamW", {"beta_1": 0.6, "beta_2": 0.95, "epsilon": 1e-4, "warmup_steps": 30}, []),
]
COMMON: list[dict[str, Any]] = [
    {"weight_decay": 0.05},
    {"clipnorm": 0.7},
    {"clipvalue": 0.4},
    {"global_clipnorm": 1.5},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 4, "global_clipnorm": 1.0, "weight_decay": 0.02},
    {"learning_rate": SCHEDULE},
    {"loss_scale_factor": 8.0},
]
NAMES = [
    "SGD",
    "Adam",
    "Adamax",
    "Nadam",
    "RMSprop",
    "Adagrad",
    "Adadelta",
    "Lion",
    "Lamb",
    "Ftrl",
    "Adafactor",
    "Muon",
    "ScheduleFreeAdamW",
]
CASES: list[Case] = [
    *RULES,
    *((name, settings, ["bias"] if "weight_decay" in settings else []) for name in NAMES for settings in COMMON),
]


def oracle() -> str | None:
    """The Python that has Keras and PyTorch, or None."""
    named = os.environ.get("NETLET_KERAS_PYTHON")
    if named:
        return named
    here = all(importlib.util.find_spec(module) is not None for module in ("keras", "torch"))
    return sys.executable if here else None


pytestmark = pytest.mark.skipif(
    oracle() is None,
    reason="Keras and PyTorch are not installed here, and NETLET_KERAS_PYTHON names no Python that has them",
)


def data(dtype: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The weights, and their gradients of all steps."""
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(shape) for shape in WEIGHTS.values()]
    gradients = [rng.standard_normal((STEPS, *shape)) for shape in WEIGHTS.values()]

    def rounded(arrays: list[Any]) -> list[np.ndarray]:
        return [np.asarray(a, np.float32).astype(dtype) for a in arrays]

    return rounded(weights), rounded(gradients)


@pytest.fixture(scope="module", params=["float32", "float64"])
def keras(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The element type, and what Keras made of every case in it."""
    folder = tmp_path_factory.mktemp("keras")
    weights, gradients = data(request.param)
    arrays = {f"w{i}": w for i, w in enumerate(weights)} | {f"g{i}": g for i, g in enumerate(gradients)}
    np.savez(folder / "in.npz", cases=json.dumps(CASES), names=list(WEIGHTS), **arrays)
    command = [str(oracle()), str(SCRIPT), str(folder / "in.npz"), str(folder / "out.npz")]
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "KERAS_BACKEND")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return request.param, dict(np.load(folder / "out.npz"))


def made(case: Case) -> tuple[optimizers.Optimizer, list[Variable]]:
    """The optimizer of a case, and variables of the weights' names and shapes."""
    name, settings, exempt = case
    optimizer = getattr(optimizers, name).from_config(settings)
    variables = [Variable(np.zeros(shape), path.rpartition("/")[2], path) for path, shape in WEIGHTS.items()]
    if exempt:
        optimizer.exclude_from_weight_decay(var_names=exempt)
    return optimizer, variables


def tolerance(c: int, dtype: str) -> float:
    name, settings, _ = CASES[c]
    scalars = name in ("Adafactor", "Muon") or {"clipnorm", "global_clipnorm", "warmup_steps"} & set(settings)
    return FLOAT32_SCALARS if dtype == "float64" and scalars else TOLERANCE[dtype]


def check(c: int, got: list[np.ndarray], keras: Answers) -> None:
    dtype, results = keras
    start, _ = data(dtype)
    want = [results[f"{c}/{i}"] for i in range(len(got))]
    largest = max(float(np.abs(w).max()) for w in want)
    assert any((a != b).any() for a, b in zip(want, start, strict=True)), "the oracle moved nothing"
    for name, w, expected in zip(WEIGHTS, got, want, strict=True):
        error = float(np.abs(w.astype(np.float64) - expected).max())
        assert error <= tolerance(c, dtype) * largest, f"{name}: off by {error / largest:.2g} of the largest weight"


def label(c: int) -> str:
    return f"{CASES[c][0]} {CASES[c][1]}"


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("c", range(len(CASES)), ids=label)
def test_a_program_ends_where_keras_does(c: int, target: Target, keras: Answers) -> None:
    dtype, _ = keras
    optimizer, variables = made(CASES[c])
    op, attrs = optimizer.lower(variables)
    target.require(op)
    params: list[Param] = []
    offset = 0
    for path, shape in WEIGHTS.items():
        params.append(Param(path, shape, offset))
        offset += params[-1].size
    program = Program(
        dtype, (Value("x", (1,)),), tuple(params), inputs=(0,), outputs=(0,), optimizer=Optimizer(op, attrs)
    )
    weights, gradients = data(dtype)
    arena = np.concatenate([w.reshape(-1) for w in weights])
    slots = np.zeros((program.num_slots, offset), dtype)
    names = optimizer.slot_names()
    optimizer.begin_slots(weights, slots, [slice(p.offset, p.offset + p.size) for p in params])
    executor = target.executor(program, arena, slots)
    for step in range(STEPS):
        gradient = np.concatenate([g[step].reshape(-1) for g in gradients])
        if optimizer.loss_scale_factor is not None:
            gradient /= optimizer.loss_scale_factor
        executor.apply(gradient, float(np.ravel(optimizer.rates(1))[0]), step)
        optimizer._iterations += 1
    if optimizer.use_ema:
        arena = slots[names.index("average")]
    check(c, [arena[p.offset : p.offset + p.size].reshape(p.shape) for p in params], keras)


@pytest.mark.parametrize("c", range(len(CASES)), ids=label)
def test_steps_from_python_end_where_keras_does(c: int, keras: Answers) -> None:
    dtype, _ = keras
    optimizer, variables = made(CASES[c])
    weights, gradients = data(dtype)
    variables = [Variable(w, v.name, v.path) for w, v in zip(weights, variables, strict=True)]
    for step in range(STEPS):
        optimizer.apply([g[step] for g in gradients], variables)
    optimizer.finalize_variable_values(variables)
    check(c, [v.numpy() for v in variables], keras)
