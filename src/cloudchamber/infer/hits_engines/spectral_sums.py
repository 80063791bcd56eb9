"""The last transform of the overlap-save engine, worked out at hits alone, in compiled loops."""

import numpy as np
from jaxtyping import Complex64, Float32, Int64
from numba.np.numpy_support import carray
from torch import Tensor

from cloudchamber.compiled import compiled_fast
from cloudchamber.model.sparse.compiled.jobs import SLOTS, run_job, worker
from cloudchamber.model.sparse.compiled.vectors import claim, float_pointer, integer_pointer

_ITEM = 128  # hits that a thread takes at once


def add_frequencies(
    spectrum: Complex64[Tensor, "frequency row channel"],
    phase: Float32[np.ndarray, "drift frequency 2"],
    row: Int64[np.ndarray, "hit"],
    drift: Int64[np.ndarray, "hit"],
    sums: Float32[Tensor, "hit channel"],
) -> None:
    """Add to each hit's sums the real part of phase times spectrum, over these frequencies.

    ``row`` is a hit's row of the spectrum and ``drift`` its row of the phases, (cos, -sin).
    """
    frequencies, rows, channels = spectrum.shape
    items = -(-len(row) // _ITEM)
    values = spectrum.view(spectrum.dtype.to_real())
    run_job(
        sums_worker, items, values, phase, row, drift, sums, len(row), frequencies, rows, channels, len(phase)
    )


@compiled_fast
def _add(spectrum, phase, row, drift, sums, start, stop):
    frequencies, channels = spectrum.shape[0], sums.shape[1]
    both = np.empty(2 * channels, np.float32)
    for hit in range(start, stop):
        both[:] = 0
        at, place = row[hit], drift[hit]
        for k in range(frequencies):
            cosine, sine = phase[place, k, 0], phase[place, k, 1]
            values = spectrum[k, at]
            for c in range(channels):
                both[2 * c] += cosine * values[2 * c]
                both[2 * c + 1] += sine * values[2 * c + 1]
        for c in range(channels):
            sums[hit, c] += both[2 * c] + both[2 * c + 1]


@worker
def sums_worker(data):
    """Take runs of hits."""
    job = carray(data, (SLOTS,))
    hits, frequencies, rows, channels, places = job[7], job[8], job[9], job[10], job[11]
    spectrum = carray(float_pointer(job[2]), (frequencies, rows, 2 * channels))
    phase = carray(float_pointer(job[3]), (places, frequencies, 2))
    row, drift = carray(integer_pointer(job[4]), (hits,)), carray(integer_pointer(job[5]), (hits,))
    sums = carray(float_pointer(job[6]), (hits, channels))
    item = claim(data)
    while item < job[1]:
        _add(spectrum, phase, row, drift, sums, item * _ITEM, min(hits, (item + 1) * _ITEM))
        item = claim(data)
