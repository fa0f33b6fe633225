"""What the tests of Keras' files share: a small model, and a way to write a file that is wrong in one place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netlet import Sequential, load_model
from netlet.layers import Dense, Dropout
from netlet.models.keras_files import archive


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A ``.keras`` file of a 4-3-2 model."""
    path = tmp_path / "small.keras"
    Sequential([Dense(3, "relu", input_shape=(4,), name="a"), Dropout(0.5), Dense(2, name="b")]).save(path)
    return path


@pytest.fixture
def remake(small: Path) -> Callable[..., Path]:
    """A function that writes the small model's file again with its config changed, or other weights."""

    def make(change: Callable[[dict[str, Any]], object] | None = None, weights: bytes | None = None) -> Path:
        config, data = archive.read(str(small), (archive.CONFIG, archive.WEIGHTS))
        entry = json.loads(config)
        if change is not None:
            change(entry)
        members = {archive.METADATA: b"{}", archive.CONFIG: json.dumps(entry).encode()}
        path = small.with_name("remade.keras")
        path.write_bytes(archive.write({**members, archive.WEIGHTS: data if weights is None else weights}))
        return path

    return make


@pytest.fixture
def loads(remake: Callable[..., Path]) -> Callable[..., Any]:
    """A function that loads the small model with the config of its first Dense layer changed."""

    def load(change: Callable[[dict[str, Any]], object], **arguments: Any) -> Any:
        return load_model(remake(lambda entry: change(entry["config"]["layers"][1])), **arguments)

    return load
