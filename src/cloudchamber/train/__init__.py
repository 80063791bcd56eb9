"""Losses, data modules, the training loop and its resumption."""
