"""Sparse convolutions of any dimension on torch alone."""
