"""Who takes part: each library at its default setting and at its best, with the threads it is given, as data."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import Peer

# What libraries read their thread counts from. Cleared for everyone, so that a default is the library's own.
THREAD_VARIABLES = (
    "NETLET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip
# Cleared, too: what would keep OpenBLAS from the kernels that it has for this processor.
OPENBLAS_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")

KINDS = ("training", "inference", "product")


@dataclass(frozen=True)
class Contestant:
    """One entry of the tables.

    Args:
        name: ``library`` for its default setting, ``library-setting`` for another.
        peer: the module in ``benchmarks.peers`` that runs it.
        setting: what is set, in words, for the tables.
        threads: a number, or None for the library's default.
        cores: how many cores its process may use, for libraries that size their pool by that; None for all.
        settings: given to the peer module's functions.
        environment: set in its process before Python starts.
        kinds: of the cases that it takes part in.
        isa: the instruction set that it is held to; it takes part in the products that compare these.
        bound: not a library but a limit: what the processor could do at best. It gives no answer.
        sweep: its line is in the plots of how cost grows.
        scaling: takes part only where the number of threads is what is looked at.
        smoke: part of the one-minute run: one entry a library, and none that takes seconds to start.
    """

    name: str
    peer: str
    setting: str
    threads: int | None = None
    cores: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = KINDS
    isa: str | None = None
    bound: bool = False
    sweep: bool = False
    scaling: bool = False
    smoke: bool = False

    @property
    def library(self) -> str:
        """The first part of its name; for Keras, that of all its backends."""
        return self.name.partition("-")[0]

    @property
    def is_netlet(self) -> bool:
        return self.library == "netlet"

    def variables(self) -> dict[str, str]:
        """The environment variables of its process, besides those inherited."""
        threads = dict.fromkeys(THREAD_VARIABLES, str(self.threads)) if self.threads else {}
        return {**threads, **self.environment}

    def module(self) -> Peer:
        """Its peer module; this imports nothing of the library that it benchmarks."""
        module: Any = import_module(f"benchmarks.peers.{self.peer}")
        return module  # type: ignore[no-any-return]

    def takes_part(self, case: Case) -> bool:
        """Whether this entry belongs into the case's table and its library can express the case at all."""
        if case.kind not in self.kinds or (case.sweep and not self.sweep) or (self.scaling and not case.scaling):
            return False
        by_isa = case.kind == "product" and case.isas
        # PyTorch has no instruction set to choose: its own choice stands beside all of them.
        if (self.isa is not None) != by_isa and not (by_isa and self.library == "torch"):
            return False
        if self.peer == "fma_peak":
            return self.isa is not None or any(goal.peak is not None for goal in case.goals)
        return self.module().unsupported(case) is None

    def __str__(self) -> str:
        return self.name


def _netlet(name: str, target: str, setting: str, threads: int | None = None, **more: Any) -> Contestant:
    environment = {"NETLET_BACKEND": target, **more.pop("environment", {})}
    settings = {"target": target, **more.pop("settings", {})}
    return Contestant(name, "netlet_model", setting, threads, settings=settings, environment=environment, **more)


def _keras(name: str, backend: str, setting: str, **settings: Any) -> Contestant:
    environment = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}
    kinds = ("training", "inference")
    settings = {"backend": backend, **settings}
    return Contestant(name, "keras_model", setting, settings=settings, environment=environment, kinds=kinds)


# Netlet's instruction sets and the OpenBLAS kernels for the same ones.
ISAS = {"avx512": "SkylakeX", "avx2": "Haswell", "baseline": "Nehalem"}


def _by_isa() -> Iterator[Contestant]:
    """Netlet and OpenBLAS on each instruction set, with all threads and with one, and the bound of one."""
    for isa, core in ISAS.items():
        for threads in (None, 1):
            end, words = ("-1", "; one thread") if threads else ("", "")
            common: dict[str, Any] = {"threads": threads, "kinds": ("product",), "isa": isa}
            yield _netlet(
                f"netlet-{isa}{end}", f"native:{isa}", f"C++ backend, NETLET_ISA={isa}{words}",
                environment={"NETLET_BACKEND": "native", "NETLET_ISA": isa}, **common,
            )  # fmt: skip
            yield Contestant(
                f"numpy-{isa}{end}", "numpy_loop", f"matmul, OPENBLAS_CORETYPE={core}{words}",
                settings={"core": core}, environment={"OPENBLAS_CORETYPE": core}, **common,
            )  # fmt: skip
            if threads == 1:
                yield _peak(f"peak-{isa}-1", words, **common)


def _peak(name: str, words: str = "", isa: str | None = None, **more: Any) -> Contestant:
    setting = f"multiply-adds in registers, {isa or 'the widest'}{words}"
    return Contestant(name, "fma_peak", setting, settings={"isa": isa}, isa=isa, bound=True, **more)


def _by_threads() -> Iterator[Contestant]:
    """Entries for 2, 4, 8, ... threads, below all cores: those with one thread and with all are there anyway."""
    threads, cores = 2, len(os.sched_getaffinity(0))
    while threads < cores:
        words, common = f"{threads} threads", {"scaling": True, "kinds": ("training", "inference")}
        yield _netlet(f"netlet-{threads}", "native", f"C++ backend; {words}", threads, **common)
        yield Contestant(f"numpy-{threads}", "numpy_loop", f"by hand, in place; {words}", threads, **common)
        yield Contestant(f"torch-{threads}", "pytorch", f"eager; {words}", threads, **common)
        yield Contestant(
            f"jax-{threads}", "jax_scan", f"jit, a scan of the epoch; {threads} cores", None, threads, **common
        )
        settings = {"threads": threads}
        yield Contestant(f"onnxruntime-{threads}", "onnx_runtime", words, threads, settings=settings, **common)
        threads *= 2


