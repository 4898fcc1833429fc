"""The page's interface over real connections: what it answers, and to whom it does not."""

import json
import random
import time

import cv2
import numpy as np
import pytest
from review_films import Client, served, write_results

from cephalometric.reviewing.review_server import LARGEST_BODY

MOVE = {'kind': 'move', 'landmark': 'S', 'x_px': 20.5, 'y_px': 30.25}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp('served') / 'results', ['one', 'two', 'three'])


@pytest.fixture
def client(folder, tmp_path):
    with served(folder, tmp_path / 'out') as server:
        yield Client(server)


def test_a_film_is_read_moved_and_saved(client, tmp_path):
    status, film = client.json('GET', '/api/films/0?next=1,2,99')
    assert status == 200 and film['revision'] == 0 and film['undo'] is None and not any(film['warnings'])
    assert [k for k, one in enumerate(film['doubtful']) if one] == [2, 5]
    done, film = client.edit(0, 0, MOVE)
    assert done and film['revision'] == 1
    assert film['landmarks'][0] | {'date': ''} == {
        'landmark': 'S', 'x_px': 20.5, 'y_px': 30.25, 'visible': True, 'status': 'corrected', 'date': ''
    }  # fmt: skip
    assert film['row']['done'] == 1 and film['undo'] == {'kind': 'move', 'landmarks': ['S']}
    kept = json.loads((tmp_path / 'out' / 'Ann' / 'one.json').read_text())
    assert kept['landmarks'][0]['x_px'] == 20.5 and kept['reader'] == 'Ann' and kept['begun_with']['model']


def test_another_window_is_noticed_and_a_lost_answer_is_not_done_twice(client):
    assert client.edit(0, 0, MOVE, request='first')[0]
    assert client.edit(0, 0, MOVE, request='first')[1]['revision'] == 1
    done, film = client.edit(0, 0, MOVE | {'landmark': 'N'}, request='second')
    assert not done and film['revision'] == 1 and film['landmarks'][0]['status'] == 'corrected'
    assert client.edit(0, 1, MOVE | {'landmark': 'N'}, request='second')[1]['revision'] == 2
    assert client.json('GET', '/api/films/0/revision')[1] == {'revision': 2, 'others': {}}


def test_other_readers_are_seen_and_never_written_to(client, folder, tmp_path):
    client.edit(1, 0, MOVE)
    before = (tmp_path / 'out' / 'Ann' / 'two.json').read_bytes()
    with served(folder, tmp_path / 'out', reader='Ben') as server:
        other = Client(server)
        film = other.json('GET', '/api/films/1')[1]
        assert film['revision'] == 0 and [one['reader'] for one in film['others']] == ['Ann']
        assert film['others'][0]['landmarks'][0]['x_px'] == 20.5
        other.edit(1, 0, MOVE | {'x_px': 1})
    assert (tmp_path / 'out' / 'Ann' / 'two.json').read_bytes() == before
    assert client.json('GET', '/api/films/1')[1]['others'][0]['reader'] == 'Ben'


def test_measurements_are_those_of_the_package(client):
    film = client.json('GET', '/api/films/0')[1]
    asked = {name: film[name] for name in ('expected_mm', 'doubtful', 'spacing_mm')}
    asked |= {'analysis': 'steiner', 'points': film['found'], 'sex': None, 'age': None}
    status, answer = client.json('POST', '/api/values', asked)
    assert status == 200 and answer['lines'] and answer['groups'][0]['rows'][0]['title'] == 'SNA'
    asked['points'][4] = None
    row = client.json('POST', '/api/values', asked)[1]['groups'][0]['rows'][0]
    assert row['value'] == '–' and row['why_not'] == 'no A'


def test_pictures_are_whole_of_8_bits_and_without_texts(client):
    status, headers, content = client.ask('GET', '/api/films/2/picture')
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    film = client.json('GET', '/api/films/2')[1]
    assert status == 200 and headers['Content-Type'].startswith('image/png') and image.dtype == np.uint8
    assert image.shape == (film['height'], film['width']) and b'tEXt' not in content
    status, headers, content = client.ask('GET', '/api/films/2/thumbnail')
    assert status == 200 and max(cv2.imdecode(np.frombuffer(content, np.uint8), 0).shape) <= 160


def test_every_answer_forbids_what_a_page_could_be_misused_for(client):
    for path in ('/', '/api/about', '/page/main.js', '/nothing'):
        headers = client.ask('GET', path)[1]
        assert "default-src 'none'" in headers['Content-Security-Policy'] and 'unsafe' not in str(headers)
        assert headers['X-Content-Type-Options'] == 'nosniff' and headers['Cache-Control'] == 'no-store'
        assert headers['Cross-Origin-Resource-Policy'] == 'same-origin' and 'Server' not in headers


def test_the_token_leaves_the_address_and_the_cookie_is_for_this_page_alone(client):
    _, headers, _ = client.ask('GET', f'/?token={client.server.address.split("=")[1]}', Cookie=None)
    assert headers['Location'] == '/' and 'HttpOnly' in headers['Set-Cookie'] and 'Strict' in headers['Set-Cookie']


