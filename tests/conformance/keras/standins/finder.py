"""The import hook: any ``keras.*`` module that the wheel has becomes a stand-in that looks its names up in Netlet.

A name asked of ``keras.src.a.b`` is, in this order: the submodule of this name if the wheel has one, one of our helpers
for that module, the name in ``netlet.a.b`` or ``netlet.a`` (of ``keras`` itself: in ``netlet``), or else a `Missing`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.suite import keras_folder

from standins.missing import Missing

#: Modules of ours that answer first, by the part after ``keras.src.``.
HELPERS = {
    "backend": "standins.backend",
    "backend.common": "standins.backend",
    "backend.common.keras_tensor": "standins.backend",
    "backend.config": "standins.backend",
    "backend.random": "standins.random",
    "backend.numpy": "standins.ops",
    "ops": "standins.ops",
    "random": "standins.random",
    "dtype_policies": "standins.dtype_policies",
    "dtype_policies.dtype_policy": "standins.dtype_policies",
    "saving": "standins.saving",
    "testing": "standins.testing",
    "testing.test_case": "standins.testing",
    "testing.test_utils": "standins.test_utils",
    "tree": "standins.tree",
    "utils": "standins.utils",
    "utils.file_utils": "standins.file_utils",
    "utils.io_utils": "standins.io_utils",
}


def _netlet_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def _netlet_places(part: str) -> list[Any]:
    """Return the Netlet modules to look in for a name of ``keras.src.<part>``, nearest first."""
    names = ["netlet", *part.split(".")] if part else ["netlet"]
    lowest = 2 if part else 1
    found = (_netlet_module(".".join(names[:depth])) for depth in range(len(names), lowest - 1, -1))
    return [module for module in found if module is not None]


class StandIn(ModuleType):
    """A module of the tests' world."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        part = self.__dict__["_part"]
        if _in_wheel(f"{part}.{name}" if part else name):
            return importlib.import_module(f"keras.src.{part}.{name}" if part else f"keras.src.{name}")
        if part in HELPERS:
            helper = importlib.import_module(HELPERS[part])
            if hasattr(helper, name):
                return getattr(helper, name)
        place = next((place for place in _netlet_places(part) if hasattr(place, name)), None)
        return Missing(f"{part}.{name}" if part else name) if place is None else getattr(place, name)


def _in_wheel(part: str) -> bool:
    folder = keras_folder()
    assert folder is not None
    place = folder / "src" / Path(*part.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


#: Modules of TensorFlow whose names a helper of ours has.
READERS = ("tensorflow.python.lib.io.tf_record", "tensorflow.core.util.event_pb2", "tensorflow.compat.v1")


class Absent(ModuleType):
    """A package that Keras' tests may use and ours may not: it imports, and each name in it is a `Missing`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" in READERS:
            return importlib.import_module(f"{self.__name__}.{name}")
        if self.__name__ in READERS:
            helper = importlib.import_module("standins.tensorflow_events")
            if hasattr(helper, name):
                return getattr(helper, name)
        return Missing(f"{self.__name__}.{name}")


class AbsentFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Serves the other frameworks as `Absent`, installed or not: outcomes must not depend on that."""

    PACKAGES = ("jax", "orbax", "tensorflow", "torch")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in self.PACKAGES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``keras`` and every ``keras.*`` that is a module in the wheel, before the wheel itself is found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras" and not fullname.startswith("keras."):
            return None
        part = fullname.removeprefix("keras").removeprefix(".src").removeprefix(".")
        if part and not _in_wheel(part):
            raise ModuleNotFoundError(f"Keras has no module {fullname}", name=fullname)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = StandIn(spec.name)
        module.__dict__["_part"] = spec.name.removeprefix("keras").removeprefix(".src").removeprefix(".")
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass
