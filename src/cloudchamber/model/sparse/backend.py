"""Which implementation computes: pure torch, compiled loops on the CPU, or Triton on a GPU."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

import torch
from torch import Tensor

Backend = Literal["auto", "torch", "numba", "triton"]

_chosen: ContextVar[str] = ContextVar("sparse_backend", default="auto")


@contextmanager
def sparse_backend(backend: str) -> Iterator[None]:
    """Choose the implementation inside a ``with`` block; the backward pass keeps what forward used.

    ``"auto"`` takes compiled loops for float32 on the CPU and pure torch for all else. ``"numba"`` and
    ``"triton"`` fall back to torch for tensors that they do not take (float64, other devices); the geometry
    of a batch is made on its device by whichever was chosen when it was first asked for.

    Raises
    ------
    ValueError
        if there is no such implementation.
    """
    if backend not in get_args(Backend):
        raise ValueError(f"a backend is one of {', '.join(get_args(Backend))}, not {backend!r}")
    token = _chosen.set(backend)
    try:
        yield
    finally:
        _chosen.reset(token)


def chosen_backend() -> str:
    """Return what the innermost ``sparse_backend`` says."""
    return _chosen.get()


def compiled_for(features: Tensor) -> bool:
    """Tell whether compiled loops work on these features."""
    return _chosen.get() in ("auto", "numba") and features.is_cpu and features.dtype == torch.float32


def triton_for(features: Tensor) -> bool:
    """Tell whether the Triton kernel is asked for and can work on these features."""
    if _chosen.get() != "triton" or features.dtype != torch.float32:
        return False
    return features.is_cuda and importlib.util.find_spec("triton") is not None
