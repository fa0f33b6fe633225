"""PyTorch on the CPU: the loop of its tutorials; ``compile``, ``fused`` and ``script`` are its faster settings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks.cases import ADAM, Case, InferenceCase, Network, ProductCase, TrainingCase
from benchmarks.data import Array, Data, Factors
from benchmarks.peers import Multiply, Predict, Settings, missing


def available(settings: Settings) -> str | None:
    return missing("torch")


def unsupported(case: Case) -> str | None:
    return None


def describe() -> dict[str, str]:
    import torch

    return {"version": torch.__version__, "threads": str(torch.get_num_threads())}


def _module(case: Network, weights: list[Array], logits: bool) -> Any:
    import torch
    from torch import nn

    activations = {"relu": nn.ReLU, "tanh": nn.Tanh, "softmax": lambda: nn.Softmax(dim=1)}
    parts: list[nn.Module] = []
    for index, layer in enumerate(case.layers):
        linear = nn.Linear(layer.inputs, layer.outputs)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights[2 * index].T))
            linear.bias.copy_(torch.from_numpy(weights[2 * index + 1]))
        parts.append(linear)
        if layer.activation != "linear" and not (logits and layer.activation == "softmax"):
            parts.append(activations[layer.activation]())
    return nn.Sequential(*parts)


class _Training:
    def __init__(self, case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> None:
        import torch

        self._case = case
        self._x = torch.from_numpy(data.x)
        y = data.y.astype(np.int64) if data.y.dtype == np.int32 else data.y
        self._y = torch.from_numpy(y)
        self._module = _module(case, weights, logits=True)
        self._forward = torch.compile(self._module) if settings.get("compile") else self._module
        entropy = case.loss == "softmax_cross_entropy"
        self._loss = torch.nn.CrossEntropyLoss() if entropy else torch.nn.MSELoss()
        fused = {"fused": True} if settings.get("fused") else {}
        if case.optimizer == "adam":
            betas = ADAM.beta_1, ADAM.beta_2
            self._optimizer: Any = torch.optim.Adam(
                self._module.parameters(), lr=case.learning_rate, betas=betas, eps=ADAM.epsilon, **fused
            )
        else:
            self._optimizer = torch.optim.SGD(self._module.parameters(), lr=case.learning_rate, **fused)

    def run(self, epochs: int, shuffle: bool) -> None:
        import torch

        n, batch = self._case.rows, self._case.batch
        for _ in range(epochs):
            order = torch.randperm(n) if shuffle else torch.arange(n)
            for first in range(0, n, batch):
                rows = order[first : first + batch]
                loss = self._loss(self._forward(self._x[rows]), self._y[rows])
                self._optimizer.zero_grad()
                loss.backward()
                self._optimizer.step()

    def weights(self) -> list[Array]:
        found = [p.detach().numpy() for p in self._module.parameters()]
        return [w.T.copy() if w.ndim == 2 else w for w in found]


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> _Training:
    return _Training(case, data, weights, settings)


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    import torch

    module = _module(case, weights, logits=False).eval()
    forward: Any = torch.compile(module) if settings.get("compile") else module
    if settings.get("script"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that tracing is deprecated: it is still the fastest for one row
            traced = torch.jit.trace(module, torch.zeros(case.batch, case.widths[0]))
            forward = torch.jit.optimize_for_inference(traced)

    def predict(x: Array) -> Array:
        with torch.inference_mode():
            return np.asarray(forward(torch.from_numpy(x)).numpy())

    return predict


def prepare_product(case: ProductCase, factors: Factors, settings: Settings) -> Multiply:
    import torch

    x, kernel, dy = (torch.from_numpy(array) for array in (factors.x, factors.kernel, factors.dy))
    y, dx, dkernel = torch.empty_like(dy), torch.empty_like(x), torch.empty_like(kernel)

    def forward() -> list[Array]:
        with torch.inference_mode():
            torch.matmul(x, kernel, out=y)
        return [y.numpy()]

    def gradients() -> list[Array]:
        with torch.inference_mode():
            torch.matmul(x, kernel, out=y)
            torch.matmul(dy, kernel.T, out=dx)
            torch.matmul(x.T, dy, out=dkernel)
        return [y.numpy(), dx.numpy(), dkernel.numpy()]

    return forward if case.direction == "forward" else gradients
