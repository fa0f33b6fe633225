"""The random stream: known answers, the counter's layout, and what is made of it."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

from netlet import random

# The known-answer vectors that Random123 publishes for philox4x32-10: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]

SEED = 0x0123456789ABCDEF


@pytest.fixture(params=["numpy", "native"])
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test that asks for it runs on the NumPy and on the compiled implementation."""
    if request.param == "native":
        pytest.importorskip("netlet._native", reason="the compiled extension is not installed")
        assert random._native() is not None
    else:
        monkeypatch.setattr(random, "_native", lambda: None)
    return request.param


@pytest.mark.parametrize(("counter", "key", "want"), KNOWN)
def test_words_are_the_published_ones(stream: str, counter: tuple, key: tuple, want: tuple) -> None:
    # c0 and the low half of c1 are the block, the high half of c1 the purpose, c2 and c3 the step
    block = counter[0] | (counter[1] & 0xFFFF) << 32
    step = counter[2] | counter[3] << 32
    words = random.philox_words(key[0] | key[1] << 32, counter[1] >> 16, step, 4 * block, 4)
    assert words.dtype == np.uint32
    assert tuple(words.tolist()) == want


@pytest.mark.parametrize(("first", "count"), [(0, 0), (5, 0), (0, 1), (3, 1), (1, 2), (2, 9), (7, 64), (2**34, 3)])
def test_any_part_of_the_stream_can_be_had_alone(stream: str, first: int, count: int) -> None:
    start = first - first % 4
    whole = random.philox_words(SEED, 3, 2**40 + 1, start, 128)
    np.testing.assert_array_equal(
        random.philox_words(SEED, 3, 2**40 + 1, first, count), whole[first - start : first - start + count]
    )


def test_streams_of_another_seed_purpose_or_step_differ(stream: str) -> None:
    streams = {
        random.philox_words(seed, purpose, step, 0, 4).tobytes()
        for seed in (0, 1, 2**32, 2**63)
        for purpose in range(5)
        for step in (0, 1, 2**32)
    }
    assert len(streams) == 4 * 5 * 3


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1000, 65537])
def test_a_permutation_is_one(stream: str, n: int) -> None:
    order = random.permutation(SEED, 7, n)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_a_permutation_is_that_of_the_definition(stream: str) -> None:
    """Durstenfeld's shuffle with exact integers."""
    n, epoch = 257, 2**33 + 5
    words = random.philox_words(SEED, random.SHUFFLE, epoch, 0, 2 * n).tolist()
    want = list(range(n))
    for i in range(n - 1, 0, -1):
        j = ((words[2 * i] | words[2 * i + 1] << 32) * (i + 1)) >> 64
        want[i], want[j] = want[j], want[i]
    assert random.permutation(SEED, epoch, n).tolist() == want


def test_permutations_are_known_forever(stream: str) -> None:
    """Saved runs resume with these; they may never change."""
    assert random.permutation(0, 0, 10).tolist() == KNOWN_PERMUTATIONS[0]
    assert random.permutation(1, 0, 10).tolist() == KNOWN_PERMUTATIONS[1]


KNOWN_PERMUTATIONS = [[7, 8, 4, 0, 5, 1, 2, 3, 6, 9], [6, 1, 3, 4, 2, 9, 7, 0, 5, 8]]


def test_every_place_is_equally_likely(stream: str) -> None:
    """Chi-squared over where element 0 lands; 15 degrees of freedom, 44.3 is exceeded once in 10,000 streams."""
    counts = np.zeros(16)
    for epoch in range(1600):
        counts[np.flatnonzero(random.permutation(3, epoch, 16) == 0)[0]] += 1
    assert ((counts - 100) ** 2 / 100).sum() < 44.3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers_fill_their_interval(dtype: str) -> None:
    numbers = random.uniform(1, 2, (100, 1000), low=-2.0, high=3.0, dtype=dtype)
    assert numbers.dtype == dtype and numbers.shape == (100, 1000)
    assert -2 <= numbers.min() < -1.99 and 2.99 < numbers.max() < 3
    # the mean's standard deviation is 5 / sqrt(12 * 1e5) = 0.0046
    assert abs(numbers.mean() - 0.5) < 5 * 0.0046
    assert len(np.unique(numbers)) > 0.99 * numbers.size


