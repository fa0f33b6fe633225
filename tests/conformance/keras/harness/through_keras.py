"""A check of the stand-ins themselves: the installed Keras in Netlet's place, behind our assertions, ops and backend.

What passes on Keras alone must pass here, too, so that a failure with Netlet in this place is Netlet's. Run it with
``NETLET_KERAS_REAL=standins KERAS_BACKEND=numpy``. Classes of the backend (Variable, KerasTensor) stay Keras', and so
do the functions that set or read what Keras computes with.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

OF_KERAS = (
    *("KerasTensor", "Variable", "compute_output_spec", "random"),
    *("floatx", "name_scope", "set_floatx", "set_keras_mask"),
)


def install() -> None:
    """Import Keras and put our helpers where a test file, loaded after this, finds them."""
    import keras
    import keras.src.testing
    from standins import backend, ops, saving, test_utils, testing

    real = keras.src.backend

    class Backend(ModuleType):
        def __getattr__(self, name: str) -> Any:
            return getattr(real if name in OF_KERAS or not hasattr(backend, name) else backend, name)

    def serialize(instance: Any) -> Any:
        return keras.saving.serialize_keras_object(instance)

    def deserialize(config: Any, like: Any, custom_objects: Any) -> Any:
        return keras.saving.deserialize_keras_object(config, custom_objects=custom_objects)

    saving.serialize, saving.deserialize = serialize, deserialize
    importlib.import_module("netlet").utils.clear_session = keras.utils.clear_session
    for name, module in {"backend": Backend("keras.src.backend"), "ops": ops, "testing": testing}.items():
        setattr(keras.src, name, module)
    sys.modules["keras.src.ops"], sys.modules["keras.src.testing"] = ops, testing
    sys.modules["keras.src.testing.test_utils"] = testing.test_utils = test_utils  # type: ignore[attr-defined]
