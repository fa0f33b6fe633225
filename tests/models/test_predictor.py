"""The predictor: the bits of ``predict``, frozen, for rows and batches, from any thread, and no call that harms."""

from __future__ import annotations

import copy
import gc
import itertools
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, NotBuiltError, Sequential
from netlet.backends import Predictor, available_backends, target_reason
from netlet.callbacks import Callback
from netlet.layers import Dense, Flatten, Reshape
from netlet.optimizers import SGD

ISAS = [f"native:{isa}" for isa in ("baseline", "avx2", "avx512", "neon") if target_reason(f"native:{isa}") is None]
TARGETS = [*ISAS, *(name for name in available_backends() if name != "native")]
needs_native = pytest.mark.skipif(not ISAS, reason=f"native: {target_reason('native')}")
NETWORKS = ((2, 3, 1), (6, 8, 4), (64, 64, 64, 10), (63, 65, 7), (300, 301, 10))


def network(widths: tuple[int, ...] = (6, 8, 4), dtype: str = "float32") -> Sequential:
    """relu layers with a softmax on top."""
    hidden = [Dense(n, "relu") for n in widths[1:-1]]
    return Sequential([Input((widths[0],)), *hidden, Dense(widths[-1], "softmax")], dtype=dtype)


def data(rows: int, *shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(8).standard_normal((rows, *shape)).astype(dtype)


# What it returns


@pytest.mark.parametrize("widths", NETWORKS, ids=lambda w: "-".join(map(str, w)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_it_has_the_bits_of_predict(
    target: str, dtype: str, widths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETLET_BACKEND", target)
    model = network(widths, dtype)
    predictor = model.predictor()
    x = data(41, widths[0], dtype=dtype)
    for rows in range(1, 41):
        got, want = predictor(x[:rows]), model.predict(x[:rows])
        assert (got.shape, got.dtype, got.tobytes()) == (want.shape, want.dtype, want.tobytes()), rows
    for row in x:
        got, want = predictor(row), model.predict(row[np.newaxis])[0]
        assert (got.shape, got.dtype, got.tobytes()) == (want.shape, want.dtype, want.tobytes())


@needs_native
def test_a_large_batch_over_threads_has_the_bits_of_its_rows() -> None:
    predictor = network((64, 64, 64, 10)).predictor()
    x = data(3000, 64)
    assert predictor(x).tobytes() == b"".join(predictor(row).tobytes() for row in x)


def test_the_compiled_model_is_what_is_frozen(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0)
    assert model.predictor()(x).tobytes() == model.predict(x).tobytes()


@pytest.mark.parametrize(
    ("layers", "row", "result"),
    [
        ([Input((4, 3)), Dense(5, "tanh")], (4, 3), (4, 5)),
        ([Input((4, 3)), Flatten(), Dense(2)], (4, 3), (2,)),
        ([Input((6,)), Dense(6), Reshape((2, 3))], (6,), (2, 3)),
        ([Input((2, 3)), Flatten()], (2, 3), (6,)),
        ([Input((1,)), Dense(1)], (1,), (1,)),
    ],
    ids=["dense over steps", "flatten", "reshape", "no arithmetic", "one number"],
)
def test_rows_may_have_any_rank(backend: str, layers: list[Any], row: tuple[int, ...], result: tuple[int, ...]) -> None:
    model = Sequential(layers)
    predictor = model.predictor()
    assert (predictor.input_shape, predictor.output_shape, predictor.dtype) == (row, result, np.float32)
    x = data(5, *row)
    want = model.predict(x)
    assert predictor(x).tobytes() == want.tobytes() and want.shape == (5, *result)
    assert predictor(x[:1]).shape == (1, *result)
    assert predictor(x[2]).tobytes() == model.predict(x[2:3]).tobytes() and predictor(x[2]).shape == result
    out = np.zeros((5, *result), np.float32)
    assert predictor(x, out=out) is out and out.tobytes() == want.tobytes()
    assert predictor(x[2], out=out[3]).tobytes() == out[3].tobytes() == predictor(x[2]).tobytes()


def test_what_serves_is_the_backend_of_the_model(backend: str) -> None:
    predictor = network().predictor()
    assert type(predictor).__module__ == ("netlet._predictor" if backend == "native" else "netlet.backends.predictor")
    assert isinstance(predictor, Predictor)
    assert repr(predictor) == "<Predictor (6,) -> (4,), float32>"


class Foreign:
    """Something else than an array, with numbers in it."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return data(7, 6)


def _unaligned(x: np.ndarray) -> np.ndarray:
    memory = np.zeros(x.nbytes + 1, np.uint8)
    view = memory[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    assert not view.flags.aligned
    return view


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


CONVERSIONS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(map(tuple, x.tolist())) if x.ndim > 1 else tuple(x.tolist()),
    "list of rows": list,
    "float64": lambda x: x.astype("f8"),
    "float16": lambda x: x.astype("f2"),
    "int": lambda x: x.astype("i4"),
    "bool": lambda x: x > 0,
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[..., ::-1],
    "unaligned": _unaligned,
    "read-only": _read_only,
    "unpickled": lambda x: pickle.loads(pickle.dumps(x)),
    "subclass": lambda x: x.view(np.recarray),
    "masked, none of it": np.ma.masked_array,
}


@pytest.mark.parametrize("how", CONVERSIONS)
def test_whatever_predict_takes_is_converted(backend: str, how: str) -> None:
    model = network()
    predictor = model.predictor()
    x = data(7, 6)
    batch, row = CONVERSIONS[how](x), CONVERSIONS[how](x[3])
    want = model.predict(batch)
    assert predictor(batch).tobytes() == want.tobytes()
    assert predictor(row).tobytes() == model.predict(np.asarray(row)[np.newaxis]).tobytes()
    out = np.zeros_like(want)
    assert predictor(batch, out) is out and out.tobytes() == want.tobytes()


def test_other_containers_are_converted(backend: str) -> None:
    pandas = pytest.importorskip("pandas")
    model = network()
    predictor = model.predictor()
    x = data(7, 6)
    want = model.predict(x).tobytes()
    assert predictor(Foreign()).tobytes() == want
    assert predictor(pandas.DataFrame(x)).tobytes() == want
    assert predictor([x]).tobytes() == want  # as for Keras: a list of one array
    assert predictor(x[..., np.newaxis]).tobytes() == want


def test_arguments_may_be_named(backend: str) -> None:
    predictor = network().predictor()
    row = data(1, 6)[0]
    want = predictor(row)
    for call in (
        lambda out: predictor(row, out),
        lambda out: predictor(row, out=out),
        lambda out: predictor(x=row, out=out),
        lambda out: predictor(out=out, x=row),
        lambda out: predictor(*[row], **{"".join(["o", "ut"]): out}),
    ):
        out = np.zeros(4, np.float32)
        assert call(out) is out and out.tobytes() == want.tobytes()
    for named in (predictor(row, None), predictor(row, out=None), predictor(x=row)):
        assert named.tobytes() == want.tobytes()
    for wrong in (
        lambda: predictor(),
        lambda: predictor(row, None, 3),
        lambda: predictor(row, y=3),
        lambda: predictor(out=want),
        lambda: predictor(row, x=row),
        lambda: predictor(row, None, out=None),
    ):
        with pytest.raises(TypeError, match="argument"):
            wrong()


# Frozen


def test_training_does_not_reach_it(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    predictor = model.predictor()
    before = predictor(x).tobytes()
    assert before == model.predict(x).tobytes()
    model.fit(x, y, epochs=2, verbose=0)
    assert predictor(x).tobytes() == before != model.predict(x).tobytes()
    later = model.predictor()
    assert later(x).tobytes() == model.predict(x).tobytes() == model(x).tobytes()
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.pop()
    after = later(x).tobytes()
    del model
    gc.collect()
    assert (predictor(x).tobytes(), later(x).tobytes()) == (before, after)


def test_it_serves_beside_fit(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    predictor = model.predictor()
    want = predictor(x).tobytes()
    stop = threading.Event()

    def serve() -> int:
        calls = 0
        while not stop.is_set() or calls < 20:
            assert predictor(x).tobytes() == want
            assert predictor(x[5]).shape == (4,)
            calls += 1
        return calls

    with ThreadPoolExecutor(2) as pool:
        served = [pool.submit(serve) for _ in range(2)]
        model.fit(np.tile(x, (20, 1)), np.tile(y, 20), epochs=60, batch_size=8, verbose=0)
        stop.set()
        assert all(calls.result(60) >= 20 for calls in served)
    assert model.predict(x).tobytes() != want


def test_a_new_one_may_be_made_beside_fit_and_holds_whole_updates(backend: str, rows: Any) -> None:
    """One Dense on rows of ones: all weights get the same updates, so a torn copy would show.

    Each update adds 1/256 to every weight, exactly in whatever order a backend's BLAS takes its sums: the gradient of
    the mean absolute error is the sign of the error by the number of outputs.
    """
    model = Sequential([Input((256,)), Dense(256, use_bias=False, kernel_initializer="zeros")])
    model.compile(SGD(learning_rate=1.0), "mae")
    x, y = np.ones((64, 256), np.float32), np.full((64, 256), 1e4, np.float32)
    done = threading.Event()
    eye = np.eye(256, dtype=np.float32)

    def watch() -> set[float]:
        seen = set()
        while not done.is_set():
            weights = model.predictor()(eye)
            assert len(np.unique(weights)) == 1
            seen.add(256 * float(weights[0, 0]))
        return seen

    with ThreadPoolExecutor(1) as pool:
        watcher = pool.submit(watch)
        model.fit(x, y, epochs=60, batch_size=8, verbose=0)
        done.set()
        assert watcher.result(60) <= set(range(481))
    assert model.predictor()(eye)[0, 0] == 480 / 256


def test_callbacks_may_make_one(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    made = []

    class Freeze(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            made.append((self.model.predictor(), self.model.predict(x).tobytes()))

    make_classifier().fit(x, y, epochs=3, verbose=0, callbacks=[Freeze()])
    assert len({want for _, want in made}) == 3
    assert [predictor(x).tobytes() for predictor, _ in made] == [want for _, want in made]


def test_a_model_that_is_not_built_has_none(numpy_backend: None) -> None:
    model = Sequential([Dense(2, name="only")], name="late")
    with pytest.raises(NotBuiltError, match="late: the model is not built"):
        model.predictor()
    model.build((None, 3))
    assert model.predictor()(np.zeros(3)).shape == (2,)


def test_check_finite_is_kept(backend: str, rows: Any, make_classifier: Any) -> None:
    x, _ = rows
    strict, free = make_classifier(check_finite=True), make_classifier()
    free.set_weights(strict.get_weights())
    bad = x.copy()
    bad[3, 2] = np.nan
    checking = strict.predictor()
    assert checking(x).tobytes() == free.predictor()(x).tobytes()
    assert checking(x[0]).tobytes() == checking(x[:1]).tobytes()
    out = np.full((50, 4), 7, np.float32)
    for call, row in ((lambda: checking(bad, out=out), 3), (lambda: checking(bad[3], out=out[0]), 0)):
        with pytest.raises(ValueError, match=f"x: row {row} holds NaN or infinity"):
            call()
    assert (out == 7).all()
    with pytest.raises(ValueError, match="x: row 3 holds NaN"):
        strict(bad)
    assert np.isnan(free.predictor()(bad)[3]).any()
    strict.compile("sgd", "mse")  # it keeps what it was made with
    with pytest.raises(ValueError, match="x: row 0 holds NaN"):
        checking(bad[3])


def test_it_refuses_to_be_pickled_or_copied(backend: str) -> None:
    predictor = network().predictor()
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a Predictor cannot be pickled or copied: pickle the model"):
            action(predictor)


# Arguments that do not fit

X = data(5, 6)
BAD_X: dict[str, tuple[Any, type[Exception], str]] = {
    "a row too short": (X[0, :5], ValueError, "first: input has shape (5,), expected (6,) or (None, 6)"),
    "a row too long": (np.zeros(7, "f4"), ValueError, "first: input has shape (7,), expected (6,) or (None, 6)"),
    "rows too short": (X[:, :5].copy(), ValueError, "first: input has shape (5, 5), expected (6,) or (None, 6)"),
    "too many axes": (X[np.newaxis], ValueError, "first: input has shape (1, 5, 6), expected (6,) or (None, 6)"),
    "a list too long": ([0.0] * 7, ValueError, "first: input has shape (7,), expected (6,) or (None, 6)"),
    "a number": (1.5, ValueError, "first: input has shape (), expected (6,) or (None, 6)"),
    "no rows": (X[:0], ValueError, "x: has no rows"),
    "an empty list": ([], ValueError, "first: input has shape (0,), expected (6,) or (None, 6)"),
    "ragged": ([[1.0], [1.0, 2.0]], ValueError, "x: cannot be made into an array"),
    "None": (None, TypeError, "x: expected an array of numbers, got NoneType"),
    "text": ("row", TypeError, "x: expected an array of numbers, got str"),
    "a dict": ({"x": 1}, TypeError, "x: expected an array of numbers, got dict"),
    "complex": (X.astype(complex), TypeError, "x: expected real numbers, got an array of complex128"),
    "objects": (np.array([None] * 6), TypeError, "x: expected real numbers, got an array of object"),
    "masked": (np.ma.masked_array(X, X > 0), ValueError, "x: masked arrays are not supported"),
}


@pytest.mark.parametrize("case", BAD_X)
def test_an_x_that_does_not_fit_is_named_and_nothing_is_written(backend: str, case: str) -> None:
    x, error, message = BAD_X[case]
    predictor = Sequential([Dense(4, input_shape=(6,), name="first")]).predictor()
    want = predictor(X).tobytes()
    row_out, batch_out = np.full(4, 7, np.float32), np.full((5, 4), 7, np.float32)
    for out in (None, row_out, batch_out):
        with pytest.raises(error, match=re.escape(message)):
            predictor(x, out=out)
    assert (row_out == 7).all() and (batch_out == 7).all()
    assert predictor(X).tobytes() == want


def _sevens(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.full(shape, 7, dtype)


BAD_OUT: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a list": (lambda: [7.0] * 4, TypeError, "out: expected a NumPy array, got list"),
    "a number": (lambda: 7, TypeError, "out: expected a NumPy array, got int"),
    "float64": (lambda: _sevens(4, dtype="f8"), TypeError, "out: has dtype float64, expected float32"),
    "other byte order": (lambda: _sevens(4).astype(">f4"), TypeError, "out: has dtype >f4, expected float32"),
    "too short": (lambda: _sevens(3), ValueError, "out: has shape (3,), expected (4,)"),
    "too long": (lambda: _sevens(5), ValueError, "out: has shape (5,), expected (4,)"),
    "of a batch": (lambda: _sevens(1, 4), ValueError, "out: has shape (1, 4), expected (4,)"),
    "strided": (lambda: _sevens(8)[::2], ValueError, "out: has strides (8,), expected a C-contiguous array"),
    "unaligned": (lambda: _unaligned(_sevens(4)), ValueError, "out: is not aligned, expected an array that begins on"),
    "read-only": (lambda: _read_only(_sevens(4)), ValueError, "out: is read-only, expected a writable array"),
}


@pytest.mark.parametrize("case", BAD_OUT)
def test_an_out_that_does_not_fit_is_named_and_nothing_is_written(backend: str, case: str) -> None:
    make, error, message = BAD_OUT[case]
    if case == "other byte order" and sys.byteorder == "big":
        pytest.skip("this machine's own order is the other")
    predictor = network().predictor()
    for row in (X[0], X[0].tolist()):
        out = make()
        with pytest.raises(error, match=re.escape(message)):
            predictor(row, out=out)
        assert np.all(np.asarray(out) == 7)


def test_out_of_a_batch_must_have_its_rows(backend: str) -> None:
    predictor = network().predictor()
    for shape in ((4, 4), (6, 4), (5, 3), (4,), (20,), (5, 4, 1)):
        out = _sevens(*shape)
        with pytest.raises(ValueError, match=re.escape(f"out: has shape {shape}, expected (5, 4)")):
            predictor(X, out=out)
        assert (out == 7).all()


def test_out_may_be_a_memory_map(backend: str, tmp_path: Path) -> None:
    predictor = network().predictor()
    out = np.memmap(tmp_path / "out", np.float32, "w+", shape=(5, 4))
    assert predictor(X, out=out) is out
    assert out.tobytes() == predictor(X).tobytes()


def test_out_may_not_overlap_x(backend: str) -> None:
    predictor = network().predictor()
    row = X[0]
    want = predictor(row).tobytes()
    for shift in range(-3, 6):  # out [4] from 3 before x [6] to its last element
        memory = _sevens(20)
        x, out = memory[8:14], memory[8 + shift : 12 + shift]
        x[:] = row
        before = memory.tobytes()
        with pytest.raises(ValueError, match="out: overlaps x in memory"):
            predictor(x, out=out)
        assert memory.tobytes() == before
    for place in (4, 14):  # next to it
        memory = _sevens(20)
        memory[8:14] = row
        assert predictor(memory[8:14], out=memory[place : place + 4]).tobytes() == want
        assert memory[8:14].tobytes() == row.tobytes()


def test_out_may_overlap_an_x_that_is_copied(backend: str) -> None:
    predictor = network().predictor()
    memory = _sevens(12)
    memory[::2] = X[0]
    assert predictor(memory[::2], out=memory[2:6]).tobytes() == predictor(X[0]).tobytes()


# Threads, forks, memory, signals


def test_eight_threads_get_the_same_bits(backend: str) -> None:
    predictor = network((64, 64, 64, 10)).predictor()
    x = data(40, 64)
    rows = [predictor(row).tobytes() for row in x]
    batches = [predictor(x[:n]).tobytes() for n in range(1, 41)]
    want = sha256(b"".join(rows + batches)).hexdigest()
    start = threading.Barrier(8)

    def serve(_: int) -> set[str]:
        start.wait()
        out = np.empty(10, np.float32)
        seen = set()
        for _ in range(20 if backend == "native" else 2):
            digest = sha256()
            for row in x:
                digest.update(predictor(row, out=out))
            for n in range(1, 41):
                digest.update(predictor(x[:n]))
            seen.add(digest.hexdigest())
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(serve, range(8))) == {want}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_serves(backend: str) -> None:
    script = """
import os, sys
import numpy as np
sys.path.insert(0, os.path.dirname(sys.argv[1]))
from test_predictor import data, network
predictor = network((300, 301, 10)).predictor()
x = data(2000, 300)
work = lambda: predictor(x).tobytes() + predictor(x[5]).tobytes()
want = work()
for _ in range(10):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if work() == want else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("ok")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, __file__],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout == "ok\n", done.stderr


def _forms(predictor: Predictor, x: np.ndarray) -> list[Callable[[], object]]:
    """Calls of every kind, those that fail included."""
    row, one, many = x[0], np.empty(4, np.float32), np.empty((len(x), 4), np.float32)

    def refused(*args: Any, **named: Any) -> Callable[[], object]:
        def call() -> None:
            try:
                predictor(*args, **named)
            except (ValueError, TypeError):
                return
            raise AssertionError("not refused")

        return call

    return [
        lambda: predictor(row),
        lambda: predictor(x),
        lambda: predictor(row, one),
        lambda: predictor(row, out=one),
        lambda: predictor(x, out=many),
        lambda: predictor(x=row, out=one),
        lambda: predictor(row.tolist()),
        lambda: predictor(x[:, ::-1], out=many),
        refused(row[:5]),
        refused(row, out=one[:3]),
        refused(row, out=row[:4]),
        refused(row, wrong=1),
    ]


def test_calls_leave_no_memory_behind(backend: str) -> None:
    predictor = network().predictor()
    repeats = 10_000 if backend == "native" else 1000
    forms = _forms(predictor, X)
    references = [sys.getrefcount(thing) for thing in (predictor, X, predictor.dtype)]
    for call in forms:
        for _ in range(100):
            call()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for call in forms:
            for _ in range(repeats):
                call()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 8 * repeats  # half of what a leak of the smallest object, 16 bytes, in one of the forms would be
    after = [sys.getrefcount(thing) for thing in (predictor, X, predictor.dtype)]
    assert max(abs(a - b) for a, b in zip(after, references, strict=True)) < 200


@needs_native
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_neither_calls_nor_predictors_leave_memory_behind_in_cpp() -> None:
    def pages() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    model = network((64, 64, 64, 10))
    large = network((300, 301, 10))
    x, wide, out = data(40, 64), data(40, 300), np.empty(10, np.float32)

    def serve(times: int) -> None:
        predictor, beyond = model.predictor(), large.predictor()
        for _ in range(times):
            predictor(x[0], out=out)
        for n in itertools.islice(itertools.cycle(range(1, 41)), times // 100):
            predictor(x[:n])
            beyond(wide[:n])

    serve(20_000)
    for _ in range(50):
        serve(100)
    before = pages()
    serve(300_000)
    for _ in range(500):
        serve(100)
    assert pages() - before < 500  # 2 MB: a lost predictor is 35 KB or more, a lost byte a call 300 KB


def test_one_row_allocates_nothing_where_out_is_given() -> None:
    predictor = network().predictor()
    out = np.empty(4, np.float32)
    predictor(X[0], out=out)
    row = X[0]
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        predictor(row, out=out)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    if type(predictor).__module__ == "netlet._predictor":
        assert peak == 0


@needs_native
def test_ctrl_c_stops_a_long_call_and_the_predictor_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "native")
    model = Sequential([Input((8,)), Dense(2048, "relu"), Dense(2048, "relu"), Dense(1)])
    predictor = model.predictor()
    x = data(400_000, 8)  # tens of seconds' work
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        predictor(x)
    waited = time.monotonic() - sent[0]
    timer.join()
    assert waited < 1.0  # the goal is 0.1 s on an idle machine; a loaded one needs room
    assert predictor(x[0]).tobytes() == predictor(x[:1]).tobytes()


@needs_native
def test_the_extension_refuses_what_is_no_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "native")
    from netlet._predictor import Predictor as Compiled

    class Odd:
        input_shape, output_shape, dtype, check_finite, block_rows = (6,), (4,), np.dtype("f4"), True, 1
        answer: Any = None

        def __call__(self, x: Any, out: Any) -> Any:
            return self.answer

    model = network()
    model.predict(X)
    entry = model._engine.executor._executor.predictor()
    for nothing in (None, 3, object()):
        with pytest.raises(ValueError, match="PyCapsule_GetPointer"):
            Compiled(nothing, Odd())
    odd = Odd()
    predictor = Compiled(entry, odd)
    out = np.zeros((5, 4), np.float32)
    odd.answer = (X, out, "answer")
    assert predictor(None) == "answer"
    for answer in (
        (X[:4], out, out),
        (X, out[:4], out),
        (X.astype("f8"), out, out),
        (X, out.astype("f8"), out),
        (X[:, ::-1], out, out),
        (X, _read_only(out), out),
    ):
        odd.answer = answer
        with pytest.raises(ValueError, match="the adapter returned arrays that do not fit"):
            predictor(None)
    odd.answer = (None, None, None)
    with pytest.raises(TypeError, match="the adapter returned no arrays"):
        predictor(None)
    odd.input_shape, odd.check_finite = (5,), False  # type: ignore[misc]
    with pytest.raises(ValueError, match=re.escape("rows of shape (5,) -> (4,) are not the program's")):
        Compiled(entry, odd)
    with pytest.raises(TypeError):
        type("Derived", (Compiled,), {})


# model(x), the live way


def test_calling_the_model_is_live_and_has_the_bits_of_predict(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    assert model(x).tobytes() == model.predict(x).tobytes()
    for given in (x.astype("f8"), x.tolist(), x[:, ::-1], x[:1]):
        assert model(given).tobytes() == model.predict(given).tobytes()
    before = model(x).tobytes()
    model.fit(x, y, verbose=0)
    assert model(x).tobytes() == model.predict(x).tobytes() != before
    assert model(x, training=True).tobytes() == model(x).tobytes()
    for bad in (x[0], x[:0], x[:, :5]):
        with pytest.raises(ValueError):
            model(bad)
