"""What both environments stand on: kernels, random numbers, buffers, threads, Gymnasium's API."""
