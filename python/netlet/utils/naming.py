"""Names of objects: snake case, and automatic numbering as Keras does it.

Automatic names count per process: ``dense``, ``dense_1``, ``dense_2``. `reset_names` starts again from ``dense``.
"""

from __future__ import annotations

import re
import threading

_lock = threading.Lock()
_counts: dict[str, int] = {}


def to_snake_case(name: str) -> str:
    """Return the snake_case form of a CamelCase ``name``: ``LeakyReLU`` -> ``leaky_re_lu``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Return ``prefix`` in snake case at its first use in this process, then ``prefix_1``, ``prefix_2``, ..."""
    name = to_snake_case(prefix)
    with _lock:
        count = _counts.get(name, 0)
        _counts[name] = count + 1
    return name if count == 0 else f"{name}_{count}"


def reset_names() -> None:
    """Forget every automatic name given so far.

    Models and layers that exist keep theirs; this is `utils.clear_session`, which frees nothing else.
    """
    with _lock:
        _counts.clear()


def check_name(name: object, owner: str) -> str:
    """Return ``name`` if it is a non-empty string without a slash, else raise a ValueError that names ``owner``."""
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"{owner}: name must be a non-empty string without '/', got {name!r}")
    return name
