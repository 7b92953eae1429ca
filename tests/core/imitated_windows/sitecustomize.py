"""Windows imitated, for a program that is started with this folder on ``PYTHONPATH``; see `test_other_systems`.

What our modules see of the system is what Python has on Windows; libraries keep the system that they were built for.
What the file system refuses there is refused to everybody: names, opened folders, and the removal and renaming of what
is open. By the documentation of Python's `os`, `signal` and `subprocess`, and by "Naming Files, Paths, and Namespaces"
of Microsoft.
"""

import builtins
import errno
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

OURS = ("mrviewer", "mrviewer_models", "mrviewer_napari")
POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "crypt", "spwd", "nis"}
NOT_IN_OS = {
    *("sysconf", "sysconf_names", "confstr", "pathconf", "fpathconf", "pwrite", "pread", "pwritev", "preadv", "nice"),
    *("getuid", "geteuid", "getgid", "getegid", "getgroups", "setuid", "setgid", "getpgid", "getpgrp", "setpgid"),
    *("setsid", "getsid", "killpg", "fork", "forkpty", "wait", "wait3", "wait4", "WNOHANG", "register_at_fork"),
    *("chown", "lchown", "fchown", "fchmod", "chroot", "mkfifo", "mknod", "uname", "getloadavg", "statvfs", "fstatvfs"),
    *("sched_getaffinity", "sched_setaffinity", "sched_yield", "getpriority", "setpriority", "sync", "fdatasync"),
    *("posix_fadvise", "posix_fallocate", "posix_spawn", "sendfile", "openpty", "ttyname", "ctermid", "setxattr"),
    *("getxattr", "listxattr", "memfd_create", "O_NONBLOCK", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_SYNC"),
    *("O_NOCTTY", "O_TMPFILE", "O_DSYNC", "O_DIRECT", "O_NOATIME", "environb", "getenvb", "fwalk", "lockf", "pipe2"),
}
SIGNALS = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
ONLY_IN_SUBPROCESS = {
    "CREATE_NEW_PROCESS_GROUP": 0x200,
    "DETACHED_PROCESS": 0x8,
    "CREATE_NO_WINDOW": 0x08000000,
    "BELOW_NORMAL_PRIORITY_CLASS": 0x4000,
}
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?", re.IGNORECASE)
REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')


class Seen(types.ModuleType):
    """A module as Windows has it."""

    def __init__(self, real: types.ModuleType, gone: set[str], other: dict[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__["_imitation"] = real, gone, other

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401
        if name in ("__class__", "__spec__", "__dict__"):
            return object.__getattribute__(self, name)
        real, gone, other = object.__getattribute__(self, "__dict__")["_imitation"]
        if name in gone:
            raise AttributeError(f"module {real.__name__!r} of Windows has no attribute {name!r}")
        return other[name] if name in other else getattr(real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_imitation"][0], name, value)


class SomeSignals:
    """The signals that Windows has."""

    __members__ = types.MappingProxyType({name: signal.Signals[name] for name in SIGNALS})

    def __getitem__(self, name: str) -> signal.Signals:
        return self.__members__[name]

    def __call__(self, number: int) -> signal.Signals:
        return signal.Signals(number)

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(self.__members__.values())


def handle(number: int, handler: Any) -> Any:  # noqa: ANN401
    if signal.Signals(number).name not in SIGNALS:
        raise ValueError("invalid signal value")
    return signal.signal(number, handler)


class Process(subprocess.Popen):
    """One with the arguments of Windows."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        own = {"start_new_session", "preexec_fn", "process_group", "user", "group", "umask", "pass_fds"}
        if own & set(options):
            raise ValueError(f"{sorted(own & set(options))} do nothing on Windows")
        flags = options.pop("creationflags", 0)
        super().__init__(*arguments, start_new_session=bool(flags & 0x208), **options)


def run(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
    before, subprocess.Popen = subprocess.Popen, Process
    try:
        return real_run(*arguments, **options)
    finally:
        subprocess.Popen = before


real_run = subprocess.run
real_rename, real_fsync = os.rename, os.fsync
SEEN = {
    "os": Seen(os, NOT_IN_OS, {"name": "nt", "O_BINARY": 0}),
    "sys": Seen(sys, {"getdlopenflags", "setdlopenflags", "abiflags"}, {"platform": "win32"}),
    "signal": Seen(
        signal,
        {name for name in dir(signal) if name.startswith("SIG") and not name.startswith("SIG_")} - SIGNALS
        | {"pthread_kill", "pthread_sigmask", "alarm", "setitimer", "pause", "sigwait"},
        {"Signals": SomeSignals(), "signal": handle},
    ),
    "subprocess": Seen(subprocess, set(), {**ONLY_IN_SUBPROCESS, "Popen": Process, "run": run}),
}


def imported(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002, ANN401
    """What ``import`` gives to a module of ours."""
    if name.partition(".")[0] in POSIX_ONLY:
        raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
    if name in SEEN:
        return SEEN[name]
    module = builtins.__import__(name, globals, locals, fromlist, level)
    if name == "psutil":
        module.BELOW_NORMAL_PRIORITY_CLASS = ONLY_IN_SUBPROCESS["BELOW_NORMAL_PRIORITY_CLASS"]
        module.Process.nice = lambda process, value=None: None
    return module


class Loader(SourceFileLoader):
    """One for modules of ours, whose imports give what Windows has."""

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": imported}
        super().exec_module(module)


class Finder:
    """Finds our modules, and nobody else's."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ANN401
        if name.partition(".")[0] not in OURS:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def rename(source: Any, target: Any, **options: Any) -> None:  # noqa: ANN401
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "file exists (Windows)", os.fspath(target))
    real_rename(source, target, **options)


def fsync(file: Any) -> None:  # noqa: ANN401
    descriptor = file if isinstance(file, int) else file.fileno()
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "bad file descriptor (Windows flushes no file that cannot be written)")
    real_fsync(descriptor)


def require_possible_name(path: Any) -> None:  # noqa: ANN401
    """Refuse to make a file or folder of a name that Windows does not have."""
    name = Path(os.fsdecode(path)).name
    if RESERVED.fullmatch(name) or REFUSED.search(name):
        raise OSError(errno.EINVAL, "invalid file name (Windows)", os.fsdecode(path))


def require_closed(path: Any) -> None:  # noqa: ANN401
    """Refuse to move or remove what some process of ours has open."""
    place = os.path.realpath(os.fsdecode(path))
    if any(is_inside(descriptor, place) for descriptor in Path("/proc").glob("[0-9]*/fd/*")):
        raise PermissionError(errno.EACCES, "used by another process (Windows)", os.fsdecode(path))


def is_inside(descriptor: Path, place: str) -> bool:
    try:
        return descriptor.readlink().is_relative_to(place)
    except OSError:
        return False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, int) or not isinstance(flags, int):
            return
        name = Path(os.fsdecode(path))
        if name.is_relative_to("/proc") or name.is_relative_to("/dev"):
            return
        if mode is None and name.is_dir():
            raise PermissionError(errno.EACCES, "a folder cannot be opened (Windows)", str(name))
        if flags & os.O_CREAT:
            require_possible_name(name)
    elif event == "os.mkdir":
        require_possible_name(arguments[0])
    elif event in ("os.rename", "os.link"):
        require_possible_name(arguments[1])
        if event == "os.rename":
            require_closed(arguments[0])
            require_closed(arguments[1])
    elif event in ("os.remove", "os.rmdir"):
        require_closed(arguments[0])
    elif event == "os.symlink":
        raise OSError(errno.EPERM, "a required privilege is not held (Windows)")


os.rename, os.fsync = rename, fsync
vars(shutil)["_use_fd_functions"] = False
# Python on Windows has it so: a file without a name cannot be made there.
tempfile.TemporaryFile = tempfile.NamedTemporaryFile
sys.meta_path.insert(0, Finder)
sys.addaudithook(watch)
