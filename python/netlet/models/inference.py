"""Evaluation and prediction over rows or batches, with callbacks and a progress bar where they are asked for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.callbacks.callback_list import CallbackList
from netlet.models.sources import Rows

if TYPE_CHECKING:
    from netlet.models.engine import Engine

Arrays = tuple[NDArray[Any], ...]  # one for each input

CHUNK_SECONDS = 0.05  # how long a call may run while a progress bar waits
BLOCK_ROWS = 1024  # rows that an executor holds at a time where the caller leaves it to us


def evaluate_rows(
    engine: Engine,
    data: Rows | Iterable[Rows],
    batch_size: int,
    steps: int | None,
    callbacks: CallbackList,
    verbose: int,
    block: int = BLOCK_ROWS,
) -> NDArray[np.float64]:
    """Return the executor's sums over ``data``.

    Args:
        engine: runs the model.
        data: rows, or batches of them.
        batch_size: rows a step, as ``steps``, callbacks and the bar count them, where ``data`` is Rows.
        steps: how many batches; None for all.
        callbacks: its test hooks are called.
        verbose: 0, 1 or 2.
        block: rows that the executor may hold at a time.
    """
    sums = engine.new_sums()
    block = block if engine.per_row else batch_size
    hooked = callbacks.wants_batches("test")
    begin, end = callbacks.hooks("on_test_batch_begin"), callbacks.hooks("on_test_batch_end")
    if hooked:
        callbacks.model.stop_evaluating = False
    callbacks.call("on_test_begin", None)

    def run(rows: Rows) -> None:
        engine.executor.evaluate(rows.xs, rows.y, rows.sample_weight, batch_size=block, sums=sums)

    total = steps
    if isinstance(data, Rows):
        whole = -(-len(data) // batch_size)
        total = whole if steps is None else min(whole, steps)
    if isinstance(data, Rows) and not hooked and not verbose:
        run(data if total == whole else data.part(0, total * batch_size))  # type: ignore[operator]
    else:
        with callbacks.bar(total, 0, 1, verbose) as bar:
            step = 0
            for rows, batches in _pieces(data, batch_size, total, 1 if hooked else None):
                for hook in begin:
                    hook(step, {})
                run(rows)
                step += batches
                logs = engine.logs(sums)
                for hook in end:
                    hook(step - 1, logs)
                bar.update(step, logs)
                if hooked and callbacks.model.stop_evaluating:
                    break
            if not step:
                raise ValueError("x: the iterable yielded no batch")
            bar.finish(engine.logs(sums))
    callbacks.call("on_test_end", engine.logs(sums))
    return sums


def predict_rows(
    engine: Engine, xs: Arrays, batch_size: int, callbacks: CallbackList, verbose: int, block: int = BLOCK_ROWS
) -> list[NDArray[Any]]:
    """Return the model's outputs for ``xs``, ``[n, *input]`` each; arguments as of `evaluate_rows`."""
    if not callbacks.callbacks and not verbose:
        return engine.executor.predict(xs, None, block)
    hooked = callbacks.wants_batches("predict")
    begin, end = callbacks.hooks("on_predict_batch_begin"), callbacks.hooks("on_predict_batch_end")
    if hooked:
        callbacks.model.stop_predicting = False
    callbacks.call("on_predict_begin", None)
    total = -(-len(xs[0]) // batch_size)
    parts: list[list[NDArray[Any]]] = []
    with callbacks.bar(total, 0, 1, verbose) as bar:
        step = 0
        for part, batches in _pieces(xs, batch_size, total, 1 if hooked else None):
            for hook in begin:
                hook(step, {})
            outputs = engine.executor.predict(part, None, block)
            parts.append(outputs)
            step += batches
            for hook in end:
                hook(step - 1, {"outputs": outputs[0] if len(outputs) == 1 else outputs})
            bar.update(step)
            if hooked and callbacks.model.stop_predicting:
                break
        bar.finish()
    callbacks.call("on_predict_end", None)
    return _joined(parts)


def predict_batches(
    predict: Callable[[Any], list[NDArray[Any]]],
    batches: Iterable[Any],
    steps: int | None,
    callbacks: CallbackList,
    verbose: int,
) -> list[NDArray[Any]]:
    """Return the outputs of ``predict`` for the first ``steps`` batches (None: all) of an iterable, joined."""
    hooked = callbacks.wants_batches("predict")
    begin, end = callbacks.hooks("on_predict_batch_begin"), callbacks.hooks("on_predict_batch_end")
    if hooked:
        callbacks.model.stop_predicting = False
    callbacks.call("on_predict_begin", None)
    parts: list[list[NDArray[Any]]] = []
    with callbacks.bar(steps, 0, 1, verbose) as bar:
        iterator = iter(batches)
        while steps is None or len(parts) < steps:
            try:
                batch = next(iterator)
            except StopIteration:
                break
            for hook in begin:
                hook(len(parts), {})
            outputs = predict(batch)
            parts.append(outputs)
            for hook in end:
                hook(len(parts) - 1, {"outputs": outputs[0] if len(outputs) == 1 else outputs})
            bar.update(len(parts))
            if hooked and callbacks.model.stop_predicting:
                break
        if not parts:
            raise ValueError("x: the iterable yielded no batch")
        bar.finish()
    callbacks.call("on_predict_end", None)
    return _joined(parts)


def _joined(parts: list[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Each output's parts as one array."""
    return parts[0] if len(parts) == 1 else [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def _pieces(data: Any, batch_size: int, total: int | None, batches: int | None) -> Iterable[tuple[Any, int]]:
    """Yield parts of ``data`` and how many batches each holds: ``batches`` of them, or for None as many as take about
    CHUNK_SECONDS. An iterable is passed on, up to ``total``."""
    if not isinstance(data, (Rows, tuple)):
        for rows in itertools.islice(data, total):
            yield rows, 1
        return
    assert total is not None
    step, rate = 0, 0.0
    while step < total:
        last = min(step + (batches or max(1, int(rate * CHUNK_SECONDS))), total)
        start = time.perf_counter()
        rows = len(data) if isinstance(data, Rows) else len(data[0])
        first_row, last_row = step * batch_size, min(last * batch_size, rows)
        if isinstance(data, Rows):
            yield data.part(first_row, last_row), last - step
        else:
            yield tuple(x[first_row:last_row] for x in data), last - step
        elapsed = time.perf_counter() - start
        rate = (last - step) / elapsed if elapsed > 0 else rate
        step = last
