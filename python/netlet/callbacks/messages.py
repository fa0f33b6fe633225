"""Where callbacks say what they do."""

from __future__ import annotations


def say(text: str) -> None:
    """Print ``text`` as a line of its own."""
    print(text, flush=True)
