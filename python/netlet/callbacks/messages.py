"""Where callbacks say what they do."""

from __future__ import annotations

from collections.abc import Callable

#: Takes each message; a program that logs elsewhere may put its own function here.
say_to: Callable[[str], object] = print


def say(text: str) -> None:
    """Print ``text`` as a line of its own."""
    say_to(text)
