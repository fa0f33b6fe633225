"""Choosing between models: cross-validation, search over settings, and comparison with a test of significance.

Folds may come as any iterable of (training rows, test rows); those made from a number need scikit-learn (the extra
``sklearn``), which is imported when they are made.
"""

from __future__ import annotations

from netlet.model_selection.comparison import Comparison, compare, corrected_t_test
from netlet.model_selection.folds import KFold, StratifiedKFold, make_folds
from netlet.model_selection.search import Search, Trial, search
from netlet.model_selection.validation import CrossValidation, cross_validate

__all__ = [
    "Comparison",
    "CrossValidation",
    "KFold",
    "Search",
    "StratifiedKFold",
    "Trial",
    "compare",
    "corrected_t_test",
    "cross_validate",
    "make_folds",
    "search",
]
