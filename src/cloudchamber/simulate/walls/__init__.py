"""Buried walls scanned by cosmic muons: every stage a module that can be used alone."""

from cloudchamber.simulate.walls.config import SETTINGS, WallsConfig, challenge_2022, full
from cloudchamber.simulate.walls.scan import Scan, reconstruct, scan_walls, simulate_volume

__all__ = [
    "SETTINGS", "Scan", "WallsConfig", "challenge_2022", "full", "reconstruct", "scan_walls",
    "simulate_volume",
]  # fmt: skip
