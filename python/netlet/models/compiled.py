"""``compile``, its settings, and data made to fit them: what every model needs before it can train."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet import random
from netlet.errors import NotCompiledError
from netlet.layers import Layer
from netlet.models.data import adapt_inputs, adapt_labels, adapt_weights, check_rows, to_array, weights_of_classes
from netlet.models.guard import Guard
from netlet.models.history import History
from netlet.models.hosts import run_hosts
from netlet.models.sources import Rows

if TYPE_CHECKING:
    from netlet.losses import Loss
    from netlet.metrics import Metric
    from netlet.models.compilation import Compilation
    from netlet.models.engine import Engine
    from netlet.optimizers import Optimizer


class Compiled:
    """The part of a model that knows how it is trained, and makes data fit it. A subclass knows the layers."""

    name: str

    def __init__(self) -> None:
        self.stop_training = False
        self.history: History | None = None
        self._compilation: Compilation | None = None
        self._guard = Guard(self.name)
        self._shuffle_seed: int | None = None
        self._shuffle_count = 0  # passes over data so far: the "epoch" of the next shuffle
        self._seed_source: object = None
        self._calls = 0  # in training, by hand: which random numbers come next

    # What a subclass provides

    @property
    def dtype(self) -> str:
        """Element type of weights and data: "float32" or "float64"."""
        raise NotImplementedError

    def _input_shape_for(self, x: Any) -> Any:
        """The input's shape (a list of them for several), taken from ``x`` where the model is not built."""
        raise NotImplementedError

    def _output_shape_for(self, input_shape: Any) -> Any:
        raise NotImplementedError

    def _first_layer_name(self) -> str:
        raise NotImplementedError

    def _engine_for(self, input_shape: Any) -> Engine:
        """What runs the model; builds the model first if it is not built."""
        raise NotImplementedError

    def _forget_engine(self) -> None:
        raise NotImplementedError

    # Compiling

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        *,
        check_finite: bool = False,
    ) -> None:
        """Set how the model is trained.

        Args:
            optimizer: a name, an Optimizer or a config.
            loss: a name, a Loss, a loss function or a config; may be None for a model that only predicts.
                "crossentropy" and "ce" become the cross-entropy that fits the first labels. For several outputs, a list
                or a dict by their names, with None for an output that is not trained for. An output's name is that of
                the layer it comes from, and one output may be named so, too.
            loss_weights: what each output's loss counts in their sum, a number, list or dict; default 1.
            metrics: list of names, Metrics, functions or configs; for several outputs, a list or dict of such lists.
            weighted_metrics: likewise, those that sample weights enter.
            steps_per_execution: steps between two calls of batch hooks, for callbacks that have any.
            check_finite: refuse data with NaN or infinity.
            run_eagerly, jit_compile, auto_scale_loss: accepted for Keras' sake, without effect.

        Raises: ValueError for an unknown name (the nearest known one is suggested) or an unsupported setting, TypeError
            for a wrong type. The model then keeps its former settings.
        """
        from netlet.models.compilation import Compilation

        with self._guard("compile"):
            made = Compilation(
                optimizer,
                loss,
                loss_weights,
                metrics,
                weighted_metrics,
                run_eagerly,
                steps_per_execution,
                jit_compile,
                auto_scale_loss,
                check_finite,
                self._output_names(),
            )
            self._set_compilation(made)

    def _output_names(self) -> Sequence[str]:
        """The outputs' names; none where the only one has none yet."""
        return ()

    def _set_compilation(self, compilation: Compilation) -> None:
        raise NotImplementedError

    @property
    def compiled(self) -> bool:
        """Whether ``compile`` was called."""
        return self._compilation is not None

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer that ``compile`` was given, or None."""
        return None if self._compilation is None else self._compilation.optimizer

    @property
    def loss(self) -> Loss | None:
        """The loss that ``compile`` was given, or None."""
        return None if self._compilation is None else self._compilation.loss

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that ``compile`` was given; "accuracy" is missing from it until the model is built."""
        return [] if self._compilation is None else self._resolved_metrics(self._compilation)

    def _resolved_metrics(self, compilation: Compilation) -> list[Metric]:
        raise NotImplementedError

    @property
    def metrics_names(self) -> list[str]:
        """Names of what ``evaluate`` returns, in its order: "loss", then the metrics."""
        return [] if self._compilation is None else self._compilation.names()

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the settings of ``compile`` as JSON can hold them, or None."""
        return None if self._compilation is None else self._compilation.get_config()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the settings that `get_compile_config` returned."""
        self.compile(**config)

    def _compiled(self, action: str) -> Compilation:
        if self._compilation is None:
            raise NotCompiledError(f"{self.name}: call compile() before {action}()")
        if not self._compilation.pending:
            self._compilation.required_loss(self.name)
        return self._compilation

    # Data

    def _hosts(self) -> Sequence[Layer]:
        """The layers that run in Python, on the input, before the Program does."""
        return ()

    def _rows_of(self, x: Any, input_shape: Any) -> tuple[NDArray[Any], ...]:
        """What the Program takes: the rows, after the layers that run before it."""
        if hosts := self._hosts():
            x, shape = run_hosts(hosts, x, input_shape)
            return Compiled._adapt_x(self, x, shape)  # of one input
        return self._adapt_x(x, input_shape)

    def _adapt_x(self, x: Any, input_shape: Any) -> tuple[NDArray[Any], ...]:
        """The rows as executors take them, one array for each input."""
        finite = self._compilation is not None and self._compilation.check_finite
        rows = adapt_inputs(
            x, layer=self._first_layer_name(), expected=input_shape, dtype=np.dtype(self.dtype), finite=finite
        )
        return (rows,)

    def _adapt(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        action: str,
        input_shape: Any = None,
    ) -> tuple[Rows, Any]:
        """The data as executors take them, and the input's shape. Builds nothing.

        ``input_shape`` is what x must have where the model is not built; None takes it from x.
        """
        compilation = self._compiled(action)
        if sample_weight is not None and class_weight is not None:
            raise ValueError(f"{action}: sample_weight and class_weight cannot be given together")
        if y is None:
            names = [loss.name for loss in compilation.losses if loss is not None]
            raise ValueError(
                f"{action}: y is None, expected labels for the loss {[*names, *compilation.pending.values()][0]}"
            )
        if input_shape is None:
            input_shape = self._input_shape_for(x)
        if compilation.pending:
            shapes = self._output_shape_for(input_shape)
            several = isinstance(shapes, list)
            compilation.settle(self._label_shapes(y), shapes if several else [shapes])
            self._forget_engine()
        xs = self._rows_of(x, input_shape)
        labels, weights = self._adapt_y(y, sample_weight, class_weight, input_shape, len(xs[0]))
        return Rows(xs, labels, weights), input_shape

    def _label_shapes(self, y: Any) -> list[Sequence[int] | None]:
        """The shape of each output's labels, or None where there are none."""
        return [to_array(y, "y").shape]

    def _adapt_y(
        self, y: Any, sample_weight: Any, class_weight: Any, input_shape: Any, rows: int
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Labels and weights as executors take them."""
        compilation = self._compilation
        assert compilation is not None
        loss = compilation.required_loss(self.name)
        return self._adapt_output(y, sample_weight, class_weight, loss, self._output_shape_for(input_shape), rows)

    def _adapt_output(
        self, y: Any, sample_weight: Any, class_weight: Any, loss: Loss, output_shape: Any, rows: int
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Labels and weights of one output."""
        assert self._compilation is not None
        prediction = tuple(n for n in output_shape[1:] if n is not None)
        try:
            attrs = loss.attrs()
            label_shape = loss.spec.label_shape(prediction, attrs)
            classes = loss.spec.classes(prediction, attrs)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        dtype = np.dtype(self.dtype)
        finite = self._compilation.check_finite
        labels = adapt_labels(
            y,
            loss=loss.name,
            label_shape=label_shape,
            classes=classes,
            ignored=attrs.get("ignore_class"),
            integer=loss.integer_labels,
            padding=loss.spec.label_padding,
            dtype=dtype,
            finite=finite,
        )
        check_rows(rows, len(labels), "y")
        weights = adapt_weights(sample_weight, rows=rows, dtype=dtype, finite=finite)
        if class_weight is not None:
            width = None if loss.integer_labels else prediction[-1]
            weights = weights_of_classes(class_weight, labels, label_width=width, dtype=dtype)
        return labels, weights

    def _without_weights(self, rows: Rows) -> Rows:
        """The same rows, each of weight 1."""
        return Rows(rows.xs, rows.y, None)

    def _next_shuffle(self, passes: int) -> tuple[int, int]:
        """(seed, epoch) of the order of the first of so many passes.

        The seed is drawn at first use and again after set_random_seed.
        """
        source = random.global_generator()
        if self._shuffle_seed is None or self._seed_source is not source:
            self._shuffle_seed, self._shuffle_count, self._seed_source = random.next_seed(), 0, source
        count = self._shuffle_count
        self._shuffle_count = count + passes
        return self._shuffle_seed, count
