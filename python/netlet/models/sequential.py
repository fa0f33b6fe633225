"""`Sequential`: a model that is a stack of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.backends import Predictor
from netlet.errors import NotBuiltError
from netlet.layers import Layer, SymbolicTensor
from netlet.layers import deserialize as deserialize_layer
from netlet.layers import serialize as serialize_layer
from netlet.layers.shapes import Shape
from netlet.metrics import Metric
from netlet.models.arena import Arena
from netlet.models.compilation import Compilation
from netlet.models.engine import Engine, lower_layers
from netlet.models.inference import BLOCK_ROWS
from netlet.models.predictor import RowAdapter
from netlet.models.stack import LayerStack
from netlet.program import Program
from netlet.utils.naming import auto_name, check_name

_SILENT = ("auto", 0)


class Sequential(LayerStack):
    """A stack of layers, each one's output the next one's input.

    Args:
        layers: list of layers, the first of which may be an `Input`.
        trainable: whether training changes the weights.
        name: the model's name; numbered automatically, such as "sequential_1", if None.
        dtype: "float32" or "float64"; None for that of its layers, float32 if they name none.

    A model with a known input shape (an `Input`, or a first layer with ``input_shape=``) has its weights at once.
    Otherwise it is built by ``build`` or by the first data it sees.

    Raises: ValueError, TypeError for an invalid argument, a layer name that is taken or layers that do not fit.

    Example::

        model = Sequential([Input((64,)), Dense(32, activation="relu"), Dense(10, activation="softmax")])
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=5)
    """

    def __init__(
        self,
        layers: Sequence[Layer | SymbolicTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(auto_name("sequential") if name is None else check_name(name, "Sequential"), trainable, dtype)
        self._arena: Arena | None = None
        self._engine: Engine | None = None
        self._fast: tuple[Any, ...] | None = None  # what predict needs to skip its checks
        if layers is not None:
            if isinstance(layers, (Layer, SymbolicTensor, str)):
                raise TypeError(f"{self.name}: layers must be a list of layers, got {layers!r}")
            for layer in layers:
                self._append(layer)
            self._rebuild()

    # Running

    def _forget_engine(self) -> None:
        self._engine = None
        self._fast = None

    def _engine_for(self, input_shape: Shape) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._making:
            if self._engine is None:
                if not self.built:
                    self.build(input_shape)
                self._make_engine(None)
            assert self._engine is not None
            return self._engine

    def _make_engine(self, slots: NDArray[Any] | None) -> None:
        """Make the engine of a built model; ``slots`` continue the optimizer's."""
        program = self.lower()
        by_path = {variable.path: variable for variable in self.weights}
        variables = [by_path[param.name] for param in program.params]
        if self._arena is None or not self._arena.holds(variables):
            self._arena = Arena(variables, self.dtype, self)
        self._engine = engine = Engine(program, self._arena, self._compilation, self.output_shape, slots)
        if self._compilation is None or not self._compilation.check_finite:
            dtype = np.dtype(self.dtype)
            self._fast = (dtype, self.input_shape[1:], engine.executor.predict)

    def _set_compilation(self, compilation: Compilation) -> None:
        if self.built:
            compilation.metrics_for(self.output_shape)
        self._compilation = compilation
        self._forget_engine()

    def _resolved_metrics(self, compilation: Compilation) -> list[Metric]:
        if self.built:
            return compilation.metrics_for(self.output_shape)
        return [metric for metric in compilation.metrics if isinstance(metric, Metric)]

    def lower(self) -> Program:
        """Return the model as a program, as the layers wrote it: without loss and optimizer, no pass run.

        Raises: NotBuiltError before the model is built.
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built; call build() or add an Input")
        return lower_layers(self._stack, [n for n in self.input_shape[1:] if n is not None], self.dtype)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> NDArray[Any]:
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

    def __call__(self, x: Any, training: bool | None = None) -> NDArray[Any]:
        """Return the model's output for one batch ``x``; ``training`` changes nothing for layers of this version."""
        fast = self._fast
        if fast is not None and x.__class__ is np.ndarray:  # as in predict
            dtype, row, run = fast
            if x.dtype is dtype and x.shape[1:] == row and x.flags.c_contiguous and len(x) > 0:
                outputs: list[NDArray[Any]] = run((x,), None, BLOCK_ROWS)
                return outputs[0]
        return self.predict_on_batch(x)

    def predictor(self) -> Predictor:
        """Return the model frozen for serving: a callable from rows to predictions.

        It has its own copy of the weights and settings. Any number of threads may call it at once, without a lock, also
        beside ``fit``; what happens to the model afterwards does not reach it: train on, and make a new one. While
        another thread trains, this waits for the end of the epoch (or of the batch, if a callback asks for batches).

        The predictor takes a row ``[*input]`` and returns ``[*output]``, or a batch ``[B, *input]`` and returns
        ``[B, *output]``, with the bits of ``predict``. A C-contiguous array of the model's dtype is the fast way;
        whatever else ``predict`` takes as rows is converted. ``out=`` names an array to write to, which is returned: of
        the result's shape and the model's dtype, C-contiguous, and apart from x in memory.

        Raises: NotBuiltError before the model is built.

        Example::

            predict = model.predictor()
            probabilities = predict(row)
        """
        if not self.built:
            raise NotBuiltError(f"{self.name}: the model is not built; call build() or add an Input")
        finite = self._compilation is not None and self._compilation.check_finite
        adapter = RowAdapter(self._first_layer_name(), self.input_shape, self.output_shape, self.dtype, finite)
        return self._engine_for(self.input_shape).executor.predictor(adapter)

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
            positions, expand_nested, show_trainable, layer_range: accepted for Keras' sake, without effect.
        """
        from netlet.models.summary import summary

        summary(self, line_length, print_fn)

    def get_config(self) -> dict[str, Any]:
        """Return the model's layers and settings as JSON can hold them; weights and ``compile`` are not in it."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype,
            "layers": [serialize_layer(layer) for layer in self._stack],
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], presets: dict[str, dict[str, NDArray[Any]]] | None = None
    ) -> Sequential:
        """Return a new model made from what `get_config` returned.

        Args:
            config: with "layers", and optionally "name", "trainable" and "dtype".
            presets: values of weights by layer and weight, for layers that are built at once; others are initialized.

        Raises: ValueError, TypeError if the config is not one of a Sequential.
        """
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            raise ValueError(f"Sequential config: expected a dict with a list of 'layers', got {config!r}")
        layers = [deserialize_layer(entry) for entry in config["layers"]]
        if presets is not None:
            for layer in layers:
                layer.preset(presets.get(layer.name, {}))
        return cls(layers, config.get("trainable", True), config.get("name"), dtype=config.get("dtype"))

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the model to a file: layers, weights, settings of ``compile`` and the optimizer's state.

        Args:
            filepath: path of the file, which is replaced in one step: a crash leaves the old or the new one.
            overwrite: whether a file that exists may be replaced.

        Raises: NotBuiltError before the model is built; FileExistsError; OSError.
        """
        from netlet.models.saving import save_model

        save_model(self, filepath, overwrite)

    def __reduce__(self) -> tuple[Any, ...]:
        from netlet.models.saving import from_bytes, to_bytes

        if self.built:
            return from_bytes, (to_bytes(self),)
        return _unbuilt, (self.get_config(), self.get_compile_config())

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"


def _unbuilt(config: dict[str, Any], compile_config: dict[str, Any] | None) -> Sequential:
    model = Sequential.from_config(config)
    if compile_config is not None:
        model.compile_from_config(compile_config)
    return model
