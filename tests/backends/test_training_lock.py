"""The lock that training holds on backends written in Python."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from netlet.backends import available_backends, make_executor
from netlet.backends.training_lock import TrainingLock
from netlet.testing.programs import initial_params, sample_programs


def test_it_keeps_others_out_and_says_who_would_wait_for_himself() -> None:
    lock = TrainingLock()
    entered = threading.Event()

    def enter() -> None:
        with lock:
            entered.set()

    other = threading.Thread(target=enter)
    with lock:
        with pytest.raises(RuntimeError, match="called from within its own training"), lock:
            pass
        other.start()
        assert not entered.wait(0.1)
    assert entered.wait(10)
    other.join()
    with lock:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_a_thread_that_is_not_there() -> None:
    lock = TrainingLock()
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            go_on.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    pid = os.fork()
    if pid == 0:
        with lock:
            os._exit(0)
    go_on.set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    other.join()


@pytest.mark.parametrize("target", [name for name in available_backends() if name != "native"])
def test_executors_hold_it_while_they_train(target: str) -> None:
    program = next(iter(sample_programs("float32").values()))
    params = initial_params(program)
    slots = np.zeros((program.num_slots, program.param_size), program.dtype)
    executor = make_executor(program, params, np.zeros(program.state_size, program.dtype), slots, target=target)
    made = threading.Event()

    def make() -> None:
        executor.predictor(None)  # type: ignore[arg-type]
        made.set()

    other = threading.Thread(target=make)
    with executor._training:  # type: ignore[attr-defined]
        other.start()
        assert not made.wait(0.1)
    assert made.wait(10)
    other.join()
