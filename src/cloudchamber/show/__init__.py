"""Plots, event displays, reports."""
