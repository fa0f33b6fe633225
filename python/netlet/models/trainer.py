"""``fit``, ``evaluate``, ``predict`` and their one-batch forms: what a compiled model can do with data."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.callbacks.callback_list import CallbackList
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.symbolic import holds_symbols
from netlet.models.columns import Columns, columns_of, in_order
from netlet.models.compiled import Compiled
from netlet.models.data import is_batches, unpack_batch
from netlet.models.datasets import (
    IndexedSource,
    MappedRows,
    MappedSource,
    batches_in,
    is_indexed,
    is_mapped,
    length_of,
    steps_in,
)
from netlet.models.fitting import FitLoop, Validation
from netlet.models.history import History
from netlet.models.inference import BLOCK_ROWS, evaluate_rows, predict_batches, predict_rows
from netlet.models.sources import ArraySource, BatchSource, Rows, Source, train_batch
from netlet.program.spec import Context

if TYPE_CHECKING:
    from netlet.models.engine import Engine
    from netlet.models.profiling import Profile

DEFAULT_BATCH = 32


class Trainer(Compiled):
    """The part of a model that trains, evaluates and predicts.

    Attributes:
        stop_training: set to True by a callback to end ``fit``: after the present batch, where it is set by a hook that
            is called for each batch, else after the present epoch.
        stop_evaluating, stop_predicting: set to True by a hook that is called for each batch to end ``evaluate`` or
            ``predict`` there.
        history: of the last ``fit``.
    """

    stop_evaluating = False
    stop_predicting = False
    _columns: Columns = None  # names of the columns of the frames that it was fitted on
    _loop: FitLoop | None = None  # while fit runs: where BackupAndRestore finds what it saves

    # Training

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Collection[int] = 1,
    ) -> History:
        """Train the model and return the `History` of losses and metrics.

        Args:
            x: rows ``[n, *input]``: an array of any type and memory order, a list, a pandas frame, anything with
                ``__array__`` or ``__dlpack__``; a list or dict of such for several inputs; or batches ``(x, y)`` or
                ``(x, y, sample_weight)``: a generator (used up once), an iterable such as a PyTorch DataLoader (begun
                anew for each epoch), or a dataset with ``__getitem__`` and ``__len__`` such as Keras' PyDataset, whose
                ``workers``, ``use_multiprocessing`` and ``max_queue_size`` are ignored: batches are asked for one after
                the other, by the thread that calls. Of a frame with named columns the model remembers the names, and
                takes later frames by them. A large memory map of another type is converted batch by batch.
            y: labels ``[n, ...]``; None if ``x`` yields batches.
            batch_size: rows a step; default 32.
            epochs: the number of the final epoch.
            verbose: 0 silent, 1 or "auto" a progress bar, 2 one line an epoch.
            callbacks: a `Callback` or a list of them.
            validation_split: share of the rows, taken from the end before shuffling, to validate on.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or an iterable of batches; overrides the split.
            shuffle: whether to draw the rows' order anew for each epoch; that of the batches, if x is a dataset.
            class_weight: dict of class number to weight; a missing class weighs 1. Not with generators and iterables.
            sample_weight: ``[n]``, one weight a row; not together with ``class_weight``.
            initial_epoch: the number of epochs already done.
            steps_per_epoch: None for a whole pass over the data.
            validation_steps: batches to validate on; None for all.
            validation_batch_size: default ``batch_size``.
            validation_freq: validate every so many epochs, or after the epochs (from 1) that a collection names.

        Raises:
            NotCompiledError: without ``compile``.
            ValueError, TypeError: if an argument is invalid; the model is then as it was.
            RuntimeError: while another thread trains this model.
            KeyboardInterrupt: after Ctrl-C, between two steps; the model is usable.
        """
        with self._guard("fit"):
            compilation = self._compiled("fit")
            level = check_verbose(verbose)
            size = DEFAULT_BATCH if batch_size is None else positive_int(batch_size, "batch_size")
            last = count(epochs, "epochs")
            first = count(initial_epoch, "initial_epoch")
            steps = None if steps_per_epoch is None else positive_int(steps_per_epoch, "steps_per_epoch")
            if not isinstance(shuffle, (bool, np.bool_)):
                raise TypeError(f"shuffle must be True or False, got {shuffle!r}")
            freq = _check_freq(validation_freq)
            val_size = (
                size if validation_batch_size is None else positive_int(validation_batch_size, "validation_batch_size")
            )
            val_steps = None if validation_steps is None else positive_int(validation_steps, "validation_steps")
            source: Source
            held_out: Any = None
            order: Callable[[int], tuple[int, int] | None] = self._next_shuffle if shuffle else lambda passes: None
            columns: Columns
            if is_batches(x):
                self._refuse_with_batches(y, sample_weight, None if is_indexed(x) else class_weight, validation_split)
                source, input_shape, columns = self._batch_source(x, steps, order, class_weight)
            elif is_mapped(x, self.dtype):
                mapped, split, columns = MappedRows(x, y, sample_weight), _check_split(validation_split), None
                if split and validation_data is None:
                    at = _split_at(len(mapped), split)
                    held_out = mapped.part(at, len(mapped), class_weight is None).batches(val_size)
                    mapped = mapped.part(0, at)
                input_shape = self._adapt(*mapped.take(slice(0, size)), class_weight, "fit")[1]
                source = MappedSource(mapped, self._adapter(class_weight), size, order, steps)
            else:
                columns = columns_of(x)
                rows, input_shape = self._adapt(x, y, sample_weight, class_weight, "fit")
                split = _check_split(validation_split)
                if split and validation_data is None:
                    at = _split_at(len(rows), split)
                    rows, held_out = rows.part(0, at), rows.part(at, len(rows))
                    if class_weight is not None:  # it is for training only, as in Keras
                        held_out = self._without_weights(held_out)
                source = ArraySource(rows, size, order, steps)
            if validation_data is not None:
                held_out = self._adapt_validation(validation_data, input_shape, val_size)
                if hasattr(held_out, "__next__") and val_steps is None:
                    held_out = list(held_out)  # each validation needs all of it
            params = {"verbose": level, "epochs": last, "steps": source.steps}
            engine = self._engine_for(input_shape)
            if self._columns is None:
                self._columns = columns
            wrapped = CallbackList.of_run(callbacks, self, params)
            level = wrapped.verbosity(level)
            history = next((c for c in wrapped.callbacks if isinstance(c, History)), None)
            if history is None:
                history = History()
                history.set_params(params)
                history.set_model(self)
                history.on_train_begin()
            else:
                wrapped.callbacks.remove(history)
                history.on_train_begin()
            self.history = history
            FitLoop(
                self,
                engine,
                source,
                wrapped,
                history,
                epochs=(first, last),
                verbose=level,
                chunk=compilation.steps_per_execution,
                validation=None
                if held_out is None
                else self._validation(engine, held_out, val_size, val_steps, validation_batch_size or BLOCK_ROWS),
                validation_freq=freq,
            ).run()
            return history

    def _refuse_with_batches(self, y: Any, sample_weight: Any, class_weight: Any, validation_split: float) -> None:
        for name, value in (("y", y), ("sample_weight", sample_weight), ("class_weight", class_weight)):
            if value is not None:
                raise ValueError(f"{name} must be None where x yields batches (x, y) or (x, y, sample_weight)")
        if validation_split:
            raise ValueError("validation_split needs arrays; give validation_data where x yields batches")

    def _batch_source(
        self, batches: Any, steps: int | None, order: Callable[[int], tuple[int, int] | None], class_weight: Any
    ) -> tuple[Source, Shape, Columns]:
        """A source of batches, the input's shape and the columns, for which the first may have to be looked at."""
        if is_indexed(batches):
            source: Source = IndexedSource(batches, self._adapter(class_weight), order, steps)
            first = batches[0]
        else:
            length = length_of(batches)
            once = hasattr(batches, "__next__")
            first = next(batches if once else iter(batches), None)
            if first is None:
                raise ValueError("x: the iterable yielded no batch")
            source = BatchSource(_again(first, batches) if once else batches, self._adapter(None), steps, length)
        x, y, sample_weight = unpack_batch(first)
        return source, self._adapt(x, y, sample_weight, class_weight, "fit")[1], columns_of(x)

    def _adapter(self, class_weight: Any) -> Callable[[Any, Any, Any], Rows]:
        """A function that makes a raw batch into Rows."""
        return lambda x, y, sample_weight: self._adapt(x, y, sample_weight, class_weight, "fit")[0]

    def _adapt(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, action: str, input_shape: Any = None
    ) -> tuple[Rows, Any]:
        return super()._adapt(in_order(x, self._columns), y, sample_weight, class_weight, action, input_shape)

    def _adapt_validation(self, data: Any, input_shape: Shape, batch_size: int) -> Any:
        """Rows, or the iterable itself."""
        if is_batches(data):
            return data
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                "validation_data must be (x, y), (x, y, sample_weight) or an iterable of batches, "
                f"got {type(data).__name__}{f' of {len(data)}' if isinstance(data, (tuple, list)) else ''}"
            )
        x, y, sample_weight = unpack_batch(data)
        if is_mapped(x, self.dtype):
            return MappedRows(x, y, sample_weight).batches(batch_size)
        try:
            return self._adapt(x, y, sample_weight, None, "validation", input_shape)[0]
        except (ValueError, TypeError) as error:
            raise type(error)(f"validation_data: {error}") from None

    def _validation(self, engine: Engine, data: Any, batch_size: int, steps: int | None, block: int) -> Validation:
        def validate(callbacks: CallbackList) -> dict[str, Any]:
            sums = evaluate_rows(engine, self._evaluation_batches(data), batch_size, steps, callbacks, 0, block)
            return engine.logs(sums)

        return validate

    def _evaluation_batches(self, data: Any) -> Any:
        """Rows as they are; an iterable with its batches adapted."""
        if isinstance(data, Rows):
            return data
        return (self._adapt(*unpack_batch(batch), None, "evaluate")[0] for batch in batches_in(data))

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one step on one batch.

        Args: as of `fit`, and ``return_dict``: whether to return the values by name.

        Returns: the batch's loss before the step, or a list of loss and metrics if there are metrics.

        Raises: as `fit`.
        """
        with self._guard("train_on_batch"):
            compilation = self._compiled("train_on_batch")
            rows, input_shape = self._adapt(x, y, sample_weight, class_weight, "train_on_batch")
            engine = self._engine_for(input_shape)
            sums = engine.new_sums()
            train_batch(engine, rows, compilation.optimizer, sums)
            return _values(engine, sums, return_dict)

    # Evaluation

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss on data, or a list of loss and metrics if there are metrics.

        Args:
            x, y, sample_weight: as of `fit`; ``x`` may be an iterable of batches.
            batch_size: rows a step, as ``steps`` and the progress bar count them; default 32. The result does not
                depend on it.
            verbose: 0 silent, 1 or "auto" a progress bar, 2 one line.
            steps: batches to evaluate; None for all.
            callbacks: a `Callback` or a list of them.
            return_dict: whether to return a dict by name, sorted.

        Raises: NotCompiledError without ``compile``; ValueError, TypeError if an argument is invalid.
        """
        self._compiled("evaluate")
        level = check_verbose(verbose)
        size = DEFAULT_BATCH if batch_size is None else positive_int(batch_size, "batch_size")
        limit = None if steps is None else positive_int(steps, "steps")
        data: Any
        if is_mapped(x, self.dtype):
            x, y, sample_weight = MappedRows(x, y, sample_weight).batches(size), None, None
        if is_batches(x):
            self._refuse_with_batches(y, sample_weight, None, 0.0)
            batches, total = batches_in(x), steps_in(x, limit)
            first = next(batches, None)
            if first is None:
                raise ValueError("x: the iterable yielded no batch")
            _, input_shape = self._adapt(*unpack_batch(first), None, "evaluate")
            data = self._evaluation_batches(_again(first, batches))
        else:
            data, input_shape = self._adapt(x, y, sample_weight, None, "evaluate")
            total = -(-len(data) // size)
            total = total if limit is None else min(total, limit)
        engine = self._engine_for(input_shape)
        wrapped = CallbackList.of_run(callbacks, self, {"verbose": level, "epochs": 1, "steps": total})
        level = wrapped.verbosity(level)
        sums = evaluate_rows(engine, data, size, total, wrapped, level, batch_size or BLOCK_ROWS)
        return _values(engine, sums, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Return the loss on one batch, or a list of loss and metrics. Arguments as of `evaluate`."""
        rows, input_shape = self._adapt(x, y, sample_weight, None, "test_on_batch")
        engine = self._engine_for(input_shape)
        sums = engine.new_sums()
        engine.executor.evaluate(rows.xs, rows.y, rows.sample_weight, batch_size=len(rows), sums=sums)
        return _values(engine, sums, return_dict)

    # Prediction

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the model's output ``[n, *output]`` for rows ``x``. Any number of threads may call this at once.

        Args:
            x: rows ``[n, *input]``, as of `fit`, or an iterable of batches.
            batch_size: rows at a time; None lets the model choose. On the native backend the result does not depend on
                it in one bit.
            verbose: 1 a progress bar, 2 one line; 0 and "auto" silent.
            steps: batches (of ``batch_size``, default 32) to predict; None for all.
            callbacks: a `Callback` or a list of them.

        Raises: ValueError, TypeError if an argument is invalid; NotBuiltError if the model has no layers.
        """
        level = 0 if verbose == "auto" else check_verbose(verbose)
        size = DEFAULT_BATCH if batch_size is None else positive_int(batch_size, "batch_size")
        limit = None if steps is None else positive_int(steps, "steps")
        if is_mapped(x, self.dtype):
            x = MappedRows(x).batches(size)
        total = steps_in(x, limit) if is_batches(x) else limit
        wrapped = CallbackList.of_run(callbacks, self, {"verbose": level, "epochs": 1, "steps": total})
        level = wrapped.verbosity(level)
        if is_batches(x):
            return self._returned(predict_batches(self._predict_batch, batches_in(x), total, wrapped, level))
        x = in_order(x, self._columns)
        input_shape = self._input_shape_for(x)
        xs = self._rows_of(x, input_shape)
        if limit is not None:
            xs = tuple(array[: limit * size] for array in xs)
        engine = self._engine_for(input_shape)
        return self._returned(predict_rows(engine, xs, size, wrapped, level, batch_size or BLOCK_ROWS))

    def _predict_batch(self, batch: Any) -> list[NDArray[Any]]:
        x = in_order(unpack_batch(batch)[0], self._columns)
        input_shape = self._input_shape_for(x)
        xs = self._rows_of(x, input_shape)
        return self._engine_for(input_shape).executor.predict(xs, None, len(xs[0]))

    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's output for one batch ``x``; raises as `predict`."""
        return self._returned(self._predict_batch((x,)))

    def _returned(self, outputs: list[NDArray[Any]]) -> Any:
        """The outputs in the form that the model was given them: one array, or a list or dict."""
        return outputs[0]

    # Profile

    def profile(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        *,
        sample_weight: Any = None,
        seconds: float = 0.2,
    ) -> Profile:
        """Find out where the time of a training step goes, or without ``y`` that of a prediction: op by op.

        Steps run as `fit` runs them, on shuffled rows in whole batches, or as `predict_on_batch` does, but below
        Python and on a copy: weights, optimizer, history and random numbers stay as they are, bit for bit. (A model
        that is not built is built, as by any call with data.)

        Args:
            x: rows ``[n, *input]``, as of `fit`; no iterable of batches.
            y: labels ``[n, ...]``, as of `fit`; None profiles prediction.
            batch_size: rows a step; default 32; all rows if there are fewer.
            sample_weight: ``[n]``, as of `fit`.
            seconds: about how long to take samples. At least three steps are timed, after some that are not counted.

        Returns: a `Profile`, which prints as a table: microseconds a step, share, GFLOP/s, per cent of the peak that
            the processor was measured to have, and GB/s where moving bytes is what bounds. A part's microseconds are
            medians. What the step takes beside its parts is called "other".

        How deep it looks depends on the backend: C++ and NumPy are timed op by op, Numba's jitted steps by phases; the
        result's ``note`` says so.

        Raises: NotCompiledError with ``y`` and without ``compile``; ValueError, TypeError if an argument is invalid;
            RuntimeError while another thread trains this model; KeyboardInterrupt after Ctrl-C.

        Example::

            report = model.profile(x, y, batch_size=128)
            print(report)
            slowest = max(report.rows, key=lambda row: row.microseconds)
        """
        with self._guard("profile"):
            size = DEFAULT_BATCH if batch_size is None else positive_int(batch_size, "batch_size")
            limit = check_seconds(seconds)
            if is_batches(x):
                raise TypeError(f"profile: x must be rows, not an iterable of batches, got {type(x).__name__}")
            rate, labels, weights = 0.0, None, None
            if y is None:
                if sample_weight is not None:
                    raise ValueError("profile: sample_weight needs y; without labels it is prediction that is profiled")
                x = in_order(x, self._columns)
                input_shape = self._input_shape_for(x)
                inputs = self._rows_of(x, input_shape)
            else:
                rate = float(np.ravel(self._compiled("profile").optimizer.rates(1))[0])
                rows, input_shape = self._adapt(x, y, sample_weight, None, "profile")
                inputs, labels, weights = rows.xs, rows.y, rows.sample_weight
            engine = self._engine_for(input_shape)
            from netlet.models.profiling import make_profile

            measured = engine.executor.profile(
                inputs, labels, weights, batch_size=size, learning_rate=rate, seconds=limit
            )
            return make_profile(self.name, engine.program, measured, min(size, len(inputs[0])), labels is not None)

    def _call_symbolically(self, x: Any) -> Any:
        """The symbolic outputs of the model's layers, called on symbolic inputs. What a subclass provides."""
        raise NotImplementedError

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Return the model's output for one batch ``x``.

        Args:
            x: a batch, as of `predict`; or a symbolic value of `Input` or a layer (a list for several inputs), through
                which the model's layers are then called: they become part of the graph, with the weights that they
                share with this model.
            training: whether layers act as in training, such as dropout; their moving averages then move.
        """
        if holds_symbols(x):
            return self._call_symbolically(x)
        if not training:
            return self.predict_on_batch(x)
        with self._guard("a call in training"):
            x = in_order(x, self._columns)
            input_shape = self._input_shape_for(x)
            xs = self._rows_of(x, input_shape)
            engine = self._engine_for(input_shape)
            program = engine.program
            nothing = [np.zeros((len(xs[0]), *program.values[v].shape), program.dtype) for v in program.outputs]
            self._calls += 1
            return self._returned(engine.executor.vjp(xs, nothing, Context(True, self._calls))[0])


def _values(engine: Engine, sums: NDArray[np.float64], return_dict: bool) -> Any:
    if return_dict:
        return engine.logs(sums)
    values = engine.values(sums)
    return values[0] if len(values) == 1 else values


def _again(first: Any, rest: Any) -> Any:
    yield first
    yield from rest


def check_verbose(verbose: Any) -> int:
    """Return 0, 1 or 2; "auto" is 1. Raises: ValueError for anything else."""
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    if isinstance(verbose, (bool, int, np.integer)) and int(verbose) in (0, 1, 2):
        return int(verbose)
    raise ValueError(f'verbose must be 0, 1, 2 or "auto", got {verbose!r}')


def count(value: Any, what: str) -> int:
    """Return ``value`` as an int >= 0; ValueError naming ``what`` if it is none."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"{what} must be an integer >= 0, got {value!r}")
    return number


def check_seconds(seconds: Any) -> float:
    """Return ``seconds`` as a float; ValueError unless it is a number above 0 and of at most an hour."""
    number = isinstance(seconds, (int, float, np.number)) and not isinstance(seconds, bool)
    if not number or not 0 < seconds <= 3600:
        raise ValueError(f"seconds must be a number above 0 and at most 3600, got {seconds!r}")
    return float(seconds)


def _split_at(rows: int, split: float) -> int:
    """The first row of the validation, the last share ``split`` of the rows; ValueError if one side is empty."""
    at = math.floor(rows * (1.0 - split))
    if at in (0, rows):
        raise ValueError(f"validation_split={split} of {rows} rows leaves one side empty")
    return at


def _check_split(split: Any) -> float:
    if isinstance(split, (bool, str)) or not isinstance(split, (int, float, np.number)) or not 0 <= split < 1:
        raise ValueError(f"validation_split must lie in [0, 1), got {split!r}")
    return float(split)


def _check_freq(freq: Any) -> int | Collection[int]:
    if isinstance(freq, (list, tuple, set, frozenset, range)):
        return {positive_int(epoch, "validation_freq: every epoch") for epoch in freq}
    return positive_int(freq, "validation_freq")
