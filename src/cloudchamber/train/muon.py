"""Muon: momentum whose every weight matrix is made orthogonal before it is applied; Adam for the rest."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

# Quintic iteration that brings singular values near 1 (Jordan et al., "Muon", 2024).
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
_ENDS = {"stem", "out", "columns", "base"}


def orthogonalise(matrix: Tensor) -> Tensor:
    """Return U V' of a matrix U S V', to about 30% in each singular value, by Newton-Schulz iterations."""
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = _A * x + (_B * square + _C * square @ square) @ x
    return cast(Tensor, x.T if tall else x)


def split_parameters(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the matrices and kernels inside a network, and the rest: first and last layers, vectors.

    What reads the input is called ``stem`` in our networks, heads are ``out``, ``columns`` and ``base``.
    """
    inner, rest = list[nn.Parameter](), list[nn.Parameter]()
    for name, p in network.named_parameters():
        at_the_ends = not _ENDS.isdisjoint(name.split("."))
        (rest if at_the_ends or p.ndim < 2 else inner).append(p)
    return inner, rest


class Muon(Optimizer):
    """Muon for the kernels inside a network, Adam for the rest, in one optimiser.

    For a kernel W of ``channels_out`` rows: m <- mu m + (1 - mu) g; W <- W - rate sqrt(max(1, rows/columns))
    orthogonalise((1 - mu) g + mu m) (Nesterov). Source: Jordan et al., "Muon: an optimizer for hidden layers
    in neural networks", 2024, kellerjordan.github.io/posts/muon. torch.optim.Muon takes no kernels.

    Parameters
    ----------
    rate : of Muon; Adam's is ``adam_rate`` times the present rate over this one, so one schedule drives both.
    """

    def __init__(
        self, network: nn.Module, rate: float, *, adam_rate: float = 2e-3, momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        inner, rest = split_parameters(network)
        groups = [
            {"params": inner, "muon": True, "scale": 1.0},
            {"params": rest, "muon": False, "scale": adam_rate / rate},
        ]
        defaults = {"lr": rate, "momentum": momentum, "betas": (0.9, 0.99), "weight_decay": weight_decay}
        super().__init__([group for group in groups if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step; a closure that computes the gradients is called first, and its loss returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rate = group["lr"] * group["scale"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                if group["weight_decay"]:
                    p.mul_(1 - rate * group["weight_decay"])
                if group["muon"]:
                    self._muon(p, p.grad, rate, group["momentum"])
                else:
                    self._adam(p, p.grad, rate, *group["betas"])
        return loss

    def _muon(self, p: Tensor, gradient: Tensor, rate: float, momentum: float) -> None:
        state = self.state[p]
        if not state:
            state["momentum"] = torch.zeros_like(p)
        state["momentum"].lerp_(gradient, 1 - momentum)
        update = gradient.lerp(state["momentum"], momentum)
        matrix = update.reshape(len(update), -1)
        scale = max(1.0, matrix.size(0) / matrix.size(1)) ** 0.5
        p.add_(orthogonalise(matrix).reshape(p.shape), alpha=-rate * scale)

    def _adam(self, p: Tensor, gradient: Tensor, rate: float, beta1: float, beta2: float) -> None:
        state = self.state[p]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        step = float(state["step"])
        bias = (1 - beta2**step) ** 0.5 / (1 - beta1**step)
        root = state["square"].sqrt().add_(1e-8 * (1 - beta2**step) ** 0.5)
        p.addcdiv_(state["mean"], root, value=-rate * bias)
