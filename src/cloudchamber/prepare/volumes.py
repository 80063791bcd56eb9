"""Volumes in memory: maps by name, and the walls behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from cloudchamber.errors import InputError


@dataclass(frozen=True)
class WallVolumes:
    """Maps by name (``x0`` in metres first) and walls, all (sample, z, x, y), z = 0 the deepest layer."""

    maps: Mapping[str, Float[np.ndarray, "n z x y"]]
    walls: Bool[np.ndarray, "n z x y"]

    def __len__(self) -> int:
        """Return the number of volumes."""
        return len(self.walls)

    def chosen(self, which: slice | np.ndarray) -> "WallVolumes":
        """Return some of the volumes."""
        return WallVolumes({name: values[which] for name, values in self.maps.items()}, self.walls[which])

    def joined(self, other: "WallVolumes") -> "WallVolumes":
        """Return these volumes and then others."""
        maps = {name: np.concatenate([self.maps[name], other.maps[name]]) for name in self.maps}
        return WallVolumes(maps, np.concatenate([self.walls, other.walls]))


def named_maps(
    maps: Mapping[str, Float[np.ndarray, "n z x y"]], names: Sequence[str]
) -> dict[str, Float[np.ndarray, "n z x y"]]:
    """Return the named maps in the order of the names.

    Raises
    ------
    InputError
        if one is missing.
    """
    for name in names:
        if name not in maps:
            raise InputError("volumes", name, f"the maps {', '.join(names)}", ", ".join(maps))
    return {name: maps[name] for name in names}


def stack_maps(
    maps: Mapping[str, Float[np.ndarray, "n z x y"]], names: Sequence[str]
) -> Float[np.ndarray, "n map z x y"]:
    """Return the named maps as channels; without a copy if there is one.

    Raises
    ------
    InputError
        if one is missing.
    """
    chosen = list(named_maps(maps, names).values())
    return np.asarray(chosen[0])[:, None] if len(chosen) == 1 else np.stack(chosen, axis=1)