def test_uniform_numbers_have_the_bits_of_their_words() -> None:
    words = random.philox_words(9, random.INITIALIZE, 4, 0, 8).tolist()
    assert random.uniform(9, 4, 8).tolist() == [(w >> 8) * 2.0**-24 for w in words]
    pairs = zip(words[0::2], words[1::2], strict=True)
    want = [((a >> 5) * 2**26 + (b >> 6)) * 2.0**-53 for a, b in pairs]
    assert random.uniform(9, 4, 4, dtype="float64").tolist() == want


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers_have_their_moments(dtype: str) -> None:
    numbers = random.normal(1, 2, 100_000, mean=1.0, stddev=2.0, dtype=dtype).astype(np.float64)
    z = (numbers - 1) / 2
    # standard deviations of the moments' estimates: 1, 1.4, 3.9 and 9.8 over sqrt(n)
    for power, want, spread in ((1, 0, 1.0), (2, 1, 1.42), (3, 0, 3.9), (4, 3, 9.8)):
        assert abs((z**power).mean() - want) < 5 * spread / np.sqrt(100_000)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normal_numbers_stay_within_two_deviations(dtype: str) -> None:
    numbers = random.truncated_normal(5, 1, (50_000,), mean=-1.0, stddev=0.5, dtype=dtype).astype(np.float64)
    assert numbers.dtype == np.float64 and np.abs(numbers + 1).max() <= 1.0 + 1e-6
    # of a normal distribution cut at 2: standard deviation 0.8796
    assert numbers.std() == pytest.approx(0.5 * 0.8796, rel=0.02)
    assert abs(numbers.mean() + 1) < 5 * 0.44 / np.sqrt(50_000)
    plain = random.normal(5, 1, (50_000,), dtype=dtype)
    kept = np.abs(plain) <= 1.9
    np.testing.assert_allclose(numbers[kept], -1 + 0.5 * plain[kept], rtol=1e-6)


@pytest.mark.parametrize("draw", [random.uniform, random.normal, random.truncated_normal])
def test_draws_of_one_step_are_equal_and_of_another_not(draw) -> None:
    np.testing.assert_array_equal(draw(3, 1, (4, 5)), draw(3, 1, (4, 5)))
    assert not np.array_equal(draw(3, 1, (4, 5)), draw(3, 2, (4, 5)))
    assert not np.array_equal(draw(3, 1, (4, 5)), draw(4, 1, (4, 5)))
    assert draw(3, 1, ()).shape == () and draw(3, 1, (0, 3)).shape == (0, 3) and draw(3, 1, 2).shape == (2,)


def test_seeds_repeat_after_set_random_seed() -> None:
    random.set_random_seed(12)
    first = [random.next_seed() for _ in range(4)]
    assert len(set(first)) == 4 and all(0 <= seed < 2**64 for seed in first)
    random.set_random_seed(12)
    assert [random.next_seed() for _ in range(4)] == first
    random.set_random_seed(13)
    assert random.next_seed() != first[0]


def test_a_generator_continues_from_its_count() -> None:
    generator = random.SeedGenerator(5)
    seeds = [generator.next() for _ in range(6)]
    resumed = random.SeedGenerator(5)
    resumed.count = 4
    assert [resumed.next(), resumed.next()] == seeds[4:]
    assert repr(resumed) == "SeedGenerator(seed=5, count=6)"
    assert random.SeedGenerator().next() != random.SeedGenerator().next()


def test_threads_get_different_seeds() -> None:
    generator = random.SeedGenerator(5)
    seeds: list[int] = []
    threads = [threading.Thread(target=lambda: seeds.extend([generator.next() for _ in range(200)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seeds)) == 800 and generator.count == 800


def test_processes_that_set_no_seed_differ() -> None:
    code = "from netlet import random; print(random.next_seed())"
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: random.philox_words(-1, 0, 0, 0, 1), ValueError, "seed: expected an integer from 0 to"),
        (lambda: random.philox_words(2**64, 0, 0, 0, 1), ValueError, "seed"),
        (lambda: random.philox_words(0, 2**16, 0, 0, 1), ValueError, "purpose: expected .* to 65535, got 65536"),
        (lambda: random.philox_words(0, 0, -1, 0, 1), ValueError, "step"),
        (lambda: random.philox_words(0, 0, 0, 2**50, 1), ValueError, "first"),
        (lambda: random.philox_words(0, 0, 0, 0, -1), ValueError, "count"),
        (lambda: random.philox_words(0.5, 0, 0, 0, 1), TypeError, "seed: expected an integer, got 0.5"),
        (lambda: random.philox_words(True, 0, 0, 0, 1), TypeError, "seed: expected an integer, got True"),
        (lambda: random.permutation(0, 0, -1), ValueError, "n: expected an integer from 0"),
        (lambda: random.permutation(0, 0, 2**32), ValueError, "n: expected an integer from 0"),
        (lambda: random.permutation(0, "1", 4), TypeError, "epoch: expected an integer, got '1'"),
        (lambda: random.uniform(0, 0, (-1,)), ValueError, "shape"),
        (lambda: random.normal(0, 0, (2.5,)), TypeError, "shape"),
        (lambda: random.normal(0, 0, 2, dtype="float16"), ValueError, "dtype: expected one of float32, float64"),
        (lambda: random.set_random_seed("1"), TypeError, "seed"),
        (lambda: random.set_random_seed(-1), ValueError, "seed"),
    ],
)
def test_bad_arguments_are_named(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
