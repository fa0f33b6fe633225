"""Runnable examples: ``python -m netlet.examples.<name>``; each of them checks its own result."""

from __future__ import annotations

__all__ = ["EXAMPLES"]

#: Name and purpose of each example.
EXAMPLES = {
    "digits": "classify handwritten digits: train, evaluate, plot, save and load",
    "linear_regression": "a line through noisy points, compared with least squares",
    "relu_gradients": "a small ReLU network's gradients against the chain rule by hand",
}
