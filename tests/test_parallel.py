"""Work at once: in order, few items ahead, and one that ends its process costs itself alone."""

import os
import threading
import time

import pytest

from cephalometric.parallel import map_by_processes, map_by_threads, usable_cores


def nothing():
    pass


def double(item):
    if item == 'dies':
        os._exit(1)
    if item == 'fails':
        raise ValueError('no number')
    return 2 * item


def by_processes(items, workers=2):
    return map_by_processes(double, items, workers, nothing, (), lambda item: f'{item} alone')


def test_cores_are_at_least_one():
    assert usable_cores() >= 1


@pytest.mark.parametrize('workers', [1, 3])
def test_threads_give_results_in_order_and_take_few_items_ahead(workers):
    taken = []

    def items():
        for n in range(40):
            taken.append(n)
            yield n

    def slow(n):
        time.sleep(0.001 * (n % 3))
        return n, threading.current_thread().name

    results = map_by_threads(slow, items(), workers)
    assert next(results)[0] == 0 and len(taken) <= 2 * workers + 1
    assert [n for n, _ in results] == list(range(1, 40))


def test_an_item_that_ends_its_process_costs_no_other_and_an_error_is_passed_on():
    found = list(by_processes([1, 2, 'dies', 3, 4, 5, 'dies', 6]))
    assert found == [2, 4, 'dies alone', 6, 8, 10, 'dies alone', 12]
    results = by_processes([1, 'fails', 2])
    assert next(results) == 2
    with pytest.raises(ValueError, match='no number'):
        next(results)
