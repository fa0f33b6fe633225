"""What every layer shares: its name, its weights, how it is built, lowered to ops, written as a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet import constraints, initializers, regularizers
from netlet.config import DEFAULT_DTYPE, dtype_name
from netlet.errors import ModelFormatError, NotBuiltError
from netlet.layers.shapes import Shape, batch_shape, check_input, format_shape
from netlet.layers.symbolic import SymbolicTensor, call_symbolically, first_output, holds_symbols
from netlet.layers.variable import Variable
from netlet.utils.naming import auto_name, check_name

if TYPE_CHECKING:
    from netlet.layers.masks import Mask
    from netlet.program import Node, ProgramBuilder


class Layer:
    """Base of the layers.

    A layer has no arithmetic of its own: ``build`` makes its weights, ``lower`` adds its ops to a program, and every
    backend runs that program. A subclass defines ``build`` (if it has weights), ``compute_output_shape``, ``lower``
    and, if its constructor has arguments, ``get_config``; ``supports_masking``, if a mask of its input is one of its
    output too.

    A layer of your own can do without ``lower`` and compute in Python, for which every backend calls back:

    - ``call(x)`` returns the output for a batch, a NumPy array that is not to be written to or kept; with
      ``takes_list = True`` it gets a list of them. If it takes ``training``, it is told so. It may read and assign the
      layer's weights.
    - ``gradient(x, dy)``, which training needs, returns the gradients of ``sum(call(x) * dy)``: by ``x`` (each input),
      then by each trainable weight, in a list; or the one by ``x`` alone where there are no such weights. A layer whose
      ``call`` returns the array that it got needs none. `netlet.testing.check_gradient` checks it.
    - ``compute_output_shape``, where the output's shape is not the input's.

    Example::

        class Scale(netlet.layers.Layer):
            def build(self, input_shape):
                self.scale = self.add_weight("scale", input_shape[1:], "ones")

            def call(self, x):
                return x * self.scale.value

            def gradient(self, x, dy):
                return [dy * self.scale.value, (dy * x).sum(axis=0)]

    Args:
        activity_regularizer: a name, regularizer or config: a penalty on the output, which is divided by the number of
            rows and added to the loss.
        name: unique within a model; numbered automatically, such as "dense_1", if None.
        trainable: whether training changes its weights.
        dtype: "float32", "float64", or None for the model's.
        autocast: accepted for Keras' sake, without effect: everything in a model has its dtype.
        input_shape: shape of one row, for the first layer of a model: ``Dense(3, input_shape=(2,))``.
        input_dim: short for ``input_shape=(input_dim,)``.
        batch_input_shape: ``input_shape`` with the batch in front, such as ``(None, 2)``.

    Raises: ValueError if an argument is invalid, or not one of this layer; TypeError if ``trainable`` is no bool.
    """

    #: Whether it takes a list of values; its shapes then are lists of shapes.
    takes_list = False
    activity_regularizer: Any
    #: Whether masks go on to its output, as `lower_mask` says; where not, they end here with a warning.
    supports_masking = False
    #: Whether `lower_masked` does something else than `lower`; such a layer can be called with a mask.
    uses_mask = False

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        input_shape: Sequence[int | None] | int | None = None,
        input_dim: int | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        if kwargs:
            raise ValueError(f"{kind}: unexpected arguments {', '.join(sorted(kwargs))}")
        self.name = auto_name(kind) if name is None else check_name(name, kind)
        if not isinstance(trainable, (bool, np.bool_)):
            raise TypeError(f"{self.name}: trainable must be True or False, got {trainable!r}")
        self.trainable = bool(trainable)
        self._dtype: str | None = None if dtype is None else dtype_name(dtype)
        self.input_shape_argument = self._first_shape(input_shape, input_dim, batch_input_shape)
        self._set_rules(activity_regularizer=activity_regularizer)
        penalty = self.activity_regularizer
        if penalty is not None and getattr(penalty, "gradient", None) is None:
            raise ValueError(f"{self.name}: {penalty!r} has no gradient(x), which training needs")
        self.built = False
        self.input_shape: Any = None
        self.output_shape: Shape | None = None
        self._variables: list[Variable] = []
        self._first_variables: list[Variable] = []  # made before build, as in a constructor
        self._building = False
        self._preset: Mapping[str, NDArray[Any]] | None = None

    def _first_shape(self, input_shape: Any, input_dim: Any, batch_input_shape: Any) -> Shape | None:
        given = [value for value in (input_shape, input_dim, batch_input_shape) if value is not None]
        if len(given) > 1:
            raise ValueError(f"{self.name}: give one of input_shape, input_dim and batch_input_shape, got {given}")
        if batch_input_shape is not None:
            shape = tuple(batch_input_shape)
            if not shape:
                raise ValueError(f"{self.name}: batch_input_shape must begin with the batch, got ()")
            return batch_shape(shape[1:], f"{self.name}: batch_input_shape")
        if input_dim is not None:
            return batch_shape((input_dim,), f"{self.name}: input_dim")
        return None if input_shape is None else batch_shape(input_shape, f"{self.name}: input_shape")

    @property
    def output(self) -> SymbolicTensor:
        """What the layer makes in the model that it first became part of, to build another model from.

        Raises: AttributeError if it is in no model.
        """
        return first_output(self)

    @property
    def input(self) -> Any:
        """What the layer takes there: a symbolic value, or a list of them. Raises: as ``output``."""
        call = first_output(self).call
        assert call is not None
        return list(call.inputs) if call.listed else call.inputs[0]

    # Building

    @property
    def dtype(self) -> str:
        """Element type of the weights: "float32" unless the layer or its model says otherwise."""
        return self._dtype or DEFAULT_DTYPE

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of ``input_shape``, whose first entry (the batch) is None.

        Raises: ValueError if there are no weights for such inputs.
        """

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's; both begin with the batch.

        Raises: ValueError if the layer cannot take this input.
        """
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        """Add this layer's ops to a program.

        Args:
            builder: the program being made.
            x: the value that enters; a list of them where `takes_list`.

        Returns: the value that leaves.

        Raises: NotImplementedError if a subclass has neither ``lower`` nor ``call``; ValueError if x does not fit it.
        """
        if self.is_custom:
            from netlet.layers.custom import lower_custom

            return lower_custom(self, builder, x)
        raise NotImplementedError(f"{type(self).__name__} does not define call() or lower()")

    @property
    def is_custom(self) -> bool:
        """Whether it computes in Python, by a ``call`` of its own."""
        return type(self).lower is Layer.lower and callable(getattr(self, "call", None))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in vars(cls) and "lower" not in vars(cls):  # what it inherits does not lower what it does
            cls.lower = Layer.lower  # type: ignore[method-assign]

    # Masks

    @property
    def makes_mask(self) -> bool:
        """Whether a mask begins here: `lower_mask` returns one though none comes in."""
        return False

    def lower_masked(self, builder: ProgramBuilder, x: Any, mask: Any) -> Node:
        """As `lower`, where what enters has a mask.

        Args:
            mask: a `netlet.layers.masks.Mask`; a list where `takes_list`, with None for a value that has none.
        """
        return self.lower(builder, x)

    def lower_mask(self, builder: ProgramBuilder, x: Any, mask: Any) -> Mask | None:
        """Return the output's mask, or None; called where `supports_masking`. Arguments as of `lower_masked`."""
        found: Mask | None = None if self.takes_list else mask
        return found

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the output's mask for a batch and its mask: an array of truth values ``[B, ...]``, or None.

        Args:
            inputs: a batch; a list of them where `takes_list`.
            previous_mask: truth values, ``[B, ...]``, or None; a list of such where `takes_list`.

        Raises: ValueError if a mask has not the rows of its batch, or there are not as many masks as inputs; TypeError
        if a batch holds no real numbers.
        """
        if not self.makes_mask and not self.takes_list:
            return previous_mask
        from netlet.layers.eager import mask_of

        return mask_of(self, inputs, previous_mask)

    def build_for(self, input_shape: Any, dtype: str) -> Shape:
        """Build the layer for a model's input of ``input_shape`` and return its output shape; the model's side of
        ``build``. A layer that is built already must have been built for the same shape and dtype.

        Raises: ValueError if it was not, or cannot take this input.
        """
        if self._dtype is not None and self._dtype != dtype:
            raise ValueError(f"{self.name}: layer has dtype {self._dtype}, expected {dtype} as the model has")
        output_shape = self.compute_output_shape(input_shape)
        if not self.built:
            self._dtype = dtype
            self._variables = list(self._first_variables)
            self._building = True
            try:
                if self._preset is not None:
                    for variable in self._first_variables:
                        variable.assign(self._take_preset(variable.name, variable.path, variable.shape))
                self.build(input_shape)
            finally:
                self._building = False
            self.built = True
        elif self._variables and self.input_shape is not None and not _fits(input_shape, self.input_shape):
            raise ValueError(
                f"{self.name}: input has shape {format_shape(input_shape)}, "
                f"expected {format_shape(self.input_shape)}, for which the layer was built"
            )
        self.input_shape, self.output_shape = input_shape, output_shape
        return output_shape

    def add_weight(
        self,
        name: str | None = None,
        shape: Sequence[int] = (),
        initializer: Any = "glorot_uniform",
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        dtype: Any = None,
    ) -> Variable:
        """Make a weight called ``name`` and return it.

        Args:
            name: unique within the layer; None numbers it: "variable", "variable_1".
            shape: its shape, every entry positive; default (), a single number.
            initializer: as `netlet.initializers.get` takes it; default "glorot_uniform".
            trainable: whether training changes it.
            regularizer: as `netlet.regularizers.get` takes it: its penalty is added to the loss.
            constraint: as `netlet.constraints.get` takes it: what the weight is brought back to after each update.
            dtype: the layer's, which is what None stands for; a weight has no other.

        Raises: ValueError if the name is taken, the initializer is None or makes another shape, the regularizer has no
        ``gradient``, or dtype is another one; ModelFormatError (a ValueError) if a file has no such weight; TypeError
        if the name is no string.
        """
        if name is None:
            taken = {variable.name for variable in self._variables}
            names = (f"variable_{i}" if i else "variable" for i in range(len(taken) + 1))
            name = next(free for free in names if free not in taken)
        elif not isinstance(name, str):
            raise TypeError(f"{self.name}: add_weight: name must be a string, got {name!r}; give a shape as shape=")
        path = f"{self.name}/{name}"
        if dtype is not None and dtype_name(dtype) != self.dtype:
            raise ValueError(f"{path}: a weight has its layer's dtype, {self.dtype}, got {dtype!r}")
        if any(variable.name == name for variable in self._variables):
            raise ValueError(f"{path}: the layer already has a weight of this name")
        size = tuple(int(n) for n in shape)
        if self._preset is not None:
            value = self._take_preset(name, path, size)
        else:
            maker = initializers.get(initializer)
            if maker is None:
                raise ValueError(
                    f"{path}: the initializer is None, as it is in a config that was made with a custom one"
                )
            value = np.asarray(maker(size, dtype=self.dtype), dtype=self.dtype, order="C")
            if value.shape != size:
                raise ValueError(f"{path}: initializer returned shape {value.shape}, expected {size}")
        variable = Variable(value, name, path, trainable)
        variable.regularizer, variable.constraint = regularizers.get(regularizer), constraints.get(constraint)
        if variable.regularizer is not None and getattr(variable.regularizer, "gradient", None) is None:
            raise ValueError(f"{path}: {variable.regularizer!r} has no gradient(w), which training needs")
        self._variables.append(variable)
        if not self._building:
            self._first_variables.append(variable)
        return variable

    def _refuse(self, **given: Any) -> None:
        """Raise a ValueError for an argument of Keras' that Netlet does not have, unless it is None or False."""
        for argument, value in given.items():
            if value is not None and value is not False:
                raise ValueError(f"{self.name}: {argument}={value!r} is not supported")

    def _set_rules(self, **given: Any) -> None:
        """Take arguments such as ``kernel_regularizer`` and ``bias_constraint`` as attributes."""
        for argument, value in given.items():
            kind = regularizers if argument.endswith("_regularizer") else constraints
            try:
                setattr(self, argument, kind.get(value))
            except (ValueError, TypeError) as error:
                raise type(error)(f"{self.name}: {argument}: {error}") from None

    def _rules_config(self, *arguments: str) -> dict[str, Any]:
        """What `_set_rules` was given, as a config."""
        return {
            argument: (regularizers if argument.endswith("_regularizer") else constraints).serialize(
                getattr(self, argument)
            )
            for argument in arguments
        }

    def preset(self, values: Mapping[str, NDArray[Any]]) -> None:
        """Let the coming ``build`` take its weights' values from ``values`` by name, instead of initializing them.

        ``build`` then raises a ModelFormatError if one is missing, or of another shape or dtype.
        """
        self._preset = values

    def _take_preset(self, name: str, path: str, size: tuple[int, ...]) -> NDArray[Any]:
        assert self._preset is not None
        if name not in self._preset:
            raise ModelFormatError(f"{path}: the file has no such weight")
        value = self._preset[name]
        if value.shape != size or value.dtype.name != self.dtype:
            raise ModelFormatError(
                f"{path}: weight has shape {value.shape} and dtype {value.dtype}, expected {size} and {self.dtype}"
            )
        return value.copy()

    # Weights

    @property
    def weights(self) -> list[Variable]:
        """All weights: those that training changes first."""
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def variables(self) -> list[Variable]:
        """The same as ``weights``."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; none if the layer's ``trainable`` is False."""
        return [v for v in self._variables if v.trainable] if self.trainable else []

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self._variables if not v.trainable] if self.trainable else list(self._variables)

    def get_weights(self) -> list[NDArray[Any]]:
        """Return copies of the weights' values."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights' values: arrays in the order of ``weights``. Either all are set or none.

        Raises: ValueError if their number or a shape differs, TypeError if they are not real numbers.
        """
        assign_all(self.weights, weights, self.name)

    def count_params(self) -> int:
        """Return the number of elements of all weights; NotBuiltError before the layer is built."""
        if not self.built:
            raise NotBuiltError(f"{self.name}: the layer is not built, so its weights are not known yet")
        return sum(variable.size for variable in self._variables)

    # Use outside of a model

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        """Return the layer's output, building the layer first if it is not.

        Args:
            x: a batch, or a symbolic value of `Input` or another layer, for which a symbolic value is returned: this is
                how a `Model` is made. A layer of several inputs takes a list.
            training: whether it acts as in training.
            mask: truth values for a batch, for a layer that `uses_mask`. In a model masks find their own way.

        Shapes: as the layer says. The output of a batch is an array of its dtype, unless the layer says otherwise.

        Raises: ValueError if ``x`` does not fit the layer; TypeError if it holds no real numbers, or the layer takes no
        mask.
        """
        if mask is not None and (not self.uses_mask or self.takes_list or holds_symbols(x)):
            raise TypeError(f"{self.name}: it takes no mask here, got {type(mask).__name__}")
        if holds_symbols(x):
            return call_symbolically(self, x)
        from netlet.layers.eager import call_layer

        return call_layer(self, x, training, mask)

    def check_input_shape(self, shape: Sequence[int | None]) -> None:
        """Raise a ValueError unless an input of ``shape`` fits the shape that the layer was built for."""
        if self.input_shape is not None:
            check_input(self.name, tuple(shape), self.input_shape)

    # Config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses add theirs."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self._dtype}
        if self.activity_regularizer is not None:
            config |= self._rules_config("activity_regularizer")
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Return a new layer made with the arguments of ``config``, with no weights yet; raises what the class does."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _fits(shape: Any, built_for: Any) -> bool:
    if isinstance(shape, list) and isinstance(built_for, list):
        return len(shape) == len(built_for) and all(map(_fits, shape, built_for))
    return len(shape) == len(built_for) and all(
        a == b or a is None or b is None for a, b in zip(shape, built_for, strict=True)
    )


def assign_all(variables: Sequence[Variable], values: Sequence[Any], owner: str) -> None:
    """Assign ``values`` to ``variables``, all or none; raises as `Layer.set_weights` does, naming ``owner``."""
    try:
        given = list(values)
    except TypeError:
        raise TypeError(f"{owner}: set_weights expects a list of arrays, got {values!r}") from None
    if len(given) != len(variables):
        raise ValueError(f"{owner}: set_weights got {len(given)} arrays, expected {len(variables)}")
    checked = [variable.check(value) for variable, value in zip(variables, given, strict=True)]
    for variable, array in zip(variables, checked, strict=True):
        np.copyto(variable.value, array)
