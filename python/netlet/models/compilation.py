"""What ``compile`` was given, checked and resolved; and how it is written to a file and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from netlet import losses, metrics, optimizers
from netlet.errors import NotCompiledError
from netlet.layers.shapes import positive_int
from netlet.losses import Loss
from netlet.metrics import ACCURACY, Metric
from netlet.models.objective import objective
from netlet.optimizers import Optimizer

CROSSENTROPY = ("crossentropy", "ce")  # names of the cross-entropy that fits the labels, in any case of letters


class Scored(NamedTuple):
    """A metric of one output.

    Attributes:
        metric: the object.
        output: the place of the output that it watches.
        weighted: whether sample weights enter it.
        name: in the logs.
    """

    metric: Metric
    output: int
    weighted: bool
    name: str


class Compilation:
    """The settings of training.

    Args: those of ``compile``, and ``outputs``: the names of the model's outputs; () where there is one without a name.

    Attributes:
        optimizer: the Optimizer.
        losses: for each output the Loss, or None; loss_weights: what each counts.
        pending: of outputs whose loss labels decide ("crossentropy"), what it was called; until then they have none.
        metrics: for each output, Metrics, or the names "accuracy" and "acc", which need the model's output to become
            one; weighted_metrics: likewise, those that sample weights enter.
        outputs: the names of the outputs where there are several, else (): they then stand before those of metrics.
        check_finite: whether data are checked for NaN and infinity.
        steps_per_execution: how many steps lie between two calls of batch hooks.

    Raises: ValueError for an unknown name or an unsupported setting, TypeError for a wrong type.
    """

    def __init__(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
        check_finite: bool = False,
        outputs: Sequence[str] = (),
    ) -> None:
        self._names = tuple(outputs)
        self.outputs = self._names if len(self._names) > 1 else ()
        found = optimizers.get(optimizer)
        if found is None:
            raise ValueError("compile: optimizer must not be None")
        if not (found.op or found.hosted) or type(found) is Optimizer:
            raise ValueError(f"compile: {type(found).__name__} does not define update_step()")
        self.optimizer: Optimizer = found
        given = self._each_loss(loss)
        self.pending = {i: one for i, one in enumerate(given) if isinstance(one, str) and one.lower() in CROSSENTROPY}
        self.losses = [None if one is None or i in self.pending else _trainable(one) for i, one in enumerate(given)]
        self.loss_weights = self._each_weight(loss_weights)
        self.metrics = self._each_metrics(metrics, "metrics")
        self.weighted_metrics = self._each_metrics(weighted_metrics, "weighted_metrics")
        if "loss" in (name for _, _, _, name in self._named_metrics()):
            raise ValueError("compile: a metric is called 'loss', as the loss is; give it another name")
        for name, flag in (("run_eagerly", run_eagerly), ("check_finite", check_finite)):
            if not isinstance(flag, bool):
                raise TypeError(f"compile: {name} must be True or False, got {flag!r}")
        if not isinstance(jit_compile, bool) and jit_compile != "auto":
            raise ValueError(f"compile: jit_compile must be True, False or 'auto', got {jit_compile!r}")
        if not isinstance(auto_scale_loss, bool):
            raise TypeError(f"compile: auto_scale_loss must be True or False, got {auto_scale_loss!r}")
        self.steps_per_execution = positive_int(steps_per_execution, "compile: steps_per_execution")
        self.check_finite = check_finite

    # For each output

    @property
    def _count(self) -> int:
        return max(len(self._names), 1)

    def _spread(self, given: Any, what: str, missing: Any) -> list[Any]:
        """An entry for each output, from a dict by their names or a list of as many."""
        if isinstance(given, Mapping):
            if unknown := [key for key in given if key not in self._names]:
                known = f"outputs are {', '.join(map(repr, self._names))}"
                if len(self._names) < 2:
                    known = (
                        f"output is {self._names[0]!r}" if self._names else "output has no name yet: add layers first"
                    )
                raise ValueError(f"compile: {what} names {unknown[0]!r}, the model's {known}")
            return [given.get(name, missing) for name in self._names] or [missing]
        if len(given) != self._count:
            raise ValueError(
                f"compile: {what} has {len(given)} elements, expected {self._count} as the model has "
                f"{'one output' if self._count == 1 else f'{self._count} outputs'}"
            )
        return list(given)

    def _each_loss(self, loss: Any) -> list[Any]:
        if isinstance(loss, Mapping) and "class_name" not in loss:
            return self._spread(loss, "loss", None)
        if isinstance(loss, (list, tuple)):
            return self._spread(loss, "loss", None)
        return [loss] * self._count

    def _each_weight(self, weights: Any) -> list[float]:
        if weights is None:
            return [1.0] * self._count
        given = weights if isinstance(weights, (Mapping, list, tuple)) else [weights] * self._count
        found = []
        for weight in self._spread(given, "loss_weights", 1.0):
            if isinstance(weight, bool) or not isinstance(weight, (int, float)):
                raise TypeError(f"compile: loss_weights must hold numbers, got {weight!r}")
            found.append(float(weight))
        return found

    def _each_metrics(self, given: Any, what: str) -> list[list[Metric | str]]:
        if given is None:
            return [[] for _ in range(self._count)]
        if not isinstance(given, (list, tuple, Mapping)):
            raise ValueError(f"compile: {what} must be a list, got {given!r}")
        if not self.outputs and not isinstance(given, Mapping):
            return [[_metric(entry) for entry in _flat(given)]]
        return [[_metric(m) for m in ([] if own is None else _flat([own]))] for own in self._spread(given, what, None)]

    # What trains

    @property
    def loss(self) -> Loss | None:
        """The loss of a model with one output; of several, the first that there is. None while one is pending."""
        return None if self.pending else next((loss for loss in self.losses if loss is not None), None)

    def required_loss(self, model: str) -> Loss:
        """Return the loss; NotCompiledError naming ``model`` if ``compile`` was not given one."""
        if self.loss is None:
            raise NotCompiledError(f"{model}: compile() was called without a loss")
        return self.loss

    def settle(
        self, label_shapes: Sequence[Sequence[int] | None], output_shapes: Sequence[Sequence[int | None]]
    ) -> None:
        """Let the pending losses be the cross-entropies that fit.

        Binary for a prediction of width 1; else sparse categorical where the labels have an axis less than the
        prediction, or a last one of 1; else categorical.

        Args:
            label_shapes: of each output's labels, the batch in front; None where there are none.
            output_shapes: of each output.
        Raises: ValueError if a pending loss has no labels, or a metric cannot read them. Then nothing is settled.
        """
        pending, losses = self.pending, list(self.losses)
        for output, name in pending.items():
            labels, shape = label_shapes[output], output_shapes[output]
            if labels is None:
                raise ValueError(f"{name}: labels decide which cross-entropy it is, and output {output} has none")
            if len(shape) > 1 and shape[-1] == 1:
                kind = "binary_crossentropy"
            elif len(labels) < len(shape) or (len(labels) > 1 and labels[-1] == 1):
                kind = "sparse_categorical_crossentropy"
            else:
                kind = "categorical_crossentropy"
            losses[output] = _trainable(kind)
        before, self.losses, self.pending = self.losses, losses, {}
        try:
            self.scored(output_shapes)
        except ValueError:
            self.losses, self.pending = before, pending
            raise

    def scored(self, output_shapes: Sequence[Sequence[int | None]]) -> list[Scored]:
        """Return the metrics of a model with these outputs, "accuracy" made into the one that fits.

        Raises: ValueError if a metric cannot read the labels of its output's loss.
        """
        found = []
        for output, weighted, entry, name in self._named_metrics():
            loss, shape = self.losses[output], output_shapes[output]
            found.append(Scored(_resolved(entry, loss, shape, output in self.pending), output, weighted, name))
        return found

    def _named_metrics(self) -> list[tuple[int, bool, Metric | str, str]]:
        """(output, weighted, metric, name in the logs) of all metrics, those that weights enter last.

        A name that is taken gets a number; that of a weighted metric first becomes "weighted_...".
        """
        found = []
        seen: dict[str, int] = {}
        for weighted, lists in ((False, self.metrics), (True, self.weighted_metrics)):
            for output, entries in enumerate(lists):
                prefix = f"{self.outputs[output]}_" if self.outputs else ""
                for entry in entries:
                    own = entry if isinstance(entry, str) else entry.name
                    name = f"{prefix}{own}"
                    if weighted and name in seen:
                        name = f"{prefix}weighted_{own}"
                    if (count := seen.get(name, 0)) > 0:
                        seen[name] = count + 1
                        name = f"{name}_{count}"
                    seen[name] = 1
                    found.append((output, weighted, entry, name))
        return found

    @property
    def apart(self) -> bool:
        """Whether the logs have the losses of the outputs besides their sum: where more than one has a loss."""
        return sum(loss is not None or i in self.pending for i, loss in enumerate(self.losses)) > 1

    def names(self) -> list[str]:
        """Return the names of the losses and metrics, in the order in which ``evaluate`` returns them."""
        several = [name for i, name in enumerate(self.outputs) if self.losses[i] is not None or i in self.pending]
        losses = [f"{name}_loss" for name in several] if self.apart else []
        return ["loss", *losses, *(name for _, _, _, name in self._named_metrics())]

    def get_config(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""

        def listed(entries: list[list[Metric | str]]) -> Any:
            found = [[m if isinstance(m, str) else metrics.serialize(m) for m in own] for own in entries]
            return found if self.outputs else found[0]

        written = [self.pending[i] if i in self.pending else losses.serialize(one) for i, one in enumerate(self.losses)]
        config = {
            "optimizer": optimizers.serialize(self.optimizer),
            "loss": written if self.outputs else written[0],
            "metrics": listed(self.metrics),
            "steps_per_execution": self.steps_per_execution,
            "check_finite": self.check_finite,
        }
        if self.loss_weights != [1.0] * self._count:
            config["loss_weights"] = self.loss_weights
        if any(self.weighted_metrics):
            config["weighted_metrics"] = listed(self.weighted_metrics)
        return config


def _trainable(loss: Any) -> Loss:
    made = losses.as_loss(loss)
    objective(made)  # what can't be trained for is refused now
    return made


def _resolved(entry: Metric | str, loss: Loss | None, output_shape: Sequence[int | None], pending: bool) -> Metric:
    """A metric that can read the labels of ``loss``, whatever it is while it is pending."""
    integer = loss is not None and loss.integer_labels
    width = output_shape[-1] if len(output_shape) > 1 else 1
    metric = metrics.accuracy_for(entry, integer_labels=integer, width=width or 1) if isinstance(entry, str) else entry
    if not pending and metric.labels != "either" and integer != (metric.labels == "integer"):
        got = "class numbers" if integer else "labels of the prediction's shape"
        hint = f"; metrics={list(ACCURACY[:1])} picks the one that fits" if "accuracy" in metric.op else ""
        raise ValueError(f"metric {metric.name!r} cannot read {got}, as the loss takes{hint}")
    return metric


def _flat(value: Any) -> list[Any]:
    """Lists within lists as one; None is left out."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        return [value]
    return [entry for part in value for entry in (_flat(part) if isinstance(part, (list, tuple)) else [part])]


def _metric(identifier: Any) -> Metric | str:
    if isinstance(identifier, str) and identifier.lower() in ACCURACY:
        return identifier
    metric = metrics.get(identifier)
    if metric is None:
        raise ValueError("compile: metrics must not hold None")
    return metric
