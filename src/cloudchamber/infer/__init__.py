"""Trained models at work: bundles, symmetry averaging, thresholds, prediction."""
