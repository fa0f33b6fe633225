"""What an op is: its name, its signature, its attributes, its shape rule, its reference and its gradient.

One :class:`Spec` describes one op, in one place (``netlet/program/ops/<family>.py``). From it come the checks and
error texts of :class:`~netlet.program.program.Program`, the NumPy backend, the oracle (the same functions on float64
arrays), the conformance cases, the micro-benchmarks and the op × backend table of the README.

The reference functions share four rules:

- Arrays have the batch as their first axis, are C-contiguous and all of one element type, which is that of every
  intermediate result too: a float32 input is never computed on in float64, except for the sums of metrics.
- Results are written into the arrays handed in. Gradients (``dx``, ``dparams``) are *overwritten*, never added to; the
  caller adds where a value has several consumers. None in their place means: not wanted.
- ``dy`` may be used as scratch: its contents are undefined afterwards.
- They run under ``numpy.errstate(all="ignore")``: overflow to infinity is a result, not a warning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.errors import did_you_mean, unknown_name

if TYPE_CHECKING:
    from netlet.program.case import Case

__all__ = [
    "COMMON",
    "INFERENCE",
    "Array",
    "Attr",
    "Attrs",
    "Context",
    "LossSpec",
    "MetricSpec",
    "OpSpec",
    "OptimizerSpec",
    "Region",
    "Shape",
    "Spec",
    "Vjp",
    "elements",
]

Array = NDArray[Any]
Attrs = Mapping[str, Any]
Shape = tuple[int, ...]
#: Outputs, gradients of the inputs, and that of the parameters: what an executor's ``vjp`` returns.
Vjp = tuple[list[Array], list[Array], Array]


class Context(NamedTuple):
    """How a Program is run: what ops that act otherwise in training, or draw random numbers, depend on.

    Attributes:
        training: whether this is a step of training.
        iteration: how many updates were made before it; random numbers are drawn for this step.
    """

    training: bool = False
    iteration: int = 0


#: The context of predictions, evaluations and gradients outside of training.
INFERENCE = Context()


def elements(shape: Sequence[int]) -> int:
    """The number of elements of a shape; 1 for the shape of a scalar."""
    return math.prod(shape)


class Attr(NamedTuple):
    """One attribute of an op: its name, its type and its default.

    Attributes:
        name: the key under which it stands in ``attrs``.
        kind: ``"float"``, ``"float or null"``, ``"float or list"``, ``"int"``, ``"int or null"``, ``"ints"`` (a list,
            which may be empty), ``"axes"`` (None, an int or a list of ints), ``"bool"``, ``"name"`` (one of some) or
            ``"text"``.
        default: what it is when it is left out.
        low, high: bounds (inclusive) of a number, or of each of a list.
        names: the values that a ``"name"`` may take.
        optional: whether it is left out of the normalized attributes where it has its default. Attributes that an op
            got after Programs with it were saved are optional, so that those stay as they are.
    """

    name: str
    kind: str
    default: Any
    low: float = -math.inf
    high: float = math.inf
    names: tuple[str, ...] = ()
    optional: bool = False

    def check(self, value: Any) -> Any:
        """Returns ``value`` in its canonical type (float, int, bool, str, None, or a tuple of floats or ints).

        Raises:
            ValueError: if it is of another type or out of bounds.
        """
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise ValueError(f"attribute {self.name!r}: expected true or false, got {value!r}")
            return value
        if self.kind == "text":
            if not isinstance(value, str):
                raise ValueError(f"attribute {self.name!r}: expected a string, got {value!r}")
            return value
        if self.kind == "name":
            if value not in self.names or not isinstance(value, str):
                raise unknown_name(self.name, value, self.names)
            return value
        if value is None and self.kind in ("float or null", "int or null", "axes"):
            return None
        if self.kind == "ints":
            if not isinstance(value, (list, tuple)):
                raise ValueError(f"attribute {self.name!r}: expected a list of integers, got {value!r}")
            one = self._replace(kind="int")
            return tuple(one.check(each) for each in value)
        if self.kind in ("float or list", "axes") and isinstance(value, (list, tuple)):
            one = self._replace(kind="float" if self.kind == "float or list" else "int")
            if not value:
                raise ValueError(f"attribute {self.name!r}: expected at least one number, got {value!r}")
            return tuple(one.check(each) for each in value)
        if self.kind in ("int", "int or null", "axes"):
            if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
                bounds = "" if self.low == -math.inf else f" from {self.low:g}"
                raise ValueError(f"attribute {self.name!r}: expected a whole number{bounds}, got {value!r}")
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"attribute {self.name!r}: expected a {self.kind}, got {value!r}")
        number = float(value) if abs(value) < 1e300 else math.inf
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise ValueError(
                f"attribute {self.name!r}: expected a finite number from {self.low:g} to {self.high:g}, got {value!r}"
            )
        return number


class Spec:
    """What ops, losses, metrics and optimizers have in common.

    Attributes:
        name: how a Program calls it, e.g. ``dense``.
        family: ``"op"``, ``"loss"``, ``"metric"`` or ``"optimizer"``.
        signature: arguments with their shapes, for people, e.g. ``x[B,...,I] kernel[I,O] bias[O]? -> y[B,...,O]``.
        formula: what it computes, in one line.
        source: where formula and conventions come from.
        native: whether the C++ engine has kernels for it; where not, it calls back the reference.
    """

    name: str
    family: str
    signature: str
    formula: str
    source: str = ""
    native: bool = True

    def is_native(self, attrs: Attrs) -> bool:
        """Whether the C++ engine runs it with these (normalized) attributes."""
        return self.native

    def attributes(self, given: Attrs) -> tuple[Attr, ...]:
        """The attributes it takes; which these are may depend on those given (``alpha`` on ``activation``)."""
        return ()

    def normalize(self, given: Attrs) -> dict[str, Any]:
        """Returns all attributes, in order, checked, with defaults for those left out.

        Raises:
            ValueError: for an attribute that it does not take, or a value that it cannot have.
        """
        taken = self.attributes(given)
        names = [attr.name for attr in taken]
        for key in given:
            if key not in names:
                expected = ", ".join(names) or "none"
                raise ValueError(
                    f"{self.name} takes no attribute {key!r} here, expected {expected}.{did_you_mean(key, names)}"
                )
        checked = {attr.name: attr.check(given.get(attr.name, attr.default)) for attr in taken}
        return {
            attr.name: checked[attr.name] for attr in taken if not attr.optional or checked[attr.name] != attr.default
        }

    def cases(self) -> Iterator[Case]:
        """The conformance cases: hostile sizes and values. Every backend runs them; see netlet.testing."""
        raise NotImplementedError

    def sample(self, case: Case, rng: np.random.Generator) -> dict[str, Array]:
        """Draws a case's arrays, by name; integers become int32, the rest the case's element type.

        ``x`` (``x1``, ``x2``, ... of further inputs) and for ops ``dy``, each parameter and entry of the state; for
        losses and metrics ``y`` and maybe ``weight``; for optimizers ``w slots iteration`` and ``g learning_rate`` of
        several steps. An op's case without ``dy`` tests the forward pass alone.
        """
        raise NotImplementedError

    def bound(self, case: Case, arrays: dict[str, Array], want: dict[str, Array], eps: float) -> dict[str, Array]:
        """Returns by name how far each element of a result may be from ``want``, absolutely.

        What has no bound is not compared. Derived, not tuned: a comment says how. ``eps`` is the gap after 1, twice
        the unit roundoff, so each rounding may err by eps/2; elementary functions are granted 2 eps (within 2 ulp).

        Args:
            arrays: the case's arrays in float64.
            want: the reference's results.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.family} {self.name}: {self.signature}>"


