"""What every metric shares: its name, its state, its config, and who updates it while a model trains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet import initializers
from netlet.config import DEFAULT_DTYPE
from netlet.errors import did_you_mean
from netlet.metrics.variable import MetricVariable, is_state, reset
from netlet.program.ops import METRICS
from netlet.utils.naming import auto_name, check_name

Sums = NDArray[np.float64]

#: The names that ``dtype`` may have. Keras takes them all; Netlet's sums are float64 or int64 whatever it is.
DTYPES = (
    *("float32", "float64", "float16", "bfloat16", "int", "bool"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)


class Metric:
    """Base of the metrics: ``update_state`` adds a batch, ``result`` is the value so far, ``reset_state`` begins anew.

    A metric of one's own is a subclass whose ``__init__`` makes its state with `add_variable`, and which defines
    ``update_state(y_true, y_pred, sample_weight=None)`` and ``result()``::

        class LargestError(Metric):
            def __init__(self, name="largest_error", **kwargs):
                super().__init__(name=name, **kwargs)
                self.largest = self.add_variable(shape=(), initializer="zeros", name="largest")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.largest.assign(max(self.largest, np.abs(y_true - y_pred).max()))

            def result(self):
                return float(self.largest)

    **While a model trains**, one of two things happens, and `runs_in_program` says which. If it is True, an op of the
    program, named by `lower`, adds every batch to sums of its own, and `value` turns those into the number that
    people read; the metric's state is not touched. If it is False, whoever runs the batches calls ``reset_state`` at
    the start of an epoch, ``update_state(y_true, y_pred, sample_weight)`` with every batch as NumPy arrays, and
    ``result()`` for the logs.

    Args:
        dtype: None, the name of an element type or a NumPy dtype: accepted for Keras' sake; sums are always float64.
        name: the metric's name; made from the class's if None.

    Raises: ValueError if the name is empty or the dtype unknown.
    """

    #: Name of the op in the program; "" if there is none.
    op = ""

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        kind = type(self).__name__
        self.name = auto_name(kind) if name is None else check_name(name, kind)
        self._dtype = metric_dtype(dtype, kind)
        self._variables: list[Any] = []

    @property
    def dtype(self) -> str:
        """The name of the element type that the metric was given."""
        return self._dtype

    # ------------------------------------------------------------------------------------------------- in a program

    @property
    def runs_in_program(self) -> bool:
        """Whether the program computes this metric while a model trains; False: through ``update_state``.

        A subclass that defines ``update_state``, ``result`` or ``reset_state`` anew is no longer what the op computes.
        """
        if not self.op:
            return False
        cls = type(self)
        owner = next(base for base in cls.__mro__ if "op" in vars(base))
        return all(getattr(cls, f) is getattr(owner, f) for f in ("update_state", "result", "reset_state"))

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {}

    def lower(self) -> tuple[str, dict[str, Any]]:
        """Return the op's name and attributes for the program; only where `runs_in_program`."""
        return self.op, self.attrs()

    def value(self, sums: Sequence[float] | Sums) -> Any:
        """Return the metric's value for the sums of its op: a float, or an array where there is one per class."""
        raise NotImplementedError(f"{type(self).__name__} does not define value()")

    @property
    def labels(self) -> str:
        """Which labels it reads: "same" (as the prediction), "integer" (class numbers) or "either"."""
        return METRICS[self.op].labels if self.runs_in_program else "either"

    # ------------------------------------------------------------------------------------------------- state

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> MetricVariable:
        """Make an array of state, which `reset_state` sets to zero.

        Args:
            shape: its shape; () for a number.
            initializer: its first values; a name, an initializer or None for zeros.
            dtype: its element type; None is float64.
            aggregation: accepted for Keras' sake.
            name: its name; "variable" if None.

        Raises: RuntimeError if the subclass did not call ``super().__init__()``.
        """
        if "_variables" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}.__init__ must call super().__init__() before it adds variables")
        maker = initializers.get("zeros" if initializer is None else initializer)
        assert maker is not None
        kind = metric_dtype("float64" if dtype is None else dtype, self.name)
        first = np.array(maker(tuple(shape), "float64"), dtype=_storage(kind))
        variable = MetricVariable(first, "variable" if name is None else name)
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> MetricVariable:
        """The older name of `add_variable`."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Any]:
        """All state: variables in the order they were made, then those of metrics that are attributes of this one."""
        held = list(_held(value for key, value in vars(self).items() if key != "_variables"))
        found = [*self._variables, *(v for v in held if not isinstance(v, Metric))]
        for value in held:
            if isinstance(value, Metric):
                found += value.variables
        return list({id(v): v for v in found}.values())

    def _make_state(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Make the variables that the first batch would make, for a state of ``shapes``; here there are none."""

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch.

        Args:
            y_true: labels.
            y_pred: predictions ``[B, ..., L]``.
            sample_weight: None, a number, or an array that broadcasts to the metric's values from the first axis on.

        Raises: ValueError if the shapes do not fit, TypeError if the values are not real numbers.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define update_state()")

    def result(self) -> Any:
        """Return the value over all batches since the last reset; 0 before the first."""
        raise NotImplementedError(f"{type(self).__name__} does not define result()")

    def reset_state(self) -> None:
        """Forget every batch."""
        reset(self.variables)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the value so far.

        Raises: RuntimeError if the subclass did not call ``super().__init__()``; what `update_state` raises.
        """
        if "_variables" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}.__init__ must call super().__init__()")
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Return what `update_state` would make of ``metric_variables``; the metric keeps its state.

        Raises: ValueError if there are more or fewer arrays than `variables`; what `update_state` raises.
        """
        return self._elsewhere(metric_variables, self.update_state, *args, **kwargs)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Return what `result` would be with ``metric_variables`` as the state.

        Raises: ValueError if there are more or fewer arrays than `variables`.
        """
        return self._elsewhere(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Any]:
        """Return the state after a reset; the metric keeps its own."""
        return self._elsewhere([np.asarray(v) for v in self.variables], self.reset_state)[1]

    def _elsewhere(self, values: Sequence[Any], call: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        """What ``call`` returns with ``values`` as the state, and the state it leaves; then all is as it was."""
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(f"{self.name}: metric_variables has {len(values)} arrays, expected {len(variables)}")
        given = [np.array(value) for value in values]
        kept = [variable.numpy() for variable in variables]
        try:
            for variable, value in zip(variables, given, strict=True):
                variable.assign(value)
            returned = call(*args, **kwargs)
            return returned, [variable.numpy() for variable in variables]
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    # ------------------------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Return a metric made with the arguments of ``config``."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def metric_dtype(dtype: Any, owner: str) -> str:
    """Return the name of an element type that Keras knows; None is float32, "int" int32.

    Raises: ValueError naming ``owner`` if it is none.
    """
    dtype = getattr(dtype, "compute_dtype", dtype)
    if dtype is None:
        return DEFAULT_DTYPE
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", None) or getattr(dtype, "name", None)
    if name not in DTYPES:
        wanted = ", ".join(DTYPES)
        raise ValueError(f"{owner}: dtype: expected one of {wanted}, got {dtype!r}.{did_you_mean(name, DTYPES)}")
    return "int32" if name == "int" else str(name)


def _storage(dtype: str) -> str:
    """The element type that holds the state for ``dtype``: what NumPy has."""
    return "float32" if dtype == "bfloat16" else dtype


def _held(values: Any) -> Iterator[Any]:
    """Variables and metrics among ``values``, and in the lists, tuples and dicts among them."""
    for value in values:
        if isinstance(value, Metric) or is_state(value):
            yield value
        elif isinstance(value, Mapping):
            yield from _held(value.values())
        elif isinstance(value, (list, tuple)):
            yield from _held(value)
