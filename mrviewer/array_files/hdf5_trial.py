"""Try a file in a process of its own before it is read in ours: some damaged files crash the HDF5 library."""

import subprocess
from functools import lru_cache
from pathlib import Path

from mrviewer.errors import FileFormatError
from mrviewer.system.background import without_window
from mrviewer.system.search_path import child_environment, python_command

__all__ = ["require_readable"]

PATIENCE_S = 60.0
"""After that many seconds without an end the library hangs."""
HIGHEST_EXIT = 255
"""Windows tells of a crash with a larger exit status, other systems with a negative one."""
PROBE = Path(__file__).with_name("hdf5_probe.py").resolve()


def require_readable(path: Path) -> None:
    """Refuse a file that crashes or hangs the library. One that it only complains of passes: its reader says why.

    Raises
    ------
    FileFormatError
        If the trial died or found no end.
    """
    status = path.stat()
    fault = _fault(path.resolve(), status.st_size, status.st_mtime_ns)
    if fault:
        raise FileFormatError(f"{path.name} is damaged ({fault}); copy or download it again")


@lru_cache(maxsize=1024)
def _fault(path: Path, size: int, modified_ns: int) -> str:
    """What is wrong, empty if nothing is; a file that has not changed is tried once."""
    del size, modified_ns
    command = python_command("-W", "ignore", str(PROBE), str(path))
    try:
        code = subprocess.run(
            command,
            timeout=PATIENCE_S,
            capture_output=True,
            check=False,
            env=child_environment(),
            **without_window(),
        ).returncode
    except subprocess.TimeoutExpired:
        return "the HDF5 library finds no end of it"
    except OSError:
        # Where no process can be started, files are read as they are.
        return ""
    return "reading it crashes the HDF5 library" if code < 0 or code > HIGHEST_EXIT else ""
