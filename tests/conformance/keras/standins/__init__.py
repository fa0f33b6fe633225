"""Modules named ``keras`` and ``keras.src.*`` that forward to Netlet, so that tests written for Keras run against it.

`install` puts them in place for the rest of the process, which must not import the real Keras before or after.
"""

from __future__ import annotations

import sys
from types import ModuleType


def install() -> None:
    """Serve ``keras``, every ``keras.*`` and the ``conftest`` that some tests import."""
    import ml_dtypes  # noqa: F401 - teaches NumPy the name bfloat16, which Keras' users always have
    from harness.suite import keras_folder

    from standins.finder import AbsentFinder, Finder

    if "keras" in sys.modules:
        raise RuntimeError("keras is imported already: the stand-ins need a process of their own")
    keras_folder()  # found while the name still leads to the wheel; kept
    sys.meta_path[:0] = [Finder(), AbsentFinder()]
    install_conftest()


def install_conftest() -> None:
    """Serve ``from conftest import skip_if_backend``: the wheel does not carry Keras' conftest.py."""
    module = ModuleType("conftest")

    def skip_if_backend(name: str, reason: str):  # type: ignore[no-untyped-def]
        import unittest

        from keras.src import backend

        return unittest.skipIf(backend.backend() == name, reason)

    module.skip_if_backend = skip_if_backend  # type: ignore[attr-defined]
    sys.modules["conftest"] = module
