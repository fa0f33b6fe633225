"""What ``compile`` was given, checked and resolved; and how it is written to a file and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netlet import losses, metrics, optimizers
from netlet.errors import NotCompiledError
from netlet.layers.shapes import positive_int
from netlet.losses import Loss
from netlet.metrics import ACCURACY, Metric
from netlet.optimizers import Optimizer


class Compilation:
    """The settings of training.

    Args: those of ``Sequential.compile``.

    Attributes:
        optimizer: the Optimizer.
        loss: the Loss, or None.
        metrics: Metrics, or the names "accuracy" and "acc", which need the model's output to become one.
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
    ) -> None:
        found = optimizers.get(optimizer)
        if found is None:
            raise ValueError("compile: optimizer must not be None")
        if not found.op:
            raise ValueError(f"compile: an optimizer of one's own cannot train a model yet, got {found!r}")
        self.optimizer: Optimizer = found
        self.loss: Loss | None = None if loss is None else losses.as_loss(_only(loss, "loss"))
        if loss_weights is not None and list(_listed(loss_weights, "loss_weights")) != [1]:
            raise ValueError(f"compile: loss_weights={loss_weights!r} is not supported yet")
        if weighted_metrics:
            raise ValueError(f"compile: weighted_metrics={weighted_metrics!r} is not supported yet")
        self.metrics: list[Metric | str] = [_metric(m) for m in _listed(metrics, "metrics")]
        _check_names(self.metrics)
        for name, flag in (("run_eagerly", run_eagerly), ("check_finite", check_finite)):
            if not isinstance(flag, bool):
                raise TypeError(f"compile: {name} must be True or False, got {flag!r}")
        if not isinstance(jit_compile, bool) and jit_compile != "auto":
            raise ValueError(f"compile: jit_compile must be True, False or 'auto', got {jit_compile!r}")
        if not isinstance(auto_scale_loss, bool):
            raise TypeError(f"compile: auto_scale_loss must be True or False, got {auto_scale_loss!r}")
        self.steps_per_execution = positive_int(steps_per_execution, "compile: steps_per_execution")
        self.check_finite = check_finite

    def required_loss(self, model: str) -> Loss:
        """Return the loss; NotCompiledError naming ``model`` if ``compile`` was not given one."""
        if self.loss is None:
            raise NotCompiledError(f"{model}: compile() was called without a loss")
        return self.loss

    def metrics_for(self, output_shape: Sequence[int | None]) -> list[Metric]:
        """Return the metrics of a model with this output, "accuracy" made into the one that fits.

        Raises: ValueError if a metric cannot read the loss's labels.
        """
        integer = self.loss is not None and self.loss.integer_labels
        width = output_shape[-1] if len(output_shape) > 1 else 1
        found = []
        for metric in self.metrics:
            if isinstance(metric, str):
                metric = metrics.accuracy_for(metric, integer_labels=integer, width=width or 1)
            if metric.labels != "either" and integer != (metric.labels == "integer"):
                got = "class numbers" if integer else "labels of the prediction's shape"
                hint = f"; metrics={list(ACCURACY[:1])} picks the one that fits" if "accuracy" in metric.op else ""
                raise ValueError(f"metric {metric.name!r} cannot read {got}, as the loss takes{hint}")
            found.append(metric)
        return found

    def get_config(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "optimizer": optimizers.serialize(self.optimizer),
            "loss": losses.serialize(self.loss),
            "metrics": [m if isinstance(m, str) else metrics.serialize(m) for m in self.metrics],
            "steps_per_execution": self.steps_per_execution,
            "check_finite": self.check_finite,
        }


def _only(value: Any, what: str) -> Any:
    """``value``, or the one element of a list, as for a model with one output."""
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise ValueError(f"compile: {what} has {len(value)} elements, expected 1 as the model has one output")
        return value[0]
    return value


def _listed(value: Any, what: str) -> list[Any]:
    """``value`` as a flat list; None is empty. Keras demands a list of metrics, and so do we."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"compile: {what} must be a list, got {value!r}")
    flat: list[Any] = []
    for entry in value:
        flat.extend(_listed(entry, what) if isinstance(entry, (list, tuple)) else [entry])
    return flat


def _metric(identifier: Any) -> Metric | str:
    if isinstance(identifier, str) and identifier in ACCURACY:
        return identifier
    metric = metrics.get(identifier)
    if metric is None:
        raise ValueError("compile: metrics must not hold None")
    if not metric.op:
        raise ValueError(f"compile: custom metrics are not supported yet, got {metric!r}")
    return metric


def _check_names(entries: Sequence[Metric | str]) -> None:
    seen = {"loss"}
    for entry in entries:
        name = entry if isinstance(entry, str) else entry.name
        if name in seen:
            raise ValueError(f"compile: two metrics are called {name!r}; give one of them another name")
        seen.add(name)
