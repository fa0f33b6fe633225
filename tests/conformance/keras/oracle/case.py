"""One training to compare, as it is handed from Netlet's process to Keras'."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes:
        network: which of `networks.NETWORKS` is trained; of the first of them, ``mlp``, the rest says more.
        optimizer, optimizer_args: its class and arguments; ``{"schedule": class, **arguments}`` stands for a schedule.
        loss, loss_args, target, output: class and arguments of the loss, the kind of labels, the last activation.
        activation: of the hidden layer.
        fitting: further arguments of ``fit``: "sample_weight", "class_weight", "validation_split".
    """

    network: str
    optimizer: str
    loss: str
    activation: str
    target: str
    output: str
    optimizer_args: dict[str, Any] = field(default_factory=dict, hash=False)
    loss_args: dict[str, Any] = field(default_factory=dict, hash=False)
    fitting: tuple[str, ...] = ()

    def __str__(self) -> str:
        def call(name: str, arguments: dict[str, Any]) -> str:
            return f"{name}({','.join(f'{key}={_short(value)}' for key, value in arguments.items())})"

        net = self.activation if self.network == "mlp" else self.network
        parts = [call(self.optimizer, self.optimizer_args), call(self.loss, self.loss_args), net, *self.fitting]
        return "-".join(parts)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Case:
        given = json.loads(text)
        return cls(**{**given, "fitting": tuple(given["fitting"])})


def _short(value: Any) -> str:
    return str(value["schedule"]) if isinstance(value, dict) else str(value).replace(" ", "")
