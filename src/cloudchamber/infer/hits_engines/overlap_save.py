"""The first dense layer at every pixel of a tile at once, by Fourier transform; exact but for rounding.

The first dense layer of the patch network is a correlation of the maps with a kernel of 44 x 44 pixels.
Overlap-save (Stockham, 1966): the plane is cut in tiles that overlap by 43 pixels, the maps of a tile are
transformed, multiplied with the transformed kernel, channels summed over at each frequency, and transformed
back; what has not wrapped around is the correlation. Back along the wires all frequencies go by a fast
transform; along the drift the sum is made at the hits alone.
"""

import weakref
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.fft
import torch
from jaxtyping import Complex64, Float32, Int64
from torch import Tensor

from cloudchamber.infer.hits_engines.layers import PatchLayers
from cloudchamber.infer.hits_engines.places import Places, padded
from cloudchamber.infer.hits_engines.spectral_sums import add_frequencies

COMPLEX, FLOAT = 8, 4  # bytes
TILES = ((140, 210), (125, 180), (108, 150), (96, 120), (80, 100), (72, 80), (64, 72))
MOST_TILES = 64  # at once
FREQUENCIES = 4  # along the drift, at once


class Tile(NamedTuple):
    """Pixels of a transform along wires and drift."""

    wires: int
    drifts: int

    @property
    def frequencies(self) -> int:
        """Frequencies along the drift that a real signal needs."""
        return self.drifts // 2 + 1

    def spectrum_bytes(self, layers: PatchLayers) -> int:
        """Return what the transformed kernel takes."""
        hidden, filters = layers.first.shape[:2]
        return COMPLEX * self.wires * self.frequencies * filters * hidden

    def working_bytes(self, layers: PatchLayers) -> int:
        """Return what a tile takes while it is worked on: its spectrum, and that of the result in parts."""
        hidden, filters = layers.first.shape[:2]
        return COMPLEX * self.wires * (self.frequencies * filters + 2 * FREQUENCIES * hidden)

    def passing_bytes(self, layers: PatchLayers) -> int:
        """Return what is needed for one tile only at a time: its maps and their transform before sorting."""
        return 3 * FLOAT * (self.wires + 4) * (self.drifts + 4) * int(layers.first.shape[1])


def choose_tile(layers: PatchLayers, memory_mib: float) -> Tile | None:
    """Return the tile that serves best in so much memory, None if the smallest is too large."""
    for wires, drifts in TILES:
        tile = fitted(Tile(wires, drifts), layers.inner)
        needed = tile.spectrum_bytes(layers) + tile.working_bytes(layers) + tile.passing_bytes(layers)
        if needed <= memory_mib * 2**20:
            return tile
    return None


def fitted(tile: Tile, inner: int) -> Tile:
    """Return a tile in which a kernel of that size leaves pixels to use."""
    return Tile(*(side if side >= inner + 8 else 2 ** (inner + 7).bit_length() for side in tile))


_spectra: "weakref.WeakKeyDictionary[torch.nn.Module, tuple[tuple[object, ...], Tensor]]" = (
    weakref.WeakKeyDictionary()
)


def kernel_spectrum(
    layers: PatchLayers, tile: Tile
) -> Complex64[Tensor, "drift_frequency wire_frequency filter hidden"]:
    """Return the transformed kernel, made once per network, weights and tile.

    It is conjugate, since a correlation is wanted, and holds the factor 1 / (wires drifts) of the inverse.
    """
    key = (tile, layers.first.data_ptr(), layers.first._version)
    known = _spectra.get(layers.network)
    if known is not None and known[0] == key:
        return known[1]
    _spectra.pop(layers.network, None)
    hidden, filters = layers.first.shape[:2]
    spectrum = torch.empty(tile.frequencies, tile.wires, filters, hidden, dtype=torch.complex64)
    for start in range(0, hidden, 16):
        some = slice(start, min(start + 16, hidden))
        # of real numbers, conj(rfft2) / (wires drifts)
        made = torch.fft.ihfft2(layers.first[some].transpose(0, 1), s=tuple(tile))
        spectrum[..., some] = made.permute(3, 2, 0, 1)
    _spectra[layers.network] = (key, spectrum)
    return spectrum


class Tiled(NamedTuple):
    """Pixels sorted by tile: which pixel, its tile, and its place in the tile."""

    order: Int64[np.ndarray, "pixel"]
    tile: Int64[np.ndarray, "pixel"]  # number among the tiles that have pixels
    wire: Int64[np.ndarray, "pixel"]
    drift: Int64[np.ndarray, "pixel"]
    origins: Int64[np.ndarray, "tile 2"]


