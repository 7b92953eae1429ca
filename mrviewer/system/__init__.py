"""The machine and its processes: memory, search path, background processes, interruption, and logs of faults."""
