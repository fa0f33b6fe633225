"""What every model of layers shares: its weights in one arena, what runs it, prediction, its description."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import Predictor
from netlet.config import DEFAULT_DTYPE, dtype_name
from netlet.errors import NotBuiltError
from netlet.layers import InputLayer, Layer
from netlet.layers.layer import assign_all
from netlet.layers.variable import Variable
from netlet.models.arena import Arena
from netlet.models.inference import BLOCK_ROWS
from netlet.models.joined_labels import join_labels, unweighted
from netlet.models.lowering import Lowered
from netlet.models.predictor import RowAdapter
from netlet.models.sources import Rows
from netlet.models.trainer import Trainer
from netlet.program import Program

if TYPE_CHECKING:
    from netlet.metrics import Metric
    from netlet.models.compilation import Compilation
    from netlet.models.engine import Engine

_SILENT = ("auto", 0)


class LayeredModel(Trainer):
    """The part of a model that holds its layers' weights and runs them. A subclass knows how the layers are joined.

    Args:
        name: the model's name.
        trainable: whether training changes the weights.
        dtype: "float32", "float64", or None for that of the layers.

    Attributes:
        built: whether the inputs' shapes are known, and so the weights are there.
    """

    def __init__(self, name: str, trainable: bool, dtype: Any) -> None:
        self.name = name
        super().__init__()
        if not isinstance(trainable, (bool, np.bool_)):
            raise TypeError(f"{self.name}: trainable must be True or False, got {trainable!r}")
        self._trainable = bool(trainable)
        self.built = False
        self._dtype: str | None = None if dtype is None else dtype_name(dtype)
        self._stack: list[Layer] = []  # in the order in which they run, inputs first
        self._making = threading.RLock()  # held while weights, arenas or engine are made
        self._arena: Arena | None = None
        self._state_arena: Arena | None = None
        self._engine: Engine | None = None
        self._slots: NDArray[Any] | None = None  # the optimizer's, while a layer is lent
        self._fast: tuple[Any, ...] | None = None  # what predict needs to skip its checks

    # What a subclass provides

    @property
    def input_shape(self) -> Any:
        """The input's shape, the batch in front; a list of them for several. AttributeError before it is built."""
        raise NotImplementedError

    @property
    def output_shape(self) -> Any:
        """The output's shape, the batch in front; a list of them for several. AttributeError before it is built."""
        raise NotImplementedError

    def build(self, input_shape: Any = None) -> None:
        """Make the weights."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the model's layers and settings as JSON can hold them; weights and ``compile`` are not in it."""
        raise NotImplementedError

    def _lower(self, training: bool) -> Lowered:
        """The model as a program, and what training has to know of it if that is what it is for."""
        raise NotImplementedError

    # Layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def in_line(self) -> list[Layer]:
        """Return the layers, each of which takes what the one before it makes; ValueError if they are no such line."""
        raise NotImplementedError

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer called ``name``, or the one at ``index``.

        Raises: ValueError if there is none, or unless one of both is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{self.name}: give one of name and index, got name={name!r}, index={index!r}")
        layers = self.layers
        if name is not None:
            for layer in layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"{self.name}: no layer {name!r}; layers: {', '.join(layer.name for layer in layers)}")
        assert index is not None
        if not -len(layers) <= index < len(layers):
            raise ValueError(f"{self.name}: no layer at index {index}; the model has {len(layers)} layers")
        return layers[index]

    @property
    def dtype(self) -> str:
        """Element type of weights and data: "float32" or "float64"."""
        if self._dtype is not None:
            return self._dtype
        named = next((layer._dtype for layer in self._stack if layer._dtype is not None), None)
        return named or DEFAULT_DTYPE

    # Running

    def lower(self) -> Program:
        """Return the model as a program, as the layers wrote it: without loss and optimizer, no pass run.

        Raises: NotBuiltError before the model is built.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built; call build() or add an Input")
        return self._lower(training=False).program

    def _joined(self) -> bool:
        """Whether the loss is more than that of one output: labels then come joined with their weights."""
        compilation = self._compilation
        if compilation is not None and compilation.loss is not None and compilation.loss_weights != [1.0]:
            return True
        return any(layer.makes_mask or layer.activity_regularizer is not None for layer in self._stack)

    def _adapt_y(
        self, y: Any, sample_weight: Any, class_weight: Any, input_shape: Any, rows: int
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        labels, weights = super()._adapt_y(y, sample_weight, class_weight, input_shape, rows)
        return (join_labels([labels], [weights], self.dtype), None) if self._joined() else (labels, weights)

    def _without_weights(self, rows: Rows) -> Rows:
        return dataclasses.replace(rows, y=unweighted(rows.y)) if self._joined() else super()._without_weights(rows)

    def _forget_engine(self) -> None:
        self._engine = None
        self._slots = None
        self._fast = None

    def _lend(self) -> None:
        """Let another model take weights out of the arena; the next run fetches them back."""
        with self._guard("lending a layer"), self._making:
            slots = self._slots if self._engine is None else self._engine.slots
            self._forget_engine()
            self._slots = slots

    def _engine_for(self, input_shape: Any) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._making:
            if self._engine is None:
                if not self.built:
                    self.build(input_shape)
                self._make_engine(self._slots)
            assert self._engine is not None
            return self._engine

    def _make_engine(self, slots: NDArray[Any] | None) -> None:
        """Make the engine of a built model; ``slots`` continue the optimizer's."""
        from netlet.models.engine import Engine

        lowered = self._lower(self._compilation is not None and self._compilation.loss is not None)
        program = lowered.program
        by_path = {variable.path: variable for variable in self.weights}
        trained = [by_path[param.name] for param in program.params]
        kept = [by_path[entry.name] for entry in program.state]
        if self._arena is None or not self._arena.holds(trained):
            self._arena = Arena(trained, self.dtype, self)
        if self._state_arena is None or not self._state_arena.holds(kept):
            self._state_arena = Arena(kept, self.dtype, self)
        self._engine = engine = Engine(
            lowered,
            self._arena,
            self._state_arena,
            self._compilation,
            self._output_shapes(),
            slots,
            self._joined(),
        )
        program = engine.program
        single = len(program.inputs) == len(program.outputs) == 1
        if single and not self._hosts() and (self._compilation is None or not self._compilation.check_finite):
            row = program.values[program.inputs[0]].shape
            self._fast = (np.dtype(self.dtype), row, engine.executor.predict)

    def _set_compilation(self, compilation: Compilation) -> None:
        if self.built:
            compilation.scored(self._output_shapes())
        self._compilation = compilation
        self._forget_engine()

    def _output_shapes(self) -> list[Any]:
        """Of each output, the batch in front."""
        return [self.output_shape]

    def _resolved_metrics(self, compilation: Compilation) -> list[Metric]:
        if self.built:
            return [scored.metric for scored in compilation.scored(self._output_shapes())]
        return [metric for metric in compilation.metrics[0] if not isinstance(metric, str)]

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        # The short way, for rows that are as executors take them: no conversion, no callbacks, no bar.
        fast = self._fast
        whole = batch_size is None or (batch_size.__class__ is int and batch_size > 0)
        if fast is not None and x.__class__ is np.ndarray and whole and verbose in _SILENT:
            dtype, row, run = fast
            fits = x.dtype is dtype and x.shape[1:] == row and x.flags.c_contiguous and len(x) > 0
            if fits and steps is None and callbacks is None:
                outputs: list[NDArray[Any]] = run((x,), None, batch_size or BLOCK_ROWS)
                return outputs[0]
        return super().predict(x, batch_size, verbose, steps, callbacks)

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        fast = self._fast
        if fast is not None and x.__class__ is np.ndarray and not training:  # as in predict
            dtype, row, run = fast
            if x.dtype is dtype and x.shape[1:] == row and x.flags.c_contiguous and len(x) > 0:
                outputs: list[NDArray[Any]] = run((x,), None, BLOCK_ROWS)
                return outputs[0]
        return super().__call__(x, training)

    def predictor(self) -> Predictor:
        """Return the model frozen for serving: a callable from rows to predictions.

        It has its own copy of the weights and settings. Any number of threads may call it at once, without a lock, also
        beside ``fit``; what happens to the model afterwards does not reach it: train on, and make a new one. While
        another thread trains, this waits for the end of the epoch (or of the batch, if a callback asks for batches).

        The predictor takes a row ``[*input]`` and returns ``[*output]``, or a batch ``[B, *input]`` and returns
        ``[B, *output]``, with the bits of ``predict``. A C-contiguous array of the model's dtype is the fast way;
        whatever else ``predict`` takes as rows is converted. ``out=`` names an array to write to, which is returned: of
        the result's shape and the model's dtype, C-contiguous, and apart from x in memory.

        Raises: NotBuiltError before the model is built; ValueError if it begins with layers on strings, or has a layer
            that computes in Python.

        Example::

            predict = model.predictor()
            probabilities = predict(row)
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built; call build() or add an Input")
        if hosts := self._hosts():
            raise ValueError(f"{self.name}: a predictor cannot run {hosts[0].name}, which takes strings; use predict()")
        engine = self._engine_for(self.input_shape)
        if own := [op.attrs["layer"] for op in engine.program.ops if op.op == "custom"]:
            raise ValueError(f"{self.name}: a predictor cannot run {own[0]}, which computes in Python; use predict()")
        finite = self._compilation is not None and self._compilation.check_finite
        adapter = RowAdapter(
            self._first_layer_name(), self.input_shape, self.output_shape, self.dtype, finite, self._columns
        )
        return engine.executor.predictor(adapter)

    # Description

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of parameters.

        Args:
            line_length: width of the table in characters; None fits the terminal.
            print_fn: called once with the whole text, instead of printing it.
            show_trainable: whether a column says of layers with weights if training changes them: Y or N.
            positions, expand_nested, layer_range: accepted for Keras' sake, without effect.
        """
        from netlet.models.summary import summary

        summary(self, line_length, print_fn, show_trainable)

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the model to a file: layers, weights, settings of ``compile`` and the optimizer's state.

        Args:
            filepath: path of the file, which is replaced in one step: a crash leaves the old or the new one. The suffix
                ``.keras`` asks for Keras' format; all others are safetensors.
            overwrite: whether a file that exists may be replaced.

        Raises: NotBuiltError before the model is built; FileExistsError; OSError.
        """
        from netlet.models.saving import save_model

        save_model(self, filepath, overwrite)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone to a file.

        Args:
            filepath: path of the file, which is replaced in one step: safetensors, as ``model.weights.safetensors``, or
                Keras' format, as ``model.weights.h5``, which needs h5py.
            overwrite: whether a file that exists may be replaced.

        Raises: NotBuiltError before the model is built; ValueError if the path names another format; FileExistsError;
            OSError.
        """
        from netlet.models.saving_weights import save_weights

        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Set the weights from a file that `save_weights`, `save` or Keras 3 wrote. Either all are set or none.

        A weight is found by its layer's name and its own. Where the layers have other names, weights of the same names
        and shapes in the same order will do.

        Args:
            filepath: path of the file.
            skip_mismatch: set what fits, and warn of what does not.

        Raises: NotBuiltError before the model is built; ModelFormatError naming a weight that is missing, unknown or of
            another shape, or if the file is broken; OSError.
        """
        from netlet.models.saving_weights import load_weights

        load_weights(self, filepath, skip_mismatch)

    # Weights

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the order of the layers."""
        return [variable for layer in self._stack for variable in layer.weights]

    @property
    def variables(self) -> list[Variable]:
        """The same as ``weights``."""
        return self.weights

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Setting it sets it of every layer, wherever else that is used."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{self.name}: trainable must be True or False, got {value!r}")
        self._trainable = bool(value)
        for layer in self._stack:
            layer.trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for layer in self._stack for v in layer.trainable_weights] if self.trainable else []

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trainable = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trainable]

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of the weights' values, in the order of ``weights``."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights' values: arrays in the order of ``weights``. Either all are set or none.

        Raises: ValueError if their number or a shape differs, TypeError if they are not real numbers; NotBuiltError
        before the model is built.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built, so it has no weights to set")
        assign_all(self.weights, weights, self.name)

    def count_params(self) -> int:
        """Return the number of elements of all weights; NotBuiltError before the model is built."""
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built, so its weights are not known yet")
        return sum(layer.count_params() for layer in self._stack)
