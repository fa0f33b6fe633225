"""Pictures: learning curves, confusion matrices, ROC curves and calibration, with matplotlib.

matplotlib (the extra ``plot``) is imported by the functions that draw, never by ``import netlet``. Every function draws
into the Axes that it is given, or into a new figure, and returns the Axes.
"""

from __future__ import annotations

from netlet.plotting.axes import new_axes
from netlet.plotting.calibration import calibration_curve, expected_calibration_error, plot_calibration
from netlet.plotting.confusion import confusion_matrix, plot_confusion_matrix
from netlet.plotting.learning import plot_learning_curve
from netlet.plotting.roc import plot_roc_curve, roc_auc, roc_curve

__all__ = [
    "calibration_curve",
    "confusion_matrix",
    "expected_calibration_error",
    "new_axes",
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_learning_curve",
    "plot_roc_curve",
    "roc_auc",
    "roc_curve",
]
