"""What the text output of models needs to know about the stream that it goes to."""

from __future__ import annotations

import os
from typing import Any

BOLD, GREEN, WHITE = "1", "32", "37"  # ANSI SGR codes
BLUE, EMERALD, CYAN = "38;5;33", "38;5;34", "38;5;45"
Segments = list[tuple[str, str]]  # (SGR code or "", text)


def rewritable(stream: Any) -> bool:
    """Whether what was written to ``stream`` can be written over: a terminal or a notebook."""
    if type(stream).__module__.startswith("ipykernel"):
        return True
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"


def coloured(stream: Any) -> bool:
    """Whether ``stream`` shows ANSI colours and the user has not asked for none (``NO_COLOR``)."""
    return rewritable(stream) and not os.environ.get("NO_COLOR")


def columns(stream: Any) -> int:
    """The width of the terminal behind ``stream``; else the variable ``COLUMNS``; else 80."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):
        width = 0
    if width <= 0:
        set_width = os.environ.get("COLUMNS", "")
        width = int(set_width) if set_width.isdecimal() else 0
    return width if width > 0 else 80


def can_encode(stream: Any, text: str) -> bool:
    """Whether the encoding of ``stream`` has every character of ``text``; a stream without an encoding has."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def length(segments: Segments) -> int:
    """Characters that ``segments`` take on the screen."""
    return sum(len(text) for _, text in segments)


def cut(segments: Segments, width: int) -> Segments:
    """``segments`` without what exceeds ``width`` characters."""
    kept: Segments = []
    for code, text in segments:
        kept.append((code, text[: max(width, 0)]))
        width -= len(text)
    return kept


def render(segments: Segments, *, colour: bool) -> str:
    """The text of ``segments``, with its ANSI codes where ``colour``."""
    if not colour:
        return "".join(text for _, text in segments)
    return "".join(f"\x1b[{code}m{text}\x1b[0m" if code and text else text for code, text in segments)
