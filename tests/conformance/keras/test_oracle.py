"""Netlet trains as Keras does: after 100 steps from the same weights the weights and the History are the same.

Keras runs in a process of its own, once for all cases and element types. ``NETLET_KERAS_PYTHON`` names the interpreter
that has Keras with PyTorch or JAX, if it is not this one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the harness is no part of the installed package

from oracle import compare
from oracle.cases import activations, cases, losses, networks_without_layer, without_recipe
from oracle.compare import Arrays
from oracle.results import DTYPES

from netlet.backends import available_backends

WHY = compare.why_no_keras()
CASES = cases()
BACKENDS = available_backends()
KEEP = Path(os.environ["NETLET_ORACLE_KEEP"]) if "NETLET_ORACLE_KEEP" in os.environ else None
needs_keras = pytest.mark.skipif(WHY is not None, reason=str(WHY))
each_case = pytest.mark.parametrize("i", range(len(CASES)), ids=[str(case) for case in CASES])


@pytest.fixture(scope="module")
def keras64(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    """What Keras made of all cases in float64."""
    return compare.keras_train(CASES, "float64", KEEP or tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="module")
def keras32(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    """What Keras made of all cases in float32."""
    return compare.keras_train(CASES, "float32", KEEP or tmp_path_factory.mktemp("oracle"))


def test_every_loss_optimizer_and_schedule_of_netlet_has_a_recipe() -> None:
    assert without_recipe() == [], "add them to oracle/recipes.py"


def test_every_loss_activation_and_layer_occurs() -> None:
    assert set(losses()) <= {case.loss for case in CASES}
    assert set(activations()) <= {case.activation for case in CASES}
    assert networks_without_layer() == []


@needs_keras
@each_case
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_training_is_that_of_keras(i: int, backend: str, dtype: str, keras32: Arrays, keras64: Arrays) -> None:
    got = compare.netlet_case(CASES[i], dtype, backend)
    theirs = compare.keras_case(keras32, i), compare.keras_case(keras64, i)
    fine, off, why = compare.verdict(CASES[i], got, *theirs, dtype)
    assert fine, (off, why)
