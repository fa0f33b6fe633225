"""``SwapEMAWeights``: evaluates with the moving average of the weights."""

from __future__ import annotations

from typing import Any

from netlet.callbacks.callback import Callback, Logs
from netlet.callbacks.inner_optimizers import holds_several, inner_optimizers


class SwapEMAWeights(Callback):
    """Puts the moving average of the weights into the model for evaluations, validations and predictions, and the
    weights back afterwards.

    The optimizer must keep it (``use_ema=True``); of a `MultiOptimizer`, one at least must, and the weights that it
    moves are exchanged. This is done in place: what another callback changes in the meantime is changed in the one that
    is in the model.

    Args:
        swap_on_epoch: exchange them at the end of each epoch, too, and back at the beginning of the next: callbacks
            that stand behind this one, such as `ModelCheckpoint`, then see the average. Default False.

    Source: keras.callbacks.SwapEMAWeights, Keras 3.15; the average itself: see `Optimizer`.

    Raises: ValueError in training if the optimizer keeps no average.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._put(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch and not self._ema_weights_in_model:
            self._put(True)
            if self.params is not None and epoch == self.params["epochs"] - 1:
                # fit ends by making the average the weights: let it find there what is in the model now
                for weight, average in moving_averages(self.model.optimizer):
                    average.assign(weight.numpy())

    def on_test_begin(self, logs: Logs = None) -> None:
        self._put(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._put(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._put(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._put(False)

    def _put(self, averages: bool) -> None:
        """See to it that the averages, or else the weights, are in the model."""
        if averages == self._ema_weights_in_model:
            return
        for weight, average in moving_averages(self.model.optimizer):
            before = weight.numpy()
            weight.assign(average.numpy())
            average.assign(before)
        self._ema_weights_in_model = averages


def moving_averages(optimizer: Any) -> list[tuple[Any, Any]]:
    """Return pairs of a weight that trains and its moving average, variables both.

    Raises: ValueError if the optimizer keeps none.
    """
    averaging = [inner for inner in inner_optimizers(optimizer) if getattr(inner, "use_ema", False)]
    if not averaging:
        whose = "one of the MultiOptimizer's optimizers" if holds_several(optimizer) else "the optimizer"
        raise ValueError(
            f"SwapEMAWeights must be used when `use_ema=True` is set on {whose}, got {optimizer!r} without it"
        )
    from netlet.optimizers.state import frozen_among

    pairs = [
        pair
        for inner in averaging
        for pair in zip(inner.trainable_variables, inner._model_variables_moving_average, strict=True)
    ]
    frozen = frozen_among([weight for weight, _ in pairs])
    return [(weight, average) for weight, average in pairs if id(weight) not in frozen]
