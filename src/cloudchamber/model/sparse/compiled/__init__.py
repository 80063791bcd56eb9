"""The compiled backends: loops on the CPU through numba and LLVM, Triton on a GPU; torch is their oracle."""