ALL: tuple[Contestant, ...] = (
    _netlet("netlet", "native", "C++ backend, defaults", sweep=True, smoke=True),
    _netlet("netlet-1", "native", "C++ backend; one thread", 1),
    _netlet(
        "netlet-predictor",
        "native",
        "C++ backend, model.predictor()",
        settings={"predictor": True},
        kinds=("inference",),
        sweep=True,
        smoke=True,
    ),
    _netlet("netlet-numba", "numba", "Numba backend, defaults", kinds=("training", "inference"), smoke=True),
    _netlet("netlet-numpy", "numpy", "NumPy backend, defaults", kinds=("training", "inference"), smoke=True),
    Contestant("numpy", "numpy_loop", "by hand, in place", sweep=True, smoke=True),
    Contestant("numpy-1", "numpy_loop", "by hand, in place; one thread", 1),
    Contestant("torch", "pytorch", "eager, defaults", sweep=True, smoke=True),
    Contestant("torch-1", "pytorch", "eager; one thread", 1),
    Contestant(
        "torch-fused-1", "pytorch", "eager, fused SGD; one thread", 1, settings={"fused": True}, kinds=("training",)
    ),
    Contestant(
        "torch-compile",
        "pytorch",
        "torch.compile, fused SGD, frozen for inference",
        settings={"compile": True, "fused": True},
        environment={"TORCHINDUCTOR_FREEZING": "1"},
        kinds=("training", "inference"),
    ),
    Contestant(
        "torch-compile-1",
        "pytorch",
        "torch.compile, fused SGD, frozen for inference; one thread",
        1,
        settings={"compile": True, "fused": True},
        environment={"TORCHINDUCTOR_FREEZING": "1"},
        kinds=("training", "inference"),
    ),
    Contestant(
        "torch-script-1",
        "pytorch",
        "traced, optimize_for_inference; one thread",
        1,
        settings={"script": True},
        kinds=("inference",),
    ),
    Contestant("sklearn", "sklearn_mlp", "MLP, defaults", smoke=True),
    Contestant("sklearn-1", "sklearn_mlp", "MLP; one thread", 1),
    Contestant("jax", "jax_scan", "jit, a scan of the epoch", sweep=True, smoke=True),
    Contestant("jax-1", "jax_scan", "jit, a scan of the epoch; one core", cores=1),
    Contestant("jax-best", "jax_scan", "one scan of all epochs; weights compiled in", settings={"best": True}),
    _keras("keras-tensorflow", "tensorflow", "fit and predict, defaults"),
    _keras("keras-tensorflow-best", "tensorflow", "an epoch per execution, XLA; predict_on_batch", best=True),
    _keras("keras-jax", "jax", "fit and predict, defaults"),
    _keras("keras-jax-best", "jax", "an epoch per execution; predict_on_batch", best=True),
    _keras("keras-torch", "torch", "fit and predict, defaults"),
    Contestant("onnxruntime", "onnx_runtime", "defaults", sweep=True, smoke=True),
    Contestant("onnxruntime-1", "onnx_runtime", "one thread", 1, settings={"threads": 1}),
    Contestant(
        "onnxruntime-binding-1",
        "onnx_runtime",
        "bound buffers, copied into and out of; one thread",
        1,
        settings={"threads": 1, "binding": True},
    ),
    _peak("peak"),
    Contestant(
        "reading",
        "weight_read",
        "reads the weights once; one thread",
        1,
        settings={"isa": None},
        kinds=("inference",),
        bound=True,
    ),
    *_by_threads(),
    *_by_isa(),
)


CONTESTANTS: dict[str, Contestant] = {contestant.name: contestant for contestant in ALL}

# Each peer as it comes, without a setting of its own; of Keras, each backend.
DEFAULTS = frozenset(
    peer.name
    for peer in ALL
    if peer.name in (peer.library, f"keras-{peer.settings.get('backend')}") and not (peer.is_netlet or peer.bound)
)


def chosen(names: list[str] | None) -> list[Contestant]:
    """Netlet's entries, the bounds and the peers named, each by its own name or by the library's; all if None.

    Raises: ValueError for a name that is nobody's.
    """
    if names is None:
        return list(ALL)

    def matches(contestant: Contestant, name: str) -> bool:
        return contestant.name == name or contestant.name.startswith(f"{name}-")

    for name in names:
        if not any(matches(contestant, name) for contestant in ALL):
            raise ValueError(f"no contestant is called {name!r}; expected one of {', '.join(CONTESTANTS)}")
    return [c for c in ALL if c.is_netlet or c.bound or any(matches(c, name) for name in names)]


# Another Netlet, such as one before a change, beside this one: entries of runs that are told where it is.
BEFORE = tuple(
    replace(
        CONTESTANTS[name],
        name=name.replace("netlet", "netlet-before"),
        setting=f"{CONTESTANTS[name].setting}; of --against",
        sweep=False,
        smoke=False,
    )
    for name in ("netlet", "netlet-1", "netlet-predictor")
)


def before(path: Path) -> list[Contestant]:
    """The entries of the Netlet whose package lies in the folder ``path``. Raises: ValueError if there is none."""
    if not (path / "netlet" / "__init__.py").exists():
        raise ValueError(f"{path} has no package netlet: expected the folder in which Python finds another Netlet")
    found = {"PYTHONPATH": str(path.resolve())}
    return [replace(contestant, environment={**contestant.environment, **found}) for contestant in BEFORE]
