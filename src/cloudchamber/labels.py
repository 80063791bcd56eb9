"""Classes that images are labelled with."""

from enum import IntEnum


class WallLabel(IntEnum):
    """What a voxel of a buried volume is made of (MODE challenge, 2022)."""

    SOIL = 0
    WALL = 1
