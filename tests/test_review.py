"""The command: what it takes, prints and ends with."""

import http.client
import json
import signal
import subprocess
import sys

import pytest
from command_lines import call
from review_films import write_results

from cephalometric.landmarks import landmark_table, load_landmark_set


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp('command') / 'results', ['one', 'two'])


@pytest.mark.skipif(sys.platform == 'win32', reason='a signal as Ctrl-C sends it')
def test_it_prints_its_address_serves_and_ends_by_ctrl_c(results, tmp_path):
    # Where the tests run in the background, the shell has Ctrl-C ignored.
    heard = 'import signal; signal.signal(signal.SIGINT, signal.default_int_handler)'
    code = f'{heard}; from cephalometric.__main__ import main_or_exit; main_or_exit()'
    words = [sys.executable, '-c', code, 'review', results, '--out', tmp_path / 'out', '--port', '0', '--no-browser']
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert '2 films, 19 landmarks; nothing is predicted' in process.stdout.readline()
    address = process.stdout.readline().split()[1]
    host, path = address.removeprefix('http://').split('/', 1)
    assert host.startswith('127.0.0.1:')
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request('GET', f'/{path}')
    answer = connection.getresponse()
    assert answer.status == 303
    answer.read()
    connection.request('GET', '/api/films', headers={'Cookie': answer.headers['Set-Cookie'].split(';')[0]})
    assert len(json.loads(connection.getresponse().read())) == 2
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and 'ended: ' in out and err == ''


def test_what_does_not_go_together_ends_with_one_line(results, data_root, tmp_path):
    own = tmp_path / 'own.json'
    own.write_text(json.dumps(landmark_table(load_landmark_set('isbi2015')) | {'lines': []}))
    out = ('--out', tmp_path / 'out', '--no-browser')
    for words, said in (
        ((results, '--landmarks', 'cldetection2023'), "the input has the landmarks of 'isbi2015'; leave it out"),
        ((results, '--reader', ' '), '--reader'),
        ((results, '--port', '70000'), '--port 70000'),
        ((data_root, '--model', 'isbi2015'), 'give a model of the same landmarks'),
        ((tmp_path / 'gone',), 'there is no such file'),
        ((results, '--landmarks', 'x'), "there is no landmark set 'x'"),
    ):
        status, _, err = call('review', *words, *out)
        assert status == 2 and said in err and err.count('\n') == 1, err
    assert not (tmp_path / 'out').exists()
