"""What stands for a name that Netlet does not have: it can be imported and passed around, and fails when it is used.

So a test file loads whatever it imports, and each of its tests fails by itself, saying what Netlet lacks.
"""

from __future__ import annotations

from typing import Any, NoReturn


class NotInNetlet(AttributeError):
    """A test used a name that Netlet does not have."""


class Missing:
    """The place of ``path``, such as "losses.Huber", which Netlet lacks."""

    def __init__(self, path: str) -> None:
        self.__dict__["_path"] = path

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotInNetlet(f"netlet has no {self.__dict__['_path']}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self.__dict__['_path']}.{name}")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """Let a class be derived from it; its objects cannot be made."""
        return (type(f"Missing_{self.__dict__['_path'].rpartition('.')[2]}", (), {"__init__": self._fail}),)

    __call__ = __iter__ = __len__ = __bool__ = __enter__ = __getitem__ = __int__ = __float__ = __array__ = _fail

    def __setattr__(self, name: str, value: Any) -> None:
        self._fail()

    def __repr__(self) -> str:
        return f"<{self.__dict__['_path']}, which netlet has not>"
