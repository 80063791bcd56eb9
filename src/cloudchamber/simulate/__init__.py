"""Simulators: from truth and physics to what a detector records."""
