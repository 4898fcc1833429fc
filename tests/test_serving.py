"""The HTTP interface as it is configured, asked over real connections, in a process of its own."""

import http.client
import signal
import subprocess
import sys
import time

import pytest

from cephalometric.serving import LARGEST_BODY

# The job waits for the file "go", does what the file "how" says, and writes as the container does.
SERVER = """
import signal, sys, time, warnings
from pathlib import Path
from cephalometric.errors import InputError, run_step
from cephalometric.files import atomic_write
from cephalometric.serving import serve

folder = Path(sys.argv[1])

def job():
    how = (folder / 'how').read_text()
    if how == 'mistake':
        raise InputError('stack.mha: truncated')
    if how == 'defect':
        raise ZeroDivisionError('a defect')
    with atomic_write(folder / 'out' / 'result.json') as partial:
        partial.write_text('half')
        (folder / 'running').touch()
        while not (folder / 'go').exists():
            time.sleep(0.01)
        partial.write_text('whole')
    with open(folder / 'done', 'a') as file:
        file.write('x')

signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
run_step(lambda: serve(job, '127.0.0.1', 0))
"""


class Server:
    """A server in a process of its own, and a folder that its jobs write into."""

    def __init__(self, folder):
        self.folder = folder
        (folder / 'out').mkdir()
        (folder / 'go').touch()
        self.how('well')
        self.process = subprocess.Popen(
            [sys.executable, '-c', SERVER, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline().split('port ')[1].split(':')[0])

    def how(self, word):
        (self.folder / 'how').write_text(word)

    def start(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20)
        connection.request(method, path, body, headers or {})
        return connection

    def ask(self, *request, **more):
        connection = self.start(*request, **more)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, answer.headers

    def start_job(self):
        """Ask for a job that does not end, and wait until it runs."""
        (self.folder / 'go').unlink()
        connection = self.start('POST', '/invoke')
        until = time.monotonic() + 20
        while not (self.folder / 'running').exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        return connection

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def done(self):
        path = self.folder / 'done'
        return len(path.read_text()) if path.exists() else 0


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.process.kill()
    server.process.communicate()


def test_health_is_200_and_does_no_job(server):
    assert server.ask('GET', '/health')[0] == 200
    assert server.done() == 0


def test_each_invoke_does_the_job_and_answers_201(server):
    assert [server.ask('POST', '/invoke')[0] for _ in range(3)] == [201] * 3
    assert server.done() == 3
    assert [path.name for path in (server.folder / 'out').iterdir()] == ['result.json']


def test_anything_else_is_404(server):
    for request in (('GET', '/invoke'), ('POST', '/health'), ('GET', '/'), ('POST', '/invoke/')):
        assert server.ask(*request)[0] == 404
    assert server.done() == 0


@pytest.mark.parametrize('how', ['mistake', 'defect'])
def test_what_goes_wrong_is_500_and_the_next_job_is_done(server, how):
    server.how(how)
    status, text, _ = server.ask('POST', '/invoke')
    assert status == 500 and text.startswith('error: ') and text.count('\n') == 1
    assert ('stack.mha: truncated' in text) == (how == 'mistake') and 'ZeroDivision' not in text
    server.how('well')
    assert server.ask('POST', '/invoke')[0] == 201
    server.stop()
    said = server.process.stderr.read()
    assert said == 'error: stack.mha: truncated\n' if how == 'mistake' else 'ZeroDivisionError' in said


def test_during_a_job_others_are_sent_away_and_health_answers_always(server):
    first = server.start_job()
    waiting = [server.start('POST', '/invoke') for _ in range(20)]
    for _ in range(20):
        assert server.ask('GET', '/health')[0] == 200
    for connection in waiting:
        answer = connection.getresponse()
        assert answer.status == 503 and int(answer.headers['Retry-After']) > 0
    (server.folder / 'go').touch()
    assert first.getresponse().status == 201
    assert server.done() == 1
    assert server.ask('POST', '/invoke')[0] == 201


def test_a_body_is_small(server):
    assert server.ask('POST', '/invoke', body=b'{}')[0] == 201
    assert server.ask('POST', '/invoke', body=b' ' * (LARGEST_BODY + 1))[0] == 413
    # Refused by what is announced, before a byte of it has come.
    connection = server.start('POST', '/invoke', headers={'Content-Length': str(1 << 30)})
    assert connection.getresponse().status == 413
    assert server.done() == 1


def test_told_to_stop_in_the_middle_of_a_job_it_leaves_nothing_half_written_and_says_so_by_its_status(server):
    (server.folder / 'out' / 'result.json').write_text('earlier')
    server.start_job()
    assert server.stop() == 128 + signal.SIGTERM
    assert [path.name for path in (server.folder / 'out').iterdir()] == ['result.json']
    assert (server.folder / 'out' / 'result.json').read_text() == 'earlier'
    assert 'Traceback' not in server.process.stderr.read()


def test_told_to_stop_while_it_waits_it_ends_well(server):
    assert server.ask('POST', '/invoke')[0] == 201
    assert server.stop() == 0
    assert server.process.stderr.read() == ''
