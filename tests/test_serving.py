"""The HTTP interface, asked over real connections."""

import http.client
import threading

import pytest
import waitress

from cephalometric.errors import InputError
from cephalometric.serving import invoke_application


class Job:
    """Counts how often it is done; fails with each of the errors that are waiting in ``errors``."""

    def __init__(self):
        self.done = 0
        self.running = 0
        self.most_at_once = 0
        self.errors = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self):
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            assert self.go_on.wait(10)
            if self.errors:
                raise self.errors.pop(0)
            self.done += 1
        finally:
            self.running -= 1


@pytest.fixture
def job():
    return Job()


@pytest.fixture
def ask(job):
    server = waitress.create_server(invoke_application(job), host='127.0.0.1', port=0, threads=3)
    threading.Thread(target=server.run, daemon=True).start()

    def request(method, path):
        connection = http.client.HTTPConnection('127.0.0.1', server.effective_port, timeout=20)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    yield request
    server.close()


def test_health_is_200_and_does_no_job(ask, job):
    assert ask('GET', '/health')[0] == 200
    assert job.done == 0


def test_each_invoke_does_the_job_and_answers_201(ask, job):
    assert [ask('POST', '/invoke')[0] for _ in range(3)] == [201] * 3
    assert job.done == 3


@pytest.mark.parametrize(
    ('method', 'path'), [('GET', '/invoke'), ('POST', '/health'), ('GET', '/'), ('POST', '/invoke/')]
)
def test_anything_else_is_404(ask, job, method, path):
    assert ask(method, path)[0] == 404
    assert job.done == 0


def test_a_users_mistake_is_500_with_one_line_and_the_next_job_is_done(ask, job, capfd):
    job.errors.append(InputError('stack.mha: truncated'))
    assert ask('POST', '/invoke') == (500, 'error: stack.mha: truncated\n')
    assert capfd.readouterr().err == 'error: stack.mha: truncated\n'
    assert ask('POST', '/invoke')[0] == 201


def test_a_defect_is_500_and_the_next_job_is_done(ask, job):
    job.errors.append(ZeroDivisionError('a defect'))
    assert ask('POST', '/invoke')[0] == 500
    assert ask('POST', '/invoke')[0] == 201


def test_one_job_at_a_time_and_health_answers_meanwhile(ask, job):
    job.go_on.clear()
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(ask('POST', '/invoke')[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert ask('GET', '/health')[0] == 200
    job.go_on.set()
    for thread in threads:
        thread.join(20)
    assert statuses == [201, 201]
    assert job.most_at_once == 1
