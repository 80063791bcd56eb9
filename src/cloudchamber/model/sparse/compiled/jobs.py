"""Compiled work shared out over the threads that torch itself uses.

A job is an array of int64: the next item to take, the number of items, then what the loop wants to know. Each
thread takes items until none is left, so results must not depend on who takes which. Torch's own OpenMP
threads do it where their entry is found (a second set of threads would fight with them for the cores, as idle
OpenMP threads spin for milliseconds); Python's threads elsewhere.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

SLOTS = 24  # of a job; no loop reads more of them than it is given
_types: Any = numba.types

worker = numba.cfunc(_types.void(_types.CPointer(_types.int64)), cache=True)
"""Compile a function of a pointer to a job, that takes the job's items until none is left."""


def run_job(work: Any, items: int, *entries: "int | Tensor | np.ndarray") -> None:
    """Run a compiled worker until its items are done; tensors and arrays are passed by their addresses."""
    if items == 0:
        return
    job = (ctypes.c_int64 * (2 + len(entries)))(0, items, *map(_address, entries))
    threads = min(torch.get_num_threads(), items)
    if threads == 1:
        _callable(work.address)(ctypes.addressof(job))
    else:
        _launcher()(work.address, ctypes.addressof(job), threads)


def _address(entry: "int | Tensor | np.ndarray") -> int:
    if isinstance(entry, int):
        return entry
    return entry.data_ptr() if isinstance(entry, Tensor) else int(entry.__array_interface__["data"][0])


@cache
def _callable(address: int) -> Callable[[int], None]:
    """Return a worker as a function of a job's address that lets go of Python's lock."""
    made: Callable[[int], None] = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
    return made


@cache
def _launcher() -> Callable[[int, int, int], None]:
    entry = _openmp_entry()
    if entry is None:
        return _with_python_threads

    def launch(work: int, job: int, threads: int) -> None:
        entry(work, job, threads, 0)

    return launch


def _openmp_entry() -> Any:
    """Return OpenMP's fork-join call from the library that torch computes with, None where it has none."""
    for path in sorted(Path(torch.__file__).parent.glob("lib/libtorch_cpu.so")):
        try:
            entry = ctypes.CDLL(str(path)).GOMP_parallel
        except (OSError, AttributeError):
            return None
        entry.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        entry.restype = None
        return entry
    return None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="sparse")


def _with_python_threads(work: int, job: int, threads: int) -> None:
    others = [_pool().submit(_callable(work), job) for _ in range(threads - 1)]
    _callable(work)(job)
    for other in others:
        other.result()
