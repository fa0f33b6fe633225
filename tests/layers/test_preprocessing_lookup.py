"""IntegerLookup, StringLookup and Hashing: vocabularies, unknown tokens, and strings as a model's input."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, layers, load_model
from netlet.layers import Dense, Embedding, Flatten, Hashing, IntegerLookup, StringLookup

WORDS = np.array([["a", "b"], ["c", "a"], ["z", "z"]])


def test_the_vocabulary_is_what_is_frequent_first() -> None:
    layer = IntegerLookup()
    layer.adapt([[5, 5, 9], [9, 2, 7]])
    assert layer.get_vocabulary() == [-1, 9, 5, 7, 2]
    assert layer.get_vocabulary(include_special_tokens=False) == [9, 5, 7, 2]
    assert layer.vocabulary_size() == 5
    layer.adapt(iter([np.array([1]), np.array([1, 3])]))
    assert layer.get_vocabulary(include_special_tokens=False) == [1, 3]


def test_numbers_follow_mask_and_unknown_tokens() -> None:
    layer = StringLookup(vocabulary=["a", "b"], mask_token="", num_oov_indices=2)
    assert layer.get_vocabulary() == ["", "[UNK]", "[UNK]", "a", "b"]
    numbers = layer([["", "a", "b", "x"]])
    assert numbers.dtype == np.int64
    assert numbers[0, :3].tolist() == [0, 3, 4]
    assert numbers[0, 3] in (1, 2)
    again = StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", num_oov_indices=2)
    assert again.get_vocabulary() == layer.get_vocabulary()


def test_unknown_strings_share_all_buckets() -> None:
    layer = StringLookup(vocabulary=["a"], num_oov_indices=3)
    unknown = [f"word {i}" for i in range(60)]
    assert set(layer(unknown).tolist()) == {0, 1, 2}
    assert layer(unknown).tolist() == layer([word.encode() for word in unknown]).tolist()


def test_big_integers_are_told_apart() -> None:
    layer = IntegerLookup(vocabulary=[2**53, 2**53 + 1])
    assert layer(np.array([2**53 + 1, 2**53])).tolist() == [2, 1]
    with pytest.raises(ValueError, match=r"beyond 2\^24"):
        Sequential([Input((1,)), layer]).predict(np.zeros((1, 1)))


def test_there_and_back() -> None:
    forth = StringLookup(vocabulary=["a", "b", "c"])
    back = StringLookup(vocabulary=forth.get_vocabulary(), invert=True)
    assert back(forth(WORDS)).tolist() == [["a", "b"], ["c", "a"], ["[UNK]", "[UNK]"]]


def test_a_vocabulary_can_come_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a\nb\n", encoding="utf-8")
    layer = StringLookup(vocabulary=str(path))
    assert layer.get_vocabulary(include_special_tokens=False) == ["a", "b"]
    with pytest.raises(ValueError, match="must be a list"):
        StringLookup.from_config({**layer.get_config(), "vocabulary": str(path)})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: IntegerLookup(max_tokens=1), ValueError, "greater than 1"),
        (lambda: IntegerLookup(num_oov_indices=-1), ValueError, ">= 0"),
        (lambda: IntegerLookup(pad_to_max_tokens=True), ValueError, "needs max_tokens"),
        (lambda: IntegerLookup(invert=True, output_mode="count"), ValueError, "must be 'int' with invert"),
        (lambda: IntegerLookup(vocabulary=[]), ValueError, "is empty"),
        (lambda: IntegerLookup(vocabulary=[1, 1]), ValueError, "more than once"),
        (lambda: IntegerLookup(vocabulary=[1, 2, 3], max_tokens=3), ValueError, "max_tokens is 3"),
        (lambda: IntegerLookup(vocabulary=[1, 0], mask_token=0), ValueError, "mask token 0"),
        (lambda: IntegerLookup(vocabulary=[1, -1], invert=True), ValueError, "oov token -1"),
        (lambda: IntegerLookup(vocabulary=["a"]), TypeError, "integers as tokens"),
        (lambda: IntegerLookup(vocabulary=[1])(["a"]), TypeError, "expected integers"),
        (lambda: IntegerLookup(vocabulary=[1])([np.nan]), ValueError, "NaN"),
        (lambda: IntegerLookup(vocabulary=[1]).adapt([1]), ValueError, "a vocabulary was given"),
        (lambda: IntegerLookup(vocabulary=[1], num_oov_indices=0)([2]), ValueError, "not in the vocabulary"),
        (lambda: IntegerLookup(output_mode="count")([2]), ValueError, "no vocabulary"),
        (lambda: StringLookup(vocabulary=["a"])([None]), TypeError, "expected strings"),
        (lambda: StringLookup(encoding="latin-1"), ValueError, "utf-8"),
        (lambda: StringLookup(vocabulary=["a"], output_mode="tf"), ValueError, "output_mode"),
        (lambda: Hashing(0), ValueError, "num_bins must be a positive integer"),
        (lambda: Hashing(3, salt=-1), ValueError, "salt"),
        (lambda: Hashing(3)([[0.5, None]]), TypeError, "expected strings"),
    ],
)
def test_what_is_wrong_is_named(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_hashes_are_those_of_every_machine() -> None:
    from hashlib import blake2b

    def bin_of(text: str, key: bytes = b"") -> int:
        return int.from_bytes(blake2b(text.encode(), digest_size=8, key=key).digest(), "little") % 7

    assert Hashing(7)([["é"], ["b"]]).tolist() == [[bin_of("é")], [bin_of("b")]]
    assert Hashing(7)([[12, -3]]).tolist() == [[bin_of("12"), bin_of("-3")]]
    key = (5).to_bytes(8, "little") * 2
    assert Hashing(7, salt=5)(["b"]).tolist() == [bin_of("b", key)]
    assert Hashing(1 << 20)(["netlet"]).tolist() == [82422]  # so that models that were saved stay right


def test_the_mask_value_has_bin_0_for_itself() -> None:
    layer = Hashing(3, mask_value="")
    assert layer([""]).tolist() == [0]
    assert set(layer([f"{i}" for i in range(40)]).tolist()) == {1, 2}
    assert Hashing(4, output_mode="count")([["a", "a"]]).sum() == 2


def labels() -> np.ndarray:
    return np.array([[1.0], [0.0], [2.0]])


def models() -> list[Any]:
    lookup = StringLookup(vocabulary=["a", "b", "c"])
    x = Input((2,), dtype="string")
    return [
        Sequential([x, lookup, Embedding(4, 3), Flatten(), Dense(1)]),
        Sequential([Input((2,)), StringLookup(vocabulary=["a"], output_mode="count"), Dense(1)]),
        Model(x, Dense(1)(Flatten()(Embedding(8, 3)(Hashing(8)(x))))),
        Model(x, Dense(1)(Hashing(8, output_mode="multi_hot")(StringLookup(vocabulary=["a", "b"])(x)))),
    ]


@pytest.mark.parametrize("i", range(4))
def test_models_take_strings(i: int, tmp_path: Any) -> None:
    model = models()[i]
    model.compile("sgd", "mse")
    losses = model.fit(WORDS, labels(), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    y = model.predict(WORDS, verbose=0)
    assert (y == model.predict(WORDS.astype(object).tolist(), verbose=0)).all()
    assert (y == np.asarray(model(WORDS))).all()
    if isinstance(model, Model):
        assert (y == model.predict({model.input_names[0]: WORDS}, verbose=0)).all()
    assert model.evaluate(WORDS, labels(), verbose=0) == pytest.approx(np.mean((y - labels()) ** 2), rel=1e-5)
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert (loaded.predict(WORDS, verbose=0) == y).all()
    assert loaded.get_config() == model.get_config()
    with pytest.raises(ValueError, match="use predict"):
        model.predictor()


def test_strings_that_do_not_fit_are_named() -> None:
    model = models()[0]
    with pytest.raises(ValueError, match=r"input has shape \(1, 3\), expected \(None, 2\)"):
        model.predict([["a", "b", "c"]])
    with pytest.raises(TypeError, match="expected strings"):
        model.predict(np.array([["a", None]], object))


def test_layers_on_strings_come_first() -> None:
    with pytest.raises(ValueError, match="needs an Input first"):
        Sequential([Hashing(3), Dense(1)]).predict(WORDS)
    x = Input((2,))
    message = "must directly follow"
    with pytest.raises(ValueError, match=message):
        Sequential([x, Dense(2), Hashing(3)]).predict(np.zeros((1, 2)))
    with pytest.raises(ValueError, match=message):
        Model(x, layers.Add()([Hashing(3)(x), x])).predict(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="gives strings"):
        Sequential([x, StringLookup(vocabulary=["a"], invert=True)])


def test_an_adapted_lookup_in_a_model_can_be_adapted_again_once_loaded() -> None:
    layer = IntegerLookup()
    layer.adapt([3, 3, 4])
    config = json.loads(json.dumps(layers.serialize(layer)))
    again: Any = layers.deserialize(config)
    assert again.get_config() == layer.get_config()
    again.adapt([7])
    assert again.get_vocabulary() == [-1, 7]
    Sequential([Input((1,)), again]).predict(np.array([[7.0]]))
    with pytest.raises(ValueError, match="before the layer runs in a model"):
        again.adapt([8])


@pytest.mark.parametrize(
    "arguments",
    [
        {"vocabulary": [5, -2, 9]},
        {"vocabulary": [5, -2, 9], "num_oov_indices": 3},
        {"vocabulary": [5, -2, 9], "mask_token": 0, "num_oov_indices": 2},
        {"vocabulary": [5, 9], "mask_token": 0, "output_mode": "count"},
        {"vocabulary": [5, 9], "invert": True},
        {"vocabulary": [5, 9], "invert": True, "mask_token": 0},
    ],
    ids=str,
)
def test_an_integer_lookup_makes_the_same_alone_and_in_a_model(arguments: Any) -> None:
    x = np.array([[5, -2], [9, 0], [1, -7], [2, 3]])
    layer = IntegerLookup(**arguments)
    assert (Sequential([Input((2,)), layer]).predict(x) == layer(x)).all()
