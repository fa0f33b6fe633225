"""What an interrupted ``fit`` needs to go on bit for bit: taken from its loop, written to bytes, and put back.

One safetensors file. Tensors: the weights by their paths, the optimizer's slots as ``optimizer/<slot>/<path>``, and
the epoch's sums so far. Metadata: ``format``: ``netlet-backup``, ``version``: ``1``, and ``fit``: the rest as JSON, in
which an array is its bytes in base64.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet import random
from netlet.errors import ModelFormatError

if TYPE_CHECKING:
    from netlet.models.engine import Engine
    from netlet.models.fitting import FitLoop

FORMAT, VERSION = "netlet-backup", "1"
SUMS = "sums"
_ARRAY = "__array__"


def snapshot(loop: FitLoop) -> bytes:
    """Return everything that a later `Resumed` needs to go on from where ``loop`` is."""
    from netlet.models import safetensors
    from netlet.models.saving import SLOT_PREFIX
    from netlet.models.saving_weights import tensors_of

    model, engine = loop.model, loop.engine
    weights = tensors_of(model.weights)
    tensors = {**weights, SUMS: loop.sums}
    arena = model._arena
    for slot, flat in enumerate(engine.slots):
        tensors.update({f"{SLOT_PREFIX}/{slot}/{path}": view for path, view in arena.views(flat).items()})
    generator = random.global_generator()
    state = {
        "epoch": loop.epoch,
        "step": loop.step,
        "source": loop.source.get_state(),
        "optimizer": _optimizer_state(model.optimizer),
        "measured": _measured(engine),
        "shuffles": [model._shuffle_seed, model._shuffle_count],
        "calls": model._calls,
        "generator": [generator.seed, generator.count],
        "history": [loop.history.history, loop.history.epoch, loop.history._measured],
        "callbacks": [
            [type(callback).__name__, callback.get_state() if hasattr(callback, "get_state") else None]
            for callback in loop.callbacks.callbacks
        ],
    }
    file = io.BytesIO()
    metadata = {"format": FORMAT, "version": VERSION, "fit": json.dumps(_plain(state), separators=(",", ":"))}
    safetensors.write(file, tensors, metadata)
    return file.getvalue()


class Resumed:
    """A backup that was read and checked against a loop; nothing has changed yet.

    Args:
        loop: the call of ``fit`` that is to go on.
        data: what `snapshot` returned.

    Raises: ModelFormatError if the bytes are broken or of a model with other weights or another optimizer.
    """

    def __init__(self, loop: FitLoop, data: bytes) -> None:
        from netlet.models import safetensors
        from netlet.models.saving import SLOT_PREFIX

        tensors, metadata = safetensors.read(io.BytesIO(data), len(data))
        if metadata.get("format") != FORMAT or metadata.get("version") != VERSION:
            found = metadata.get("format"), metadata.get("version")
            raise ModelFormatError(f"backup: format is {found}, expected {(FORMAT, VERSION)}")
        try:
            self.state: dict[str, Any] = _arrays(json.loads(metadata["fit"]))
            self.epoch, self.step = int(self.state["epoch"]), int(self.state["step"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelFormatError(f"backup: fit: {type(error).__name__}: {error}") from None
        sums = tensors.pop(SUMS, None)
        if sums is None or sums.shape != loop.sums.shape:
            raise ModelFormatError("backup: it was made with other metrics than the model is compiled with")
        self.sums = sums
        prefix = f"{SLOT_PREFIX}/"
        self.slots = [array for name, array in tensors.items() if name.startswith(prefix)]
        if sum(array.size for array in self.slots) != loop.engine.slots.size:
            raise ModelFormatError("backup: it was made with another optimizer than the model is compiled with")
        self.weights = {name: array for name, array in tensors.items() if not name.startswith(prefix)}

    def apply(self, loop: FitLoop) -> None:
        """Put everything back: into the model, its optimizer, the random numbers, the data, history and callbacks.

        Raises: ModelFormatError, ValueError if weights or data are others; the weights are then as they were.
        """
        from netlet.models.saving_weights import assign_matching

        model, state = loop.model, self.state
        loop.source.set_state(state["source"], self.step)
        assign_matching(model.weights, self.weights, "backup")
        if self.slots:
            flat = np.concatenate([array.reshape(-1) for array in self.slots])
            np.copyto(loop.engine.slots, flat.reshape(loop.engine.slots.shape))
        _set_optimizer_state(model.optimizer, state["optimizer"])
        generator = random.global_generator()
        generator.seed, generator.count = state["generator"]
        model._shuffle_seed, model._shuffle_count = state["shuffles"]
        model._seed_source = generator
        model._calls = state["calls"]
        loop.epoch, loop.step = self.epoch, self.step
        np.copyto(loop.sums, self.sums)
        if self.step:
            _set_measured(loop.engine, state["measured"])
        record, epochs, measured = state["history"]
        loop.history.history.update(record)
        loop.history.epoch = epochs
        loop.history._measured.update(measured)
        left = list(state["callbacks"])
        for callback in loop.callbacks.callbacks:
            found = next((entry for entry in left if entry[0] == type(callback).__name__), None)
            if found is not None:
                left.remove(found)
                if found[1] is not None:
                    callback.set_state(found[1])

    def begin_epoch(self, loop: FitLoop) -> None:
        """Called once the callbacks have begun the first epoch: in the middle of it, what they did there is undone."""
        if self.step:
            _set_optimizer_state(loop.model.optimizer, self.state["optimizer"])
        loop.resumed = None


def _optimizer_state(optimizer: Any) -> dict[str, Any]:
    """What the optimizer keeps besides the slots."""
    return {
        "steps": optimizer._iterations,
        "learning_rate": None if callable(optimizer._learning_rate) else float(optimizer._rate),
        "numbers": [variable.value for variable in optimizer._numbers()],
    }


def _set_optimizer_state(optimizer: Any, state: dict[str, Any]) -> None:
    numbers, values = optimizer._numbers(), state.get("numbers", [])
    if [variable.shape for variable in numbers] != [np.shape(value) for value in values]:
        raise ModelFormatError("backup: it was made with another optimizer than the model is compiled with")
    for variable, value in zip(numbers, values, strict=True):
        variable.assign(value)
    optimizer._iterations = state["steps"]
    if state["learning_rate"] is not None:
        optimizer._set_learning_rate(state["learning_rate"])


def _measured(engine: Engine) -> dict[str, Any]:
    """What metrics with a state of their own, and the losses of several outputs, have seen of the epoch."""
    composite = engine.composite
    return {
        "metrics": [[np.asarray(variable) for variable in metric.variables] for metric in engine._watched],
        "losses": None if composite is None else [composite.totals, composite.rows],
    }


def _set_measured(engine: Engine, state: dict[str, Any]) -> None:
    for metric, values in zip(engine._watched, state["metrics"], strict=True):
        metric._make_state([value.shape for value in values])
        if [variable.shape for variable in metric.variables] != [value.shape for value in values]:
            raise ModelFormatError(f"backup: the state of the metric {metric.name!r} has other shapes")
        for variable, value in zip(metric.variables, values, strict=True):
            variable.assign(value)
    if engine.composite is not None:
        engine.composite.totals[:], engine.composite.rows = state["losses"]


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        import base64

        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {_ARRAY: [value.dtype.str, list(value.shape), data]}
    raise TypeError(f"BackupAndRestore cannot save {value!r}: a state holds numbers, strings, arrays, lists and dicts")


def _arrays(value: Any) -> Any:
    """The inverse of `_plain`; tuples are lists."""
    if isinstance(value, list):
        return [_arrays(entry) for entry in value]
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            import base64

            dtype, shape, data = value[_ARRAY]
            return np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(shape).copy()
        return {key: _arrays(entry) for key, entry in value.items()}
    return value
