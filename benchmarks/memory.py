"""How much memory this process holds; imports next to nothing, so that it can be asked before anything else."""

import os
import sys


def resident() -> float:
    """Return the resident memory in kilobytes; outside of Linux the highest so far."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    except OSError:
        return highest()


def highest() -> float:
    """Return the highest resident memory so far, in kilobytes."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            return next(float(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    import resource  # on Linux it would count in the memory of the process that started this one

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform == "darwin" else float(most)
