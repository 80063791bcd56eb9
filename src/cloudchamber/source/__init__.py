"""Data sets: our HDF5 store, foreign files, checks."""