class OpSpec(Spec):
    """A forward op: values and parameters in, one value out."""

    family = "op"
    #: How many values it takes; None: any number from ``least_inputs`` on.
    arity: int | None = 1
    least_inputs: int = 1
    #: The names of its parameters, and how many of them must be there.
    param_names: tuple[str, ...] = ()
    required_params: int = 0
    #: The names of the entries of the state arena that it reads, and writes in training.
    state_names: tuple[str, ...] = ()
    #: Whether it takes any number of parameters and entries of the state, of any shapes, instead of those named.
    any_weights: bool = False
    #: Whether it depends on a Context: it then has forward_in and backward_in, and forward and backward are not called.
    contextual: bool = False
    #: Inputs (by the names of a case: x, x1, ...) that hold whole numbers, so that nothing has a slope in them.
    discrete: tuple[str, ...] = ()

    def output_shape(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, declared: Shape) -> Shape:
        """Returns the shape (per row) of the output.

        Args:
            inputs, params: shapes of the values (per row) and parameters.
            attrs: normalized attributes.
            declared: the shape that the Program gives the output; only reshape looks at it.

        Raises:
            ValueError: if the shapes do not fit each other.
        """
        raise NotImplementedError

    def forward(self, attrs: Attrs, xs: Sequence[Array], params: Sequence[Array], y: Array) -> None:
        """Writes the output into ``y`` ``[B, *shape]``, which overlaps no input."""
        raise NotImplementedError

    def backward(
        self,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        """Overwrites ``dxs`` and ``dparams`` with the gradients of ``sum(y * dy)``; ``dy`` is scratch afterwards."""
        raise NotImplementedError

    def state_shapes(self, inputs: Sequence[Shape], attrs: Attrs) -> tuple[Shape, ...]:
        """Returns the shape of each entry of the state."""
        return ()

    def forward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
    ) -> None:
        """``forward`` of a contextual op; in training it may write ``state``."""
        raise NotImplementedError

    def backward_in(
        self,
        context: Context,
        attrs: Attrs,
        xs: Sequence[Array],
        params: Sequence[Array],
        state: Sequence[Array],
        y: Array,
        dy: Array,
        dxs: Sequence[Array | None],
        dparams: Sequence[Array | None],
    ) -> None:
        """``backward`` of a contextual op, in the same context as its ``forward_in``."""
        raise NotImplementedError

    def flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs) -> int:
        """Floating-point operations of the forward pass per row (a multiplication and an addition count as two)."""
        raise NotImplementedError

    def backward_flops(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, dx: bool) -> int:
        """Floating-point operations of the backward pass per row: as many as forward for each gradient that is made.

        Args:
            dx: whether the gradients of the inputs are wanted besides those of the parameters.
        """
        return self.flops(inputs, params, attrs) * (bool(params) + dx)

    def bytes(self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, itemsize: int) -> int:
        """Bytes that the forward pass must move per row: inputs read, output written. Parameters not counted."""
        declared = inputs[0]
        output = self.output_shape(inputs, params, attrs, declared)
        return itemsize * (sum(elements(shape) for shape in inputs) + elements(output))

    def backward_bytes(
        self, inputs: Sequence[Shape], params: Sequence[Shape], attrs: Attrs, itemsize: int, dx: bool
    ) -> int:
        """Bytes that the backward pass must move per row: inputs and dy read, dx written where it is wanted."""
        moved = self.bytes(inputs, params, attrs, itemsize)
        return moved + itemsize * sum(elements(shape) for shape in inputs) if dx else moved


