"""The trainings to compare: what Netlet has, found by name, met in pairs or in full.

By default each optimizer meets a third of the losses and activations and half of the networks, each optimizer another
part, and every loss, activation and network meets several optimizers. With ``NETLET_ORACLE=pairs`` every optimizer
meets every loss, every activation and every network, with ``NETLET_ORACLE=all`` every pair of a loss and an activation
(hours).
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Any

import netlet
from oracle.case import Case
from oracle.networks import NETWORKS
from oracle.recipes import (
    COMMON,
    IN_NETWORKS,
    LOGITS,
    LOSSES,
    NOT_HIDDEN,
    NOT_IN_A_NETWORK,
    OPTIMIZERS,
    SCHEDULES,
    WRAPPERS,
    LossRecipe,
)

#: Names in ``netlet.activations`` that are no activation.
_FUNCTIONS = {"deserialize", "get", "lowered", "serialize"}


def _classes(module: Any, base: type) -> list[str]:
    found = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
    return sorted(name for name in found if issubclass(getattr(module, name), base) and getattr(module, name) != base)


def losses() -> list[str]:
    """Return the names of Netlet's losses, without the base that wraps a function."""
    return [name for name in _classes(netlet.losses, netlet.losses.Loss) if name != "LossFunctionWrapper"]


def optimizers() -> list[str]:
    """Return the names of Netlet's optimizers, without those that wrap another one."""
    return [name for name in _classes(netlet.optimizers, netlet.optimizers.Optimizer) if name not in WRAPPERS]


def schedules() -> list[str]:
    """Return the names of Netlet's schedules."""
    module = netlet.optimizers.schedules
    return _classes(module, module.LearningRateSchedule)


def activations() -> list[str]:
    """Return the names of Netlet's activations that a hidden layer can have."""
    names = [name for name in netlet.activations.__all__ if callable(getattr(netlet.activations, name))]
    plain = [name for name in names if name.islower() and name not in _FUNCTIONS and name not in NOT_HIDDEN]
    by_function = {getattr(netlet.activations, name): name for name in sorted(plain, reverse=True)}  # aliases once
    return sorted(by_function.values())


def without_recipe() -> list[str]:
    """Return what Netlet has and `recipes` lacks."""
    have = [(losses(), LOSSES), (optimizers(), OPTIMIZERS), (schedules(), SCHEDULES)]
    return sorted(name for names, recipes in have for name in names if name not in recipes)


def networks_without_layer() -> list[str]:
    """Return the layers of Netlet that are in no network, though they could be."""
    case = Case("mlp", "SGD", "MeanSquaredError", "tanh", "real", "linear")
    have = {type(layer).__name__ for net in NETWORKS.values() for layer in net.build(netlet, case, "float32").layers}
    named = [name for name in netlet.layers.__all__ if isinstance(getattr(netlet.layers, name), type)]
    layers = [name for name in named if issubclass(getattr(netlet.layers, name), netlet.layers.Layer)]
    return sorted(set(layers) - have - set(NOT_IN_A_NETWORK) - {"InputLayer"})


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
    return Case("mlp", optimizer, loss, activation, recipe.target, recipe.output, args, loss_args)


def cases() -> list[Case]:
    """Return the trainings to compare."""
    uses, hidden = _loss_uses(), activations()
    usual = next(use for use in uses if use[0] == "MeanSquaredError")
    networks = [name for name in NETWORKS if name != "mlp"]
    extent = os.environ.get("NETLET_ORACLE", "spread")
    part, half = (1, 1) if extent in ("pairs", "all") else (3, 2)
    found, following = [], itertools.cycle(hidden)
    for shift, optimizer in enumerate(optimizers()):
        first, *more = OPTIMIZERS[optimizer]
        if extent == "all":
            found += [_case(optimizer, first, use, activation) for use in uses for activation in hidden]
        else:
            found += [
                _case(optimizer, first, uses[i % len(uses)], next(following))
                for i in range(shift % part, max(len(uses), len(hidden)), part)
            ]
        found += [_case(optimizer, args, usual, "tanh") for args in more]
        found += [_case(optimizer, first | args, usual, "tanh") for args in COMMON]
        args = first | IN_NETWORKS.get(optimizer, {})
        plain = [Case(name, optimizer, "MeanSquaredError", "", "real", "linear", args) for name in networks]
        found += plain[shift % half :: half]
    for args in SCHEDULES.values():
        found += [_case(name, {"learning_rate": args}, usual, "tanh") for name in ("SGD", "Adam")]
    for i, use in enumerate(uses):
        ways = [("sample_weight",), ("validation_split",), ("sample_weight", "validation_split")]
        if use[1].target in ("onehot", "classes"):
            ways.append(("class_weight",))
        for way in ways if part == 1 else [ways[i % 3], *ways[3:]]:
            found.append(replace(_case("Adam", {"learning_rate": 0.01}, use, "tanh"), fitting=way))
    return list({str(case): case for case in found}.values())
