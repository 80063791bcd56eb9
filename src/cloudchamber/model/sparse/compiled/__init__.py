"""The compiled backend: loops on the CPU through numba and LLVM; the same results as torch, faster."""