def _row_axis(name: str, axis: int, rank: int) -> int:
    """The place in a row's shape of ``axis``, which counts the batch as 0; ValueError if a row has no such axis."""
    place = axis - 1 if axis > 0 else axis + rank
    if axis == 0 or not 0 <= place < rank:
        raise ValueError(f"{name}: axis {axis} is not one of a row of a prediction with {rank + 1} axes")
    return place


class LossSpec(Spec):
    """A loss: a prediction and labels in, one number per row out, and the gradient in the same call.

    Attributes:
        integer_labels: whether ``y`` holds class numbers (int32) rather than values of the prediction's type.
        fuses: the op whose output it may take back to its input (``softmax``, ``sigmoid``), or None.
        native: whether the C++ and Numba backends have a kernel for it; see :meth:`is_native`.
        per_row: whether a row's loss depends on that row alone; see :meth:`per_row_for`.
        label_padding: what shorter rows of labels are filled up with, or None where they must have their full length.
    """

    family = "loss"
    integer_labels: bool = False
    fuses: str | None = None
    native: bool = False
    per_row: bool = True
    label_padding: int | None = None

    def is_native(self, attrs: Attrs) -> bool:
        """Returns whether the kernels of :attr:`native` compute it with these attributes: they know no optional one."""
        return self.native and not any(attr.optional and attr.name in attrs for attr in self.attributes(attrs))

    def per_row_for(self, attrs: Attrs) -> bool:
        """Returns whether a row's loss depends on that row alone.

        Where it does not, a batch must reach :meth:`value_and_gradient` whole; what it writes is then such that the
        weighted mean of ``losses`` is the batch's loss, and ``dx`` is that mean's gradient.
        """
        return self.per_row

    def label_shape(self, prediction: Shape, attrs: Attrs = MappingProxyType({})) -> Shape:
        """Returns the shape (per row) of ``y``. ValueError if the loss cannot take such a prediction."""
        if not prediction:
            raise ValueError(f"{self.name}: expected a prediction of at least one axis, got shape ()")
        axis = attrs.get("axis", -1)
        if isinstance(axis, int):
            place = _row_axis(self.name, axis, len(prediction))
            return prediction[:place] + prediction[place + 1 :] if self.integer_labels else prediction
        for each in axis or ():
            if each != 0:  # the batch's own axis, over which a loss of whole batches may sum
                _row_axis(self.name, each, len(prediction))
        return prediction

    def classes(self, prediction: Shape, attrs: Attrs = MappingProxyType({})) -> int | None:
        """Returns how many classes the labels may name, or None if they are no class numbers of the prediction's."""
        if not self.integer_labels:
            return None
        return prediction[_row_axis(self.name, attrs.get("axis", -1), len(prediction))]

    def value_and_gradient(
        self,
        attrs: Attrs,
        x: Array,
        y: Array,
        weight: Array | None,
        losses: Array,
        dx: Array | None,
        output: Array | None,
        clip: tuple[float, float] | None = None,
    ) -> None:
        """Writes each row's loss, and the gradient of the weighted mean over the batch.

        Args:
            attrs: normalized attributes.
            x: the prediction, or the logits, ``[B, *shape]``.
            y: the labels, ``[B, *label_shape]``.
            weight: ``[B]``, or None for all ones. It enters ``dx`` and not ``losses``.
            losses: ``[B]``; ``losses[b]`` becomes l_b, the mean over the row's positions.
            dx: becomes ``weight[b] / B * dl_b/dx``; None if no gradient is wanted.
            output: with ``from_logits``, becomes the probabilities; None if they are not wanted.
            clip: the bounds for probabilities; those of x's type (:func:`clip_bounds`) if None.
        """
        raise NotImplementedError


