"""A layer's config in Keras' form and in Netlet's.

Netlet's layers have Keras' names and arguments, so most of a config goes over as it is. An argument that Netlet's layer
does not have is dropped where it has the value that changes nothing, and refused otherwise.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from netlet import layers
from netlet.errors import ModelFormatError, unknown_name
from netlet.layers import REGISTRY, InputLayer, Layer
from netlet.models.keras_files.objects import (
    Custom,
    decode_argument,
    decode_dtype,
    encode_argument,
    keras_object,
    refuse_code,
)

_MODULE = "keras.layers"
_MAX_SEED = 1 << 31  # Keras keeps seeds as 32-bit integers

# What Keras writes of layers and Netlet's do not take: the values with which it says nothing. () is any value.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "autocast": (True,),
    "encoding": ("utf-8",),
    "gamma_quantizer": (None,),
    "idf_weights": (None,),
    "input_length": (),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "noise_shape": (None,),
    "oov_method": (),  # of several indices for unknown tokens: see _hashes; whole numbers are taken modulo
    "optional": (False, None),
    "quantization_config": (None,),
    "ragged": (False, None),
    "renorm": (False,),
    "renorm_clipping": (),
    "renorm_momentum": (),
    "rms_scaling": (False,),
    "salt": (None,),
    "sparse": (False, None),
    "synchronized": (),  # among machines; there is one
    "vocabulary_dtype": (),
    "vocabulary_size": (),
}
# What Netlet writes of layers and Keras' do not take.
_NOT_THERE = {
    "Discretization": ("trainable",),
    "IntegerLookup": ("has_input_vocabulary",),
    "StringLookup": ("has_input_vocabulary",),
}
# Those that a constructor takes only to refuse or ignore them.
_NOT_HERE = {
    *("autocast", "lora_alpha", "lora_rank", "quantization_config"),
    *("renorm", "renorm_clipping", "renorm_momentum", "synchronized"),
}


def encode_layer(layer: Layer, dtype: str) -> dict[str, Any]:
    """Return Keras' form of a layer.

    Args:
        layer: of a model that is built.
        dtype: the model's.

    Raises: ValueError if Keras has no place for one of its arguments.
    """
    cls = type(layer)
    if isinstance(layer, InputLayer):
        config = {
            "batch_shape": list(layer.batch_shape),
            "dtype": layer.data_dtype or dtype,
            "sparse": False,
            "ragged": False,
            "name": layer.name,
            "optional": False,
        }
        return keras_object(_MODULE, "InputLayer", config)
    config = {key: encode_argument(key, value, layer.name) for key, value in layer.get_config().items()}
    if REGISTRY.objects.get(cls.__name__) is not cls:  # of the user; to be named in custom_objects
        return keras_object(cls.__module__, cls.__name__, config, cls.__name__)
    if (why := _hashes(cls.__name__, config)) is not None:
        raise ValueError(f"{layer.name}: {why}; save the model as .netlet")
    for key in _NOT_THERE.get(cls.__name__, ()):
        config.pop(key, None)
    if isinstance(seed := config.get("seed"), int):
        config["seed"] = seed % _MAX_SEED
    return keras_object(_MODULE, cls.__name__, config)


def decode_layer(entry: Any, custom: Custom) -> Layer:
    """Return the layer that Keras' form describes; it has no weights yet.

    Raises: ModelFormatError if its class or an argument is unknown, or it holds code.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
        raise ModelFormatError(f"config: expected a layer, an object with a class_name, got {_short(entry)}")
    name, config = entry["class_name"], entry.get("config")
    if not isinstance(config, Mapping):
        raise ModelFormatError(f"config: config of layer class {name!r} must be an object, got {_short(config)}")
    owner = f"layer {config.get('name')!r}"
    cls = _layer_class(name, entry.get("module"), owner, custom)
    if cls is InputLayer:
        return _input_layer(config)
    if name not in custom and (why := _hashes(name, config)) is not None:
        raise ModelFormatError(f"{owner}: {why}")
    known = _parameters(cls)
    arguments = {}
    for key, value in config.items():
        if key in known or name in custom:
            arguments[key] = decode_argument(key, value, owner, custom)
        elif key not in _NEUTRAL or (_NEUTRAL[key] and value not in _NEUTRAL[key]):
            raise ModelFormatError(f"{owner}: {name} with {key}={_short(value)} is not supported")
    made = cls.from_config(arguments)
    if not isinstance(made, Layer):
        raise ModelFormatError(f"{owner}: {name} of custom_objects made {type(made).__name__}, expected a layer")
    return made


def _layer_class(name: str, module: Any, owner: str, custom: Custom) -> Any:
    if name in custom:
        return custom[name]
    refuse_code(name, owner)
    if name in ("Functional", "Model", "Sequential"):
        raise ModelFormatError(f"{owner}: a model within a model ({name}) is not supported")
    keras = isinstance(module, str) and (module == _MODULE or module.startswith(("keras.layers.", "keras.src.layers.")))
    if not keras:
        raise ModelFormatError(
            f"{owner}: class {name!r} of module {module!r} is none of Keras' layers; name it in custom_objects"
        )
    if name not in REGISTRY.objects:
        _ = layers.Normalization  # the first use of one registers all layers of preprocessing
    if name not in REGISTRY.objects:
        raise ModelFormatError(str(unknown_name(f"layer class (of {owner})", name, REGISTRY.objects)))
    return REGISTRY.objects[name]


def _input_layer(config: Mapping[str, Any]) -> InputLayer:
    owner = f"layer {config.get('name')!r}"
    for key in ("sparse", "ragged", "optional"):
        if config.get(key):
            raise ModelFormatError(f"{owner}: an input with {key}={config[key]!r} is not supported")
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    if not isinstance(shape, list):
        raise ModelFormatError(f"{owner}: batch_shape must be a list, got {_short(shape)}")
    dtype = config.get("dtype")
    data = isinstance(dtype, str) and dtype.startswith(("int", "uint", "bool", "string"))
    return InputLayer(
        batch_shape=tuple(shape), dtype=dtype if data else decode_dtype(dtype, owner), name=config.get("name")
    )


def _hashes(name: str, config: Mapping[str, Any]) -> str | None:
    """Why a layer's numbers would be others in the other library: it hashes strings otherwise; None if they are not."""
    if name == "Hashing":
        return "Netlet's Hashing has other hashes than Keras', so its bins would be others"
    if name == "StringLookup" and (config.get("num_oov_indices") or 0) > 1:
        return "unknown strings with num_oov_indices > 1 are hashed, and Netlet's hashes are other ones than Keras'"
    if name == "IntegerLookup" and (config.get("num_oov_indices") or 0) > 1:
        method = config.get("oov_method", "floormod")
        return None if method == "floormod" else f"unknown numbers with oov_method={method!r} are not supported"
    return None


def _parameters(cls: type) -> set[str]:
    """The arguments that a layer's constructor takes, those of `Layer` included."""
    found = {"name", "trainable", "dtype", "activity_regularizer"}
    return found | set(inspect.signature(cls).parameters) - {"kwargs"} - _NOT_HERE


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
