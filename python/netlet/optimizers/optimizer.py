"""What every optimizer shares: its name, its learning rate, its count of steps, its config, and how it is lowered.

An optimizer here holds settings only. The arithmetic is the program's op (``netlet.program``), and its slots (momentum,
...) lie with the model in the same layout as the parameters.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from netlet.utils.naming import check_name

Attrs = dict[str, Any]


class Optimizer:
    """Base of the optimizers.

    Args:
        learning_rate: positive or zero; may be set between and during epochs.
        name: the optimizer's name.

    Attributes:
        learning_rate: a float.
        iterations: int, how many updates have been made.

    Raises: ValueError if ``learning_rate`` is not a finite number >= 0, TypeError if it is no number at all.
    """

    #: Name of the op in the program, such as "sgd".
    op = ""

    #: Arguments that Keras' optimizers take and this version does not act on, with their neutral values.
    _not_yet: ClassVar[dict[str, Any]] = {
        "weight_decay": None,
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
    }

    def __init__(self, learning_rate: float, name: str, **kwargs: Any) -> None:
        owner = type(self).__name__
        for key, value in kwargs.items():
            if key not in self._not_yet:
                raise TypeError(f"{owner}: unexpected argument {key!r}")
            if value != self._not_yet[key]:
                raise ValueError(f"{owner}: {key}={value!r} is not supported yet")
        self.name = check_name(name, owner)
        self.iterations = 0
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        """The step size; setting it takes effect at the next update."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        owner = type(self).__name__
        if callable(value):
            raise ValueError(f"{owner}: learning rate schedules are not supported yet, got {value!r}")
        if isinstance(value, (bool, str)):
            raise TypeError(f"{owner}: learning_rate must be a number, got {value!r}")
        try:
            rate = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{owner}: learning_rate must be a number, got {value!r}") from None
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{owner}: learning_rate must be finite and not negative, got {value!r}")
        self._learning_rate = rate

    def slot_names(self) -> tuple[str, ...]:
        """Return the names of the arrays kept per parameter, in the program's order."""
        return ()

    def lower(self) -> tuple[str, Attrs]:
        """Return the op's name and attributes for the program."""
        raise NotImplementedError(f"{type(self).__name__} does not define lower()")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "learning_rate": self.learning_rate}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Return an optimizer made with the arguments of ``config``."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items() if key != "name")
        return f"{type(self).__name__}({arguments})"
