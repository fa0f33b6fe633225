"""Who takes part: each library at its default setting and at its best, with the threads it is given, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import Peer

# What libraries read their thread counts from. Cleared for everyone, so that a default is the library's own.
THREAD_VARIABLES = (
    "NETLET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


@dataclass(frozen=True)
class Contestant:
    """One entry of the tables.

    Args:
        name: ``library`` for its default setting, ``library-setting`` for another.
        peer: the module in ``benchmarks.peers`` that runs it.
        setting: what is set, in words, for the tables.
        threads: 1, or None for the library's default.
        one_core: whether its process may use one core only: for libraries that size their pool by that.
        settings: given to the peer module's functions.
        environment: set in its process before Python starts.
        smoke: part of the one-minute run: one entry a library, and none that takes seconds to start.
    """

    name: str
    peer: str
    setting: str
    threads: int | None = None
    one_core: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    smoke: bool = False

    @property
    def is_netlet(self) -> bool:
        return self.peer == "netlet_model"

    def variables(self) -> dict[str, str]:
        """The environment variables of its process, besides those inherited."""
        threads = dict.fromkeys(THREAD_VARIABLES, str(self.threads)) if self.threads else {}
        return {**threads, **self.environment}

    def module(self) -> Peer:
        """Its peer module; this imports nothing of the library that it benchmarks."""
        module: Any = import_module(f"benchmarks.peers.{self.peer}")
        return module  # type: ignore[no-any-return]

    def can(self, case: Case) -> bool:
        """Whether its library can express the case at all."""
        return self.module().unsupported(case) is None

    def __str__(self) -> str:
        return self.name


def _netlet(name: str, target: str, setting: str, threads: int | None = None) -> Contestant:
    environment = {"NETLET_BACKEND": target}
    return Contestant(
        name,
        "netlet_model",
        setting,
        threads,
        settings={"target": target},
        environment=environment,
        smoke=threads is None,
    )


def _keras(name: str, backend: str, setting: str, **settings: Any) -> Contestant:
    environment = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}
    return Contestant(name, "keras_model", setting, settings={"backend": backend, **settings}, environment=environment)


ALL: tuple[Contestant, ...] = (
    _netlet("netlet", "native", "C++ backend, defaults"),
    _netlet("netlet-1", "native", "C++ backend, one thread", threads=1),
    _netlet("netlet-numba", "numba", "Numba backend, defaults"),
    _netlet("netlet-numpy", "numpy", "NumPy backend, defaults"),
    Contestant("numpy", "numpy_loop", "by hand, in place", smoke=True),
    Contestant("numpy-1", "numpy_loop", "by hand, in place; one thread", 1),
    Contestant("torch", "pytorch", "eager, defaults", smoke=True),
    Contestant("torch-1", "pytorch", "eager, fused SGD; one thread", 1, settings={"fused": True}),
    Contestant("torch-compile", "pytorch", "torch.compile, fused SGD", settings={"compile": True, "fused": True}),
    Contestant("sklearn", "sklearn_mlp", "MLP, defaults", smoke=True),
    Contestant("sklearn-1", "sklearn_mlp", "MLP; one thread", 1),
    Contestant("jax", "jax_scan", "jit, a scan of the epoch", smoke=True),
    Contestant("jax-1", "jax_scan", "jit, a scan of the epoch; one core", one_core=True),
    _keras("keras-tensorflow", "tensorflow", "fit and predict, defaults"),
    _keras("keras-tensorflow-best", "tensorflow", "an epoch per execution, XLA; predict_on_batch", best=True),
    _keras("keras-jax", "jax", "fit and predict, defaults"),
    _keras("keras-jax-best", "jax", "an epoch per execution; predict_on_batch", best=True),
    _keras("keras-torch", "torch", "fit and predict, defaults"),
    Contestant("onnxruntime", "onnx_runtime", "defaults", smoke=True),
    Contestant("onnxruntime-1", "onnx_runtime", "one thread", 1, settings={"threads": 1}),
)  # fmt: skip

CONTESTANTS: dict[str, Contestant] = {contestant.name: contestant for contestant in ALL}


def chosen(names: list[str] | None) -> list[Contestant]:
    """Netlet's entries and the peers named, each by its own name or by the library's; all of them if None.

    Raises: ValueError for a name that is nobody's.
    """
    if names is None:
        return list(ALL)

    def matches(contestant: Contestant, name: str) -> bool:
        return contestant.name == name or contestant.name.startswith(f"{name}-")

    for name in names:
        if not any(matches(contestant, name) for contestant in ALL):
            raise ValueError(f"no contestant is called {name!r}; expected one of {', '.join(CONTESTANTS)}")
    return [c for c in ALL if c.is_netlet or any(matches(c, name) for name in names)]
