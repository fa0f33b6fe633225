"""Recommendation: who will like what, by vectors of people and films that are learned from their ratings.

``python -m netlet.examples.recommender``. Makes a table of ratings from known tastes, with noise, of which only a part
is seen; then learns for each user and each item a vector and a bias, whose product and sum are the rating (matrix
factorization; Koren, Bell and Volinsky 2009), as a graph of Embedding, Dot and Add. Compared with the best that biases
alone can do, and with the noise, below which nothing can come.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser

Array = NDArray[Any]
USERS, ITEMS, TASTES = 300, 200, 3
SEEN = 0.25  # the share of the table that was rated
NOISE = 0.4


def make_ratings(seed: int) -> tuple[dict[str, Array], Array, Array]:
    """Who rated what, ``{"user": [N, 1], "item": [N, 1]}``, the ratings ``[N]``, about 1 to 5, and which are for tests.

    A rating is 3 + the user's and the item's bias + the product of their tastes + noise.
    """
    rng = np.random.default_rng(seed)
    user_bias, item_bias = rng.normal(0, 0.3, USERS), rng.normal(0, 0.5, ITEMS)
    user_taste, item_taste = (rng.normal(0, 1 / np.sqrt(TASTES) ** 0.5, (n, TASTES)) for n in (USERS, ITEMS))
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < SEEN)
    rating = 3 + user_bias[user] + item_bias[item] + np.sum(user_taste[user] * item_taste[item], axis=1)
    rating += rng.normal(0, NOISE, len(rating))
    test = rng.random(len(rating)) < 0.2
    return {"user": user[:, None], "item": item[:, None]}, rating.astype(np.float32), test


def make_model(mean: float, dimensions: int) -> Any:
    """A graph from a user and an item to a rating; with 0 dimensions the biases alone. Compiled."""
    from netlet import Input, Model
    from netlet.initializers import Constant, RandomNormal
    from netlet.layers import Add, Dot, Embedding, Flatten
    from netlet.optimizers import Adam
    from netlet.regularizers import L2

    user, item = Input((1,), name="user"), Input((1,), name="item")
    terms = [
        Flatten(name="user_offset")(Embedding(USERS, 1, embeddings_initializer="zeros", name="user_bias")(user)),
        Flatten(name="item_offset")(Embedding(ITEMS, 1, embeddings_initializer=Constant(mean), name="item_bias")(item)),
    ]
    if dimensions:
        vectors = [
            Flatten(name=f"{name}_vector")(
                Embedding(
                    count, dimensions, embeddings_initializer=RandomNormal(stddev=0.3), embeddings_regularizer=L2(2e-5),
                    name=f"{name}_taste",
                )(given)
            )
            for name, given, count in (("user", user, USERS), ("item", item, ITEMS))
        ]  # fmt: skip
        terms.append(Dot(1, name="match")(vectors))
    model = Model({"user": user, "item": item}, Add(name="rating")(terms), name="recommender")
    model.compile(optimizer=Adam(0.01), loss="mse")
    return model


def rmse(model: Any, x: dict[str, Array], y: Array) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2)))


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    options = parser("recommender", epochs=25).parse_args(arguments)
    choose_backend(options.backend)
    import netlet

    netlet.set_random_seed(options.seed)
    who, rating, test = make_ratings(options.seed)
    x_train, x_test = ({name: rows[chosen] for name, rows in who.items()} for chosen in (~test, test))
    y_train, y_test = rating[~test], rating[test]
    print(f"{USERS} users, {ITEMS} items, {len(y_train)} ratings to learn from, {len(y_test)} for the test\n")
    found = {}
    for name, dimensions in (("biases only", 0), ("biases and tastes", TASTES)):
        model = make_model(float(y_train.mean()), dimensions)
        if dimensions:
            model.summary()
        model.fit(x_train, y_train, epochs=options.epochs, batch_size=64, verbose=0)
        found[name] = rmse(model, x_test, y_test)
    user = 0
    unseen = np.setdiff1d(np.arange(ITEMS), who["item"][who["user"] == user])
    guesses = model.predict({"user": np.full((len(unseen), 1), user), "item": unseen[:, None]}, verbose=0)[:, 0]
    best = np.argsort(-guesses)[:5]
    print(f"\nfor user {user}: " + ", ".join(f"item {unseen[i]} ({guesses[i]:.1f})" for i in best))
    print(f"test RMSE, the mean rating for all: {float(np.std(y_test)):.3f}")
    for name, error in found.items():
        print(f"test RMSE, {name}: {error:.3f}")
    print(f"noise in the ratings: {NOISE:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
