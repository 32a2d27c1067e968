"""What the system says about processes: their descendants, memory and processor time. Linux's /proc.

A process that is gone has no descendants and uses nothing. Elsewhere than on Linux nothing is known of any.
"""

# pathlib is slow to import, and this process must start fast.
# ruff: noqa: PTH116, PTH123, PTH208

from __future__ import annotations

import contextlib
import errno
import mmap
import os


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for thread in _threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as listed:
                found += [int(each) for each in listed.read().split()]
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    found = children_of(pid)
    for each in found:
        found += children_of(each)
    return found


def process_of(thread: int) -> int:
    try:
        with open(f"/proc/{thread}/status") as status:
            for line in status:
                if line.startswith("Tgid:"):
                    return int(line.split()[1])
    except OSError:
        return thread
    return thread


def _stat(pid: int | str) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return []


def processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants, those it has collected included."""
    ticks = 0
    for each in (pid, *descendants(pid)):
        ticks += sum(int(field) for field in _stat(each)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def is_runnable(pids: list[int]) -> bool:
    """Say whether any thread of these processes runs, wants to, or waits for the disk."""
    return any(_state(pid, thread) in ("R", "D") for pid in pids for thread in _threads(pid))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def _state(pid: int, thread: str) -> str:
    return (_stat(f"{pid}/task/{thread}") or ["X"])[0]


def thread_count(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0


def resident_mb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as statm:
            return int(statm.read().split()[1]) * mmap.PAGESIZE // (1024 * 1024)
    except (OSError, IndexError):
        return 0


def proportional_mb(pid: int) -> int:
    """Return a process's share of the memory that it uses: what forks have in common counts once."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) // 1024
    except OSError:
        return resident_mb(pid)
    return 0


def send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def memory(pid: int, where: int, count: int) -> bytes:
    handle = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, count, where)
    except OverflowError:
        raise OSError(errno.EFAULT, "address") from None
    finally:
        os.close(handle)


def can_read_memory(pid: int) -> bool:
    """Say whether the system lets a keeper see the addresses that its child hands to the kernel."""
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def write_memory(pid: int, where: int, data: bytes) -> None:
    handle = os.open(f"/proc/{pid}/mem", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(handle, data, where)
    finally:
        os.close(handle)