class MetricSpec(Spec):
    """A metric: adds what a batch contributes to a few float64 sums.

    Attributes:
        labels: which labels it reads: ``"same"`` (y has the prediction's type and shape), ``"integer"`` (int32 without
            the last axis) or ``"either"``.
    """

    family = "metric"
    labels: str = "same"

    def size(self, prediction: Shape, attrs: Attrs) -> int:
        """How many sums it keeps."""
        return 2

    def update(self, attrs: Attrs, x: Array, y: Array, sums: Array) -> None:
        """Adds the batch to ``sums``, float64 ``[size]``."""
        raise NotImplementedError


class Region(NamedTuple):
    """A parameter in the arrays that an optimizer's rule is handed.

    Attributes:
        place: of the parameter in the Program's list.
        shape: its shape.
        start, stop: its elements in those arrays.
    """

    place: int
    shape: Shape
    start: int
    stop: int


class OptimizerSpec(Spec):
    """An optimizer: parameters, their gradient and slots of the same layout in, parameters and slots updated.

    What all optimizers have in common (clipping, weight decay, moving averages, accumulation) is in
    :mod:`netlet.program.update`; a spec has its own rule alone. Attributes of what is common stand in a Program only
    where they are not neutral.
    """

    family = "optimizer"
    #: Whether it looks at whole parameters (norms, rows and columns), so that it has to be called for each.
    by_layer: bool = False

    def normalize(self, given: Attrs) -> dict[str, Any]:
        """Returns the rule's own attributes, all of them, then those of the common ones that are not neutral."""
        attrs = super().normalize({name: value for name, value in given.items() if name not in COMMON})
        for name, attr in COMMON.items():
            value = attr.check(given[name]) if name in given and given[name] is not None else None
            if value is not None and value != attr.default:
                attrs[name] = value
        clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if name in attrs]
        if len(clips) > 1:
            raise ValueError(f"{self.name}: expected one of clipnorm, clipvalue and global_clipnorm, got {clips}")
        if "ema_overwrite_frequency" in attrs and "ema_momentum" not in attrs:
            raise ValueError(f"{self.name}: attribute 'ema_overwrite_frequency' needs 'ema_momentum'")
        return attrs

    def own_slots(self, attrs: Attrs) -> int:
        """How many arrays of the parameters' layout the rule keeps."""
        raise NotImplementedError

    def decays(self, attrs: Attrs, region: Region) -> float:
        """The share of itself, times the learning rate, that a parameter loses at each update; 0 for none."""
        share: float = attrs.get("weight_decay", 0.0)
        return share

    def slots(self, attrs: Attrs) -> int:
        """How many arrays there are: the rule's own, then the weights' average, then the accumulated gradient."""
        return self.own_slots(attrs) + ("ema_momentum" in attrs) + ("gradient_accumulation_steps" in attrs)

    def flops(self, attrs: Attrs) -> int:
        """Floating-point operations of the rule per parameter; 0 where they are not counted."""
        return 0

    def bytes(self, attrs: Attrs, itemsize: int) -> int:
        """Bytes that a step must move per parameter: w, g and the slots read, w and the slots written."""
        return itemsize * (3 + 2 * self.slots(attrs))

    def step(
        self, attrs: Attrs, learning_rate: float, t: int, w: Array, g: Array, slots: Array, regions: Sequence[Region]
    ) -> None:
        """Updates ``w`` ``[P]`` and the rule's own ``slots`` ``[n, P]`` in place by one step.

        Args:
            t: which update this is, from 1.
            g: the gradient ``[P]``; undefined afterwards.
            regions: the parameters that these arrays hold.
        """
        raise NotImplementedError


#: Attributes that every optimizer takes, with their neutral values.
COMMON: dict[str, Attr] = {
    attr.name: attr
    for attr in (
        Attr("weight_decay", "float", 0.0),
        Attr("clipnorm", "float", 0.0, low=0.0),
        Attr("clipvalue", "float", 0.0, low=0.0),
        Attr("global_clipnorm", "float", 0.0, low=0.0),
        Attr("ema_momentum", "float", None, low=0.0, high=1.0),
        Attr("ema_overwrite_frequency", "int", None, low=1),
        Attr("gradient_accumulation_steps", "int", None, low=2),
        Attr("no_decay", "ints", (), low=0),
        Attr("frozen", "ints", (), low=0),
    )
}
