"""``loss="crossentropy"``: the cross-entropy that fits the output and the labels, known once there are labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from netlet.losses import Loss

NAMES = ("crossentropy", "ce")


class Undecided(Loss):
    """What stands for the loss until `decide` is asked, with the first labels that the model sees."""

    def __init__(self) -> None:
        super().__init__(NAMES[0])

    @staticmethod
    def decide(labels: Sequence[int], output: Sequence[int | None]) -> str:
        """Return the loss's name, for labels and outputs of these shapes, the batch in front.

        Binary for outputs of one element in the last axis; sparse categorical for labels with an axis less, or with one
        element in the last; else categorical.
        """
        if output[-1] == 1:
            return "binary_crossentropy"
        if len(labels) < len(output) or labels[-1] == 1:
            return "sparse_categorical_crossentropy"
        return "categorical_crossentropy"

    def call(self, y_true: Any, y_pred: Any) -> NoReturn:
        raise ValueError("the loss 'crossentropy' is not decided yet: it depends on the first labels that a model sees")


def is_undecided(loss: Any) -> bool:
    """Return whether ``loss`` is one of the names, in any case."""
    return isinstance(loss, str) and loss.lower() in NAMES
