"""`Sequential`: a model that is a stack of layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from netlet.layers import Layer, SymbolicTensor
from netlet.layers import deserialize as deserialize_layer
from netlet.layers import serialize as serialize_layer
from netlet.models.layered import LayeredModel
from netlet.models.lowering import Lowered, lower_layers
from netlet.models.stack import LayerStack
from netlet.utils.naming import auto_name, check_name


class Sequential(LayerStack):
    """A stack of layers, each one's output the next one's input.

    Args:
        layers: list of layers, the first of which may be an `Input`. A model among them stands for its layers, which it
            then shares: they keep its weights, and train or are frozen in both.
        trainable: whether training changes the weights.
        name: the model's name; numbered automatically, such as "sequential_1", if None.
        dtype: "float32" or "float64"; None for that of its layers, float32 if they name none.

    A model with a known input shape (an `Input`, or a first layer with ``input_shape=``) has its weights at once.
    Otherwise it is built by ``build`` or by the first data it sees.

    Raises: ValueError, TypeError for an invalid argument, a layer name that is taken or layers that do not fit.

    Example::

        model = Sequential([Input((64,)), Dense(32, activation="relu"), Dense(10, activation="softmax")])
        model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, epochs=5)
    """

    def __init__(
        self,
        layers: Sequence[Layer | SymbolicTensor | LayeredModel] | None = None,
        trainable: bool = True,
        name: str | None = None,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__(auto_name("sequential") if name is None else check_name(name, "Sequential"), trainable, dtype)
        if layers is not None:
            if isinstance(layers, (Layer, SymbolicTensor, str)):
                raise TypeError(f"{self.name}: layers must be a list of layers, got {layers!r}")
            for layer in layers:
                self._append(layer)
            self._rebuild()

    def _lower(self, training: bool) -> Lowered:
        row = [n for n in self.input_shape[1:] if n is not None]
        return lower_layers(self._stack, row, self.dtype, training)

    # Description

    def get_config(self) -> dict[str, Any]:
        """Return the model's layers and settings as JSON can hold them; weights and ``compile`` are not in it."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype,
            "layers": [serialize_layer(layer) for layer in self._stack],
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        presets: dict[str, dict[str, NDArray[Any]]] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Sequential:
        """Return a new model made from what `get_config` returned.

        Args:
            config: with "layers", and optionally "name", "trainable" and "dtype".
            presets: values of weights by layer and weight, for layers that are built at once; others are initialized.
            custom_objects: classes and functions of one's own by name.

        Raises: ValueError, TypeError if the config is not one of a Sequential.
        """
        if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
            raise ValueError(f"Sequential config: expected a dict with a list of 'layers', got {config!r}")
        layers = [deserialize_layer(entry, custom_objects) for entry in config["layers"]]
        if presets is not None:
            for layer in layers:
                layer.preset(presets.get(layer.name, {}))
        return cls(layers, config.get("trainable", True), config.get("name"), dtype=config.get("dtype"))

    def __reduce__(self) -> tuple[Any, ...]:
        from netlet.models.saving import from_bytes, to_bytes

        if self.built:
            return from_bytes, (to_bytes(self),)
        return _unbuilt, (self.get_config(), self.get_compile_config())

    def __repr__(self) -> str:
        return f"<Sequential name={self.name}, built={self.built}>"


def _unbuilt(config: dict[str, Any], compile_config: dict[str, Any] | None) -> Sequential:
    model = Sequential.from_config(config)
    if compile_config is not None:
        model.compile_from_config(compile_config)
    return model
