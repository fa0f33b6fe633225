"""``keras.utils.io_utils``: where Keras says what it does. With interactive logging off it says it to absl's log."""

from __future__ import annotations

from absl import logging

from netlet.callbacks import messages


def set_logging_verbosity(level: str | int) -> None:
    logging.set_verbosity({"FATAL": -3, "ERROR": -2, "WARNING": -1, "INFO": 0, "DEBUG": 1}.get(level, level))  # type: ignore[call-overload]


def enable_interactive_logging() -> None:
    """Let callbacks print what they do, as they do by themselves."""
    messages.say_to = print


def disable_interactive_logging() -> None:
    """Let callbacks log what they do."""
    messages.say_to = logging.info
