"""Runnable examples: ``python -m netlet.examples.<name>``; each of them checks its own result."""

from __future__ import annotations

__all__ = ["EXAMPLES"]

#: Name and purpose of each example.
EXAMPLES = {
    "breast_cancer": "diagnose tumours: ROC curve, calibration, and what a threshold costs",
    "diabetes": "tabular regression with cross-validation and early stopping, against a linear model",
    "digits": "classify handwritten digits: train, evaluate, plot, save and load",
    "linear_regression": "a line through noisy points, compared with least squares",
    "recommender": "ratings from learned vectors of users and items: a graph with embeddings",
    "relu_gradients": "a small ReLU network's gradients against the chain rule by hand",
    "transfer": "layers of one task frozen, then fine-tuned for another with few labels",
    "tuning": "grid and random search for a classifier's settings, by cross-validation",
}
