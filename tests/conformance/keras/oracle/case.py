"""One training to compare, as it is handed from Netlet's process to Keras'."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One training."""

    optimizer: str
    loss: str
    activation: str
    target: str
    output: str
    dtype: str = "float32"
    optimizer_args: dict[str, Any] = field(default_factory=dict, hash=False)
    loss_args: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        def call(name: str, arguments: dict[str, Any]) -> str:
            return f"{name}({','.join(f'{key}={value}' for key, value in arguments.items())})"

        optimizer = call(self.optimizer, self.optimizer_args)
        return f"{optimizer}-{call(self.loss, self.loss_args)}-{self.activation}-{self.dtype}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Case:
        return cls(**json.loads(text))