def into_tiles(places: Places, step: tuple[int, int]) -> Tiled:
    """Share pixels out to tiles of ``step`` useful pixels; the first begins at the first wire and drift."""
    low = np.array([places.wire.min(), places.drift.min()])
    wire, drift = places.wire - low[0], places.drift - low[1]
    across = int(drift.max()) // step[1] + 1
    number = wire // step[0] * across + drift // step[1]
    occupied, tile = np.unique(number, return_inverse=True)
    origins = low + np.stack([occupied // across, occupied % across], axis=1) * step
    order = np.lexsort((drift, wire, tile))
    tile = tile[order].astype(np.int64)
    return Tiled(
        order, tile, places.wire[order] - origins[tile, 0], places.drift[order] - origins[tile, 1], origins
    )


def phases(tile: Tile) -> Float32[np.ndarray, "drift frequency 2"]:
    """Return (cos, -sin) of 2 pi d f / drifts, twice for frequencies that stand for their negative, too."""
    frequency = np.arange(tile.frequencies)
    angle = 2 * np.pi * (np.outer(np.arange(tile.drifts), frequency) % tile.drifts) / tile.drifts
    factor = np.where((frequency == 0) | (2 * frequency == tile.drifts), 1.0, 2.0)
    return (np.stack([np.cos(angle), -np.sin(angle)], axis=-1) * factor[:, None]).astype(np.float32)


def run_overlap_save(
    layers: PatchLayers,
    plane: Float32[np.ndarray, "wire drift"],
    places: Places,
    tile: Tile,
    memory_mib: float,
) -> Float32[np.ndarray, "pixel 4"]:
    """Return the scores of pixels; only tiles that hold any are worked out."""
    spectrum = kernel_spectrum(layers, tile)
    free = memory_mib * 2**20 - tile.spectrum_bytes(layers) - tile.passing_bytes(layers)
    at_once = max(1, min(MOST_TILES, int(free / tile.working_bytes(layers))))
    inner = layers.inner
    tiled = into_tiles(places, (tile.wires - inner + 1, tile.drifts - inner + 1))
    phase = phases(tile)
    around = torch.from_numpy(padded(plane, layers.side))
    out = np.empty((len(places), 4), np.float32)
    for first in range(0, len(tiled.origins), at_once):
        origins = tiled.origins[first : first + at_once]
        some = slice(*np.searchsorted(tiled.tile, [first, first + len(origins)]))
        sums = torch.zeros(some.stop - some.start, layers.first.shape[0])
        maps = maps_spectrum(layers, around, origins, tile)
        row = tiled.wire[some] * len(origins) + tiled.tile[some] - first
        room = maps.new_empty(FREQUENCIES * tile.wires, len(origins), layers.first.shape[0])
        for part in frequency_parts(tile):
            product = room[: (part.stop - part.start) * tile.wires]
            torch.bmm(maps[part].flatten(0, 1), spectrum[part].flatten(0, 1), out=product)
            rows = product.view(-1, tile.wires, len(origins) * product.shape[2])
            _back_along_wires(rows)
            rows = rows.view(len(rows), tile.wires * len(origins), -1)
            add_frequencies(rows, np.ascontiguousarray(phase[:, part]), row, tiled.drift[some], sums)
        out[tiled.order[some]] = layers.finish(sums).numpy()
    return out


def _back_along_wires(spectrum: Complex64[Tensor, "frequency wire column"]) -> None:
    """Transform back along axis 1, in place, without a factor: scipy does, torch copies twice."""
    values = spectrum.numpy()
    done = scipy.fft.ifft(values, axis=1, norm="forward", overwrite_x=True, workers=torch.get_num_threads())
    if not np.shares_memory(done, values):
        values[:] = done


def frequency_parts(tile: Tile) -> Iterator[slice]:
    """Yield runs of frequencies along the drift."""
    for start in range(0, tile.frequencies, FREQUENCIES):
        yield slice(start, min(start + FREQUENCIES, tile.frequencies))


def maps_spectrum(
    layers: PatchLayers,
    around: Float32[Tensor, "wire drift"],
    origins: Int64[np.ndarray, "tile 2"],
    tile: Tile,
) -> Complex64[Tensor, "drift_frequency wire_frequency tile filter"]:
    """Return the transformed maps of tiles that begin at ``origins``; beyond the plane is no signal."""
    filters, more = layers.first.shape[1], layers.kernel - 1
    out = torch.empty(tile.frequencies, tile.wires, len(origins), filters, dtype=torch.complex64)
    for number, (wire, drift) in enumerate(origins.tolist()):
        image = around.new_zeros(1, 1, tile.wires + more, tile.drifts + more)
        seen = around[wire : wire + tile.wires + more, drift : drift + tile.drifts + more]
        image[0, 0, : seen.shape[0], : seen.shape[1]] = seen
        made = torch.fft.rfft2(layers.maps(image)[0])
        out[:, :, number] = made.permute(2, 1, 0)
    return out
