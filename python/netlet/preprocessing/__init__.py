"""Steps that make tables ready before they reach a model. What is saved with a model is in `netlet.layers`."""

from __future__ import annotations

from netlet.preprocessing.clean_missing import CleanMissing

__all__ = ["CleanMissing"]
