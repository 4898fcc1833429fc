"""Work on many things at once, with its results in their order and few of them in memory."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from cephalometric.errors import InputError

Item = TypeVar('Item')
Result = TypeVar('Result')
_AHEAD = 2
"""How many items a worker may be ahead of the one that is waited for."""


def usable_cores() -> int:
    """How many cores this process may use, which a queue or a container may have restricted."""
    if hasattr(os, 'process_cpu_count'):  # From Python 3.13 on.
        return os.process_cpu_count() or 1
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_by_threads(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """What a function makes of items, in their order.

    The items are taken in this thread, as they are needed: a few more than there are workers are in memory.

    Args:
        function: Is called in other threads; with one worker in this one.
        items: The items.
        workers: How many threads.
    """
    if workers == 1:
        yield from map(function, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from _in_order(pool, function, items, workers)


def _in_order(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    waiting = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def map_by_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    prepare: Callable[..., None],
    arguments: tuple,
    when_it_dies: Callable[[Item], Result],
) -> Iterator[Result]:
    """What a function makes of items, in their order, in processes of their own.

    A process that ends unexpectedly, as a damaged file may lead a library to, costs the item that it had and no other:
    what was under way is done again, one after another, to find out which item it is.

    Args:
        function: A function of a module.
        items: The items, which are taken as they are needed.
        workers: How many processes.
        prepare: Is called once in each of them.
        arguments: Its arguments.
        when_it_dies: What is the result for an item that ends its process.
    """
    spawn = multiprocessing.get_context('spawn')  # The one way that all systems have, and that threads do not harm.

    def start(count: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(count, spawn, initializer=_prepare, initargs=(prepare, arguments))

    pool, waiting = start(workers), deque()
    try:
        for item in _and_end(items):
            if item is not _END:
                waiting.append((item, _submitted(pool, function, item)))
            while waiting and (item is _END or len(waiting) > _AHEAD * workers):
                first, future = waiting.popleft()
                try:
                    result = future.result()
                except BrokenProcessPool:
                    pool.shutdown(wait=False, cancel_futures=True)
                    result = _alone(start, function, first, when_it_dies)
                    pool = start(workers)
                    waiting = deque((other, _submitted(pool, function, other)) for other, _ in waiting)
                yield result
    finally:
        # What is under way is waited for: nobody writes a file when the folder is no longer held.
        pool.shutdown(wait=True, cancel_futures=True)


def _alone(
    start: Callable[[int], ProcessPoolExecutor],
    function: Callable[[Item], Result],
    item: Item,
    when_it_dies: Callable[[Item], Result],
) -> Result:
    with start(1) as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool:
            raise InputError('processes to work in cannot be started, or end at once: use --workers 1') from None
        try:
            return pool.submit(function, item).result()
        except BrokenProcessPool:
            return when_it_dies(item)


_END = object()


def _and_end(items: Iterable[Item]) -> Iterator[Item]:
    yield from items
    yield _END


class _Broken:
    """Stands for what could not even be handed over."""

    def result(self) -> None:
        raise BrokenProcessPool


def _submitted(pool: ProcessPoolExecutor, function: Callable[[Item], Result], item: Item) -> object:
    try:
        return pool.submit(function, item)
    except BrokenProcessPool:
        return _Broken()


def _prepare(prepare: Callable[..., None], arguments: tuple) -> None:
    # Ctrl-C and a signal to all processes of a group are for the one that has started these, and ends them.
    for name in ('SIGINT', 'SIGTERM'):
        with contextlib.suppress(AttributeError, ValueError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare(*arguments)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
