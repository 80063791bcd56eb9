"""cloudchamber: simulate, reconstruct, learn and score the images that particle detectors take."""

__version__ = "0.1.0"
