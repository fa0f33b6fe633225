"""Every exception that Netlet raises on its own behalf, and the words in which it raises them.

All of them derive from :class:`NetletError`, and each also from the builtin that fits, so that
``except ValueError`` works for people who have never heard of Netlet. Bad arguments are plain ``ValueError`` and
``TypeError``: the message names the argument, what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "BackendUnavailableError",
    "ModelFormatError",
    "NetletError",
    "NotBuiltError",
    "NotCompiledError",
    "did_you_mean",
    "unknown_name",
]


class NetletError(Exception):
    """The base of every exception class that Netlet defines."""


class ModelFormatError(NetletError, ValueError):
    """A saved model or an encoded Program is truncated, foreign, or breaks a rule of the format."""


class NotBuiltError(NetletError, ValueError):
    """The model or layer has no weights yet: its input shape is not known."""


class NotCompiledError(NetletError, ValueError):
    """The model has no loss and optimizer yet: call ``compile`` first."""


class BackendUnavailableError(NetletError, RuntimeError):
    """The backend that was asked for cannot run here; the message says why."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Returns `` Did you mean 'relu'?`` for the nearest of ``known``, or ``""`` if none is near.

    Made to be appended to an error message: ``f"unknown activation {name!r}.{did_you_mean(name, names)}"``.
    Case, dashes and underscores do not count as differences.
    """
    if not isinstance(name, str):
        return ""
    import difflib  # only when something is wrong: importing Netlet stays light

    def plain(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "").replace(" ", "")

    candidates = {plain(k): k for k in known}
    near = difflib.get_close_matches(plain(name), list(candidates), n=1, cutoff=0.6)
    return f" Did you mean {candidates[near[0]]!r}?" if near else ""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """Returns the ValueError for a name that is not known: what it names, the nearest known name, and all of them.

    ``raise unknown_name("activation", "rleu", ACTIVATIONS)``
    """
    names = sorted(known)
    return ValueError(f"unknown {kind} {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}")
