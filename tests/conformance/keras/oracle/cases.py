"""The trainings to compare: what Netlet has, found by name, met in pairs or in full.

By default every optimizer meets every loss and every activation, in as few trainings as that takes. With
``NETLET_ORACLE=all`` every optimizer meets every pair of a loss and an activation (hours).
"""

from __future__ import annotations

import os
from typing import Any

import netlet
from oracle.case import Case
from oracle.recipes import COMMON, LOGITS, LOSSES, NOT_HIDDEN, OPTIMIZERS, LossRecipe

#: Names in ``netlet.activations`` that are no activation.
_FUNCTIONS = {"deserialize", "get", "lowered", "serialize"}


def _classes(module: Any, base: type) -> list[str]:
    found = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
    return sorted(name for name in found if issubclass(getattr(module, name), base) and getattr(module, name) != base)


def losses() -> list[str]:
    """Return the names of Netlet's losses, without the base that wraps a function."""
    return [name for name in _classes(netlet.losses, netlet.losses.Loss) if name != "LossFunctionWrapper"]


def optimizers() -> list[str]:
    """Return the names of Netlet's optimizers."""
    return _classes(netlet.optimizers, netlet.optimizers.Optimizer)


def activations() -> list[str]:
    """Return the names of Netlet's activations that a hidden layer can have."""
    names = [name for name in netlet.activations.__all__ if callable(getattr(netlet.activations, name))]
    plain = [name for name in names if name.islower() and name not in _FUNCTIONS and name not in NOT_HIDDEN]
    by_function = {getattr(netlet.activations, name): name for name in sorted(plain, reverse=True)}  # aliases once
    return sorted(by_function.values())


def without_recipe() -> list[str]:
    """Return what Netlet has and `recipes` lacks."""
    return sorted([name for name in losses() if name not in LOSSES] + [n for n in optimizers() if n not in OPTIMIZERS])


def _loss_uses() -> list[tuple[str, LossRecipe, dict[str, Any]]]:
    """Return each loss once with its first arguments, then the further uses of losses."""
    have = set(losses())
    recipes = [(name, recipe) for name, recipe in LOSSES.items() if name in have]
    first = [(name, recipe, recipe.arguments[0]) for name, recipe in recipes]
    further = [(name, recipe, args) for name, recipe in recipes for args in recipe.arguments[1:]]
    logits = [(name, recipe, args) for name, recipe in LOGITS.items() for args in recipe.arguments if name in have]
    return first + further + logits


def _case(optimizer: str, args: dict[str, Any], use: tuple[str, LossRecipe, dict[str, Any]], activation: str) -> Case:
    loss, recipe, loss_args = use
    return Case(optimizer, loss, activation, recipe.target, recipe.output, "float32", args, loss_args)


def cases() -> list[Case]:
    """Return the trainings to compare."""
    uses, hidden = _loss_uses(), activations()
    common = [
        args for args in COMMON if args.get("learning_rate") != "schedule" or hasattr(netlet.optimizers, "schedules")
    ]
    known = [name for name in optimizers() if name in OPTIMIZERS]
    found = []
    for shift, optimizer in enumerate(known):
        first, *more = OPTIMIZERS[optimizer]
        if os.environ.get("NETLET_ORACLE") == "all":
            found += [_case(optimizer, first, use, activation) for use in uses for activation in hidden]
        else:
            found += [
                _case(optimizer, first, uses[i % len(uses)], hidden[(i + 5 * shift) % len(hidden)])
                for i in range(max(len(uses), len(hidden)))
            ]
        usual = next(use for use in uses if use[0] == "MeanSquaredError")
        found += [_case(optimizer, args, usual, "tanh") for args in more]
        found += [_case(optimizer, first | args, usual, "tanh") for args in common]
    return found
