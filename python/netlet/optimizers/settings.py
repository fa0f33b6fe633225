"""What every optimizer shares: settings, the learning rate, the count of steps, and how it is lowered.

While a model trains, the arithmetic is the Program's (``netlet.program``), below Python. The same rules can be applied
to arrays from Python, step by step: see :mod:`netlet.optimizers.optimizer`.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from netlet.optimizers.rate import LearningRate
from netlet.optimizers.schedules.schedule import LearningRateSchedule
from netlet.optimizers.state import name_of
from netlet.utils.naming import auto_name, check_name

S = TypeVar("S", bound="Settings")
Attrs = dict[str, Any]
#: What an optimizer takes as its learning rate.
Rate = float | LearningRateSchedule | Callable[[], Any]


class Settings:
    """What is set of an optimizer, its learning rate and its count of steps.

    Args:
        learning_rate: a number >= 0; a `LearningRateSchedule`, which is asked for the rate of each step; or a function
            without arguments that returns the rate.
        weight_decay: weights lose this share of themselves, times the learning rate, before each update; None for none.
        clipnorm: the most that the norm of each weight's gradient may be.
        clipvalue: the most that each element of a gradient may be, in size.
        global_clipnorm: the most that the norm of all gradients together may be. Only one of the three can be set.
        use_ema: whether to keep a moving average of the weights, which replaces them at the end of ``fit``.
        ema_momentum: what the average keeps of itself at a step, in [0, 1].
        ema_overwrite_frequency: every how many updates the average replaces the weights besides; None for never.
        loss_scale_factor: gradients given to `apply` are those of a loss multiplied with this. ``fit`` needs no such
            scaling, as gradients are float32 or float64 there, and ignores it.
        gradient_accumulation_steps: how many steps make one update, with the mean of their gradients; 2 or more.
        name: the optimizer's name; numbered automatically, such as "adam_1", if None.

    Raises: ValueError, TypeError for an argument that is out of range, of another type or unknown.
    """

    #: Name of the op in the program, such as "sgd".
    op = ""

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if kwargs.pop("decay", None) is not None:
            warnings.warn(f"{owner}: decay is not an argument any more, and is ignored", stacklevel=3)
        if kwargs:
            raise TypeError(f"{owner}: unexpected argument {next(iter(kwargs))!r}")
        self.name = auto_name(owner) if name is None else check_name(name, owner)
        self.weight_decay = _number(owner, "weight_decay", weight_decay)
        self.clipnorm = _number(owner, "clipnorm", clipnorm)
        self.clipvalue = _number(owner, "clipvalue", clipvalue)
        self.global_clipnorm = _number(owner, "global_clipnorm", global_clipnorm)
        given = [key for key in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set, "
                f"{owner} got {', '.join(f'{key}={getattr(self, key)!r}' for key in given)}"
            )
        if not isinstance(use_ema, bool):
            raise ValueError(f"{owner}: use_ema must be True or False, got {use_ema!r}")
        self.use_ema = use_ema
        self.ema_momentum = float(ema_momentum)
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(f"{owner}: ema_momentum must lie in [0, 1], got {ema_momentum!r}")
        if use_ema and ema_overwrite_frequency is not None:
            _count(owner, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = _number(owner, "loss_scale_factor", loss_scale_factor)
        if gradient_accumulation_steps is not None:
            _count(owner, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._count: NDArray[np.int64] = np.zeros((), np.int64)
        self._learning_rate: Rate = 0.0
        self._rate: NDArray[np.float64] = np.zeros((), np.float64)
        self._set_learning_rate(learning_rate)
        self._exempt: set[int] = set()
        self._exempt_names: re.Pattern[str] | None = None
        self.built = False

    # The count of steps, and the learning rate

    @property
    def _iterations(self) -> int:
        """How many steps were made, each of which may be a part of an update."""
        return int(self._count)

    @_iterations.setter
    def _iterations(self, value: int) -> None:
        self._count[...] = value

    @property
    def iterations(self) -> int:
        """How many updates were made."""
        return int(self._count) // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._count[...] = int(value) * (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self) -> Any:
        """The present step size, a number (see `LearningRate`); setting it takes effect at the next update.

        Raises: TypeError if it is set to a number where a schedule decides.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate() if callable(rate) else LearningRate(float(self._rate), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(self._learning_rate, LearningRateSchedule) and not callable(value):
            raise TypeError(
                f"{type(self).__name__}: This optimizer was created with a `LearningRateSchedule`, which decides: "
                f"{self._learning_rate!r}. Make it with a number to set its learning_rate later"
            )
        self._set_learning_rate(value)

    def _set_learning_rate(self, value: Any) -> None:
        if callable(value):
            self._learning_rate = value
            return
        owner = type(self).__name__
        if isinstance(value, (bool, str)):
            raise TypeError(f"{owner}: learning_rate must be a number, got {value!r}")
        try:
            rate = float(np.asarray(value))
        except (TypeError, ValueError):
            raise TypeError(f"{owner}: learning_rate must be a number, got {value!r}") from None
        if not (math.isfinite(rate) and rate >= 0):
            raise ValueError(f"{owner}: learning_rate must be finite and not negative, got {value!r}")
        self._rate[...] = rate
        self._learning_rate = rate

    @property
    def asks_for_rate(self) -> bool:
        """Whether the learning rate is a function without arguments, to be asked before each call."""
        return callable(self._learning_rate) and not isinstance(self._learning_rate, LearningRateSchedule)

    def rates(self, steps: int) -> float | NDArray[np.float64]:
        """Return the learning rate of the next so many steps: of all of them, or float64 ``[steps]``.

        A function without arguments is called once for all. Where steps are made in Python they ask for it themselves:
        it is 0.
        """
        if self.hosted:
            return 0.0
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return np.ascontiguousarray(rate.rates(self._iterations, self._iterations + steps), np.float64)
        return float(self.learning_rate)

    @property
    def hosted(self) -> bool:
        """Whether its steps are made in Python."""
        return not self.op

    # What decays

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Sequence[str] | None = None) -> None:
        """Keep weights from decaying. To be called before the optimizer is built.

        Args:
            var_list: variables.
            var_names: regular expressions; weights whose names one of them is found in, such as "bias".

        Raises: ValueError if the optimizer is built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        self._exempt = {id(variable) for variable in var_list or ()}
        self._exempt_names = re.compile("|".join(sorted(set(var_names)))) if var_names else None

    def _use_weight_decay(self, variable: Any) -> bool:
        """Whether a weight decays."""
        if id(variable) in self._exempt:
            return False
        return self._exempt_names is None or not self._exempt_names.search(name_of(variable, 0)[0])

    # Lowering

    def slot_names(self) -> tuple[str, ...]:
        """Return the names of the arrays kept beside each weight, in the program's order."""
        names = self.own_slot_names()
        if self.use_ema:
            names += ("average",)
        return (*names, "gradient_accumulator") if self.gradient_accumulation_steps else names

    def own_slot_names(self) -> tuple[str, ...]:
        """Return the names of those that the rule itself keeps."""
        return ()

    def initial_slots(self) -> dict[str, float]:
        """Return the first values of the slots that do not begin with 0."""
        return {}

    def rule_attrs(self, variables: Sequence[Any]) -> Attrs:
        """Return the attributes of the rule, for the weights ``variables``."""
        raise NotImplementedError(f"{type(self).__name__} does not define rule_attrs()")

    def lower(self, variables: Sequence[Any] = ()) -> tuple[str, Attrs]:
        """Return the op's name and attributes for a program whose parameters are ``variables``."""
        if self.hosted:
            return "custom", {"slots": len(self.slot_names())}
        attrs = self.rule_attrs(variables)
        for key in ("clipnorm", "clipvalue", "global_clipnorm"):
            value = getattr(self, key)
            if value is not None and value > 0:
                attrs[key] = value
        if self.weight_decay:
            attrs["weight_decay"] = self.weight_decay
        if self.use_ema:
            attrs["ema_momentum"] = self.ema_momentum
            if self.ema_overwrite_frequency is not None:
                attrs["ema_overwrite_frequency"] = self.ema_overwrite_frequency
        if self.gradient_accumulation_steps is not None:
            attrs["gradient_accumulation_steps"] = self.gradient_accumulation_steps
        exempt = [i for i, variable in enumerate(variables) if not self._use_weight_decay(variable)]
        frozen = [i for i, variable in enumerate(variables) if not getattr(variable, "trainable", True)]
        return self.op, {**attrs, "no_decay": exempt, "frozen": frozen}

    # Configs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rate: Any = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = {"class_name": type(rate).__name__, "config": rate.get_config()}
        elif callable(rate):
            rate = getattr(rate, "__name__", repr(rate))
        else:
            rate = float(self._rate)
        keys = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum")
        more = ("ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps")
        return {"name": self.name, "learning_rate": rate, **{key: getattr(self, key) for key in (*keys, *more)}}

    @classmethod
    def from_config(cls: type[S], config: dict[str, Any], custom_objects: Any = None) -> S:
        """Return an optimizer made with the arguments of ``config``."""
        arguments = dict(config)
        if isinstance(arguments.get("learning_rate"), dict):
            from netlet.optimizers import schedules

            arguments["learning_rate"] = schedules.deserialize(arguments["learning_rate"])
        return cls(**arguments)

    def __repr__(self) -> str:
        config = self.get_config()
        neutral = {"use_ema": False, "ema_momentum": 0.99}
        arguments = ", ".join(
            f"{key}={value!r}" for key, value in config.items() if key != "name" and value != neutral.get(key)
        )
        return f"{type(self).__name__}({arguments})"


def _number(owner: str, name: str, value: Any) -> float | None:
    """``value`` as a finite number, or None."""
    if value is None:
        return None
    if isinstance(value, (bool, str)):
        raise ValueError(f"{owner}: {name} must be a number or None, got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{owner}: {name} must be finite, got {value!r}")
    return value if isinstance(value, (int, float)) else number


def _count(owner: str, name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{owner}: {name} must be an integer of {least} or more, or None, got {value!r}")


def fraction(owner: str, name: str, value: Any) -> float:
    """Return ``value`` if it is a number in [0, 1], else raise a ValueError that names the argument."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{owner}: {name} must lie in [0, 1], got {value!r}")
    return float(value)


def flag(owner: str, name: str, value: Any) -> bool:
    """Return ``value`` if it is True or False, else raise a ValueError that names the argument."""
    if not isinstance(value, bool):
        raise ValueError(f"{owner}: {name} must be True or False, got {value!r}")
    return value


def not_negative(owner: str, name: str, value: Any) -> float:
    """Return ``value`` if it is a finite number >= 0, else raise a ValueError that names the argument."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(f"{owner}: {name} must be finite and not negative, got {value!r}")
    return float(value)
