"""Helpers under the names that Keras gives them: ``to_categorical``, ``normalize``, ``set_random_seed``."""

from __future__ import annotations

from netlet.utils.naming import reset_names as clear_session
from netlet.utils.numerical import normalize, to_categorical
from netlet.utils.random_seed import set_random_seed

__all__ = ["clear_session", "normalize", "set_random_seed", "to_categorical"]
