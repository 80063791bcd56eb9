"""Compiled loops: the one place where numba is set up."""

from collections.abc import Callable
from typing import Any, cast

import numba

_REORDER = {"reassoc", "arcp", "contract", "nsz"}
Kernel = Callable[..., Any]


def compiled(function: Kernel) -> Kernel:
    """Compile a loop, keeping IEEE arithmetic in the order that is written."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_fast(function: Kernel) -> Kernel:
    """Compile a loop whose sums may be reordered and contracted; NaN and infinity keep their meaning."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_REORDER)(function))


def compiled_inline(function: Kernel) -> Kernel:
    """Compile a small function into its callers' loops."""
    return cast(Kernel, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))