@pytest.mark.parametrize(
    'headers',
    [
        {'Cookie': None},
        {'Cookie': 'cephalometric_review_1=x'},
        {'Host': 'evil.example'},
        {'Host': 'evil.example:80'},
        {'Host': None},
        {'Origin': 'http://evil.example'},
        {'Origin': 'null'},
        {'Sec_Fetch_Site': 'cross-site'},
        {'Sec_Fetch_Site': 'same-site'},
    ],
)
def test_who_does_not_know_the_token_or_comes_from_another_page_gets_nothing(client, headers):
    paths = ('/', '/api/about', '/api/films', '/api/films/0', '/api/films/0/picture', '/page/main.js', '/nothing')
    for path in paths:
        status, _, content = client.ask('GET', path, **headers)
        assert status in (400, 403) and b'Ann' not in content and len(content) < 300, path
    body = {'base': 0, 'request': 'x', 'commands': [MOVE]}
    assert client.ask('POST', '/api/films/0/edits', body, **headers)[0] in (400, 403)
    assert client.json('GET', '/api/films/0')[1]['revision'] == 0


def test_a_form_of_another_page_writes_nothing(client):
    body = {'base': 0, 'request': 'x', 'commands': [MOVE]}
    assert client.ask('POST', '/api/films/0/edits', body, Origin=None)[0] == 403
    assert client.ask('POST', '/api/films/0/edits', body, Content_Type='text/plain')[0] == 415
    assert client.ask('POST', '/api/films/0/edits', b'{}', Content_Length=str(LARGEST_BODY + 1))[0] == 413
    for method in ('PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'):
        assert client.ask(method, '/api/films/0')[0] == 405


PATHS = (
    *('/../../etc/passwd', '//etc', '/favicon.ico', '/page/', '/page/main.py', '/page/main.js%00', '/page//etc/passwd'),
    *('/page/../review_server.py', '/page/%2e%2e/review_server.py', '/api/films/../../x', '/api/films/-1'),
    *(
        '/api/films/3',
        '/api/films/99999999999',
        '/api/films/0/edits/x',
        '/api/films/0/thumbnail/..',
        '/api/films/0%2fx',
    ),
)


def test_no_path_leads_to_another_file(client):
    for path in PATHS:
        status, _, content = client.ask('GET', path)
        assert status in (400, 404) and b'root:' not in content and b'import' not in content, path


WRONG_COMMANDS = (
    *(
        MOVE | wrong
        for wrong in ({'landmark': '../x'}, {'x_px': 'NaN'}, {'x_px': 1e300}, {'x_px': True}, {'y_px': None})
    ),
    *({'kind': 'confirm', 'landmarks': wrong} for wrong in ('S', [[]], [], ['none'])),
    *({'kind': 'spacing', 'spacing_mm': wrong} for wrong in (-1, 0, '0.1', 1e9)),
    {'kind': 'spacing', 'spacing_mm': 0.1, 'ruler': {}},
    *({'kind': 'delete'}, {'kind': []}, {}, 7, None),
)
WRONG = (
    *([], {}, 'x', None, 1, {'base': 0}, {'base': 0, 'request': 'x', 'commands': []}),
    *({'base': 'x', 'request': 'x', 'commands': [MOVE]}, {'base': 0, 'request': '', 'commands': [MOVE]}),
    *({'base': 0, 'request': 'x', 'commands': [wrong]} for wrong in WRONG_COMMANDS),
)


@pytest.mark.parametrize('number', range(len(WRONG)))
def test_what_is_no_edit_writes_nothing(client, tmp_path, number):
    status, _, content = client.ask('POST', '/api/films/0/edits', json.dumps(WRONG[number]).encode())
    assert status in (400, 422) and json.loads(content)['error']
    assert not list((tmp_path / 'out').glob('*/*.json'))


def test_noise_is_answered_and_changes_no_file(client, folder, tmp_path):
    random.seed(5)
    before = {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}
    parts = [
        'api',
        'films',
        '0',
        'edits',
        'picture',
        '..',
        '%00',
        'page',
        'main.js',
        '?',
        '=',
        'next',
        'é',
        '~',
        '*',
        ' ',
    ]
    statuses = set()
    for _ in range(150):
        path = '/' + '/'.join(random.choice(parts) for _ in range(random.randint(0, 5)))
        body = random.choice([None, random.randbytes(random.randint(0, 60)), b'{"base": ' + random.randbytes(9) + b'}'])
        path = path.replace(' ', '%20').replace('é', '%C3%A9')
        statuses.add(client.ask(random.choice(['GET', 'POST', 'HEAD']), path, body)[0])
    assert statuses <= {200, 400, 403, 404, 405, 415, 422}
    assert {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()} == before
    assert not list((tmp_path / 'out').glob('*/*.json'))


def test_a_thousand_films_are_listed_at_once(tmp_path):
    results = write_results(tmp_path / 'many', [f'film{n}' for n in range(1000)])
    begun = time.monotonic()
    with served(results, tmp_path / 'out') as server:
        rows = Client(server).json('GET', '/api/films')[1]
    assert len(rows) == 1000 and rows[999]['doubt'] > rows[0]['doubt'] >= 2
    assert time.monotonic() - begun < 10
