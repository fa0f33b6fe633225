"""The optimizers that a model's optimizer consists of, and their learning rates: what callbacks read and set."""

from __future__ import annotations

from typing import Any


def inner_optimizers(optimizer: Any) -> list[Any]:
    """Return the optimizers that move weights: those that it holds, be it scaled or not, or it itself."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner.optimizers) if hasattr(inner, "optimizers") else [inner]


def holds_several(optimizer: Any) -> bool:
    """Whether it is a MultiOptimizer, or scales the loss of one."""
    return hasattr(getattr(optimizer, "inner_optimizer", optimizer), "optimizers")


def learning_rates(optimizer: Any) -> dict[str, float]:
    """Return the present learning rate as the logs have it: "learning_rate"; of several "learning_rate_<name>"."""
    parts = inner_optimizers(optimizer)
    if not holds_several(optimizer):
        return {"learning_rate": float(parts[0].learning_rate)}
    return {f"learning_rate_{part.name}": float(part.learning_rate) for part in parts}
