"""Who may ask, without a server; over real connections it is tried in test_review_server.py."""

import pytest

from cephalometric.reviewing.request_guard import HEADERS, RequestGuard

PORT = 4750


def request(guard, **changes):
    usual = {
        'REQUEST_METHOD': 'GET',
        'PATH_INFO': '/api/films',
        'QUERY_STRING': '',
        'HTTP_HOST': f'127.0.0.1:{PORT}',
        'HTTP_COOKIE': guard.cookie(PORT).split(';')[0],
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def test_the_page_itself_is_answered_by_either_name_of_this_machine():
    guard = RequestGuard()
    for host in (f'127.0.0.1:{PORT}', f'localhost:{PORT}'):
        assert guard.refusal(request(guard, HTTP_HOST=host), PORT) == ''
        post = request(guard, HTTP_HOST=host, REQUEST_METHOD='POST', HTTP_ORIGIN=f'http://{host}')
        assert guard.refusal(post, PORT) == ''


@pytest.mark.parametrize(
    'changes',
    [
        {'HTTP_COOKIE': None},
        {'HTTP_COOKIE': 'cephalometric_review_4750='},
        {'HTTP_COOKIE': 'cephalometric_review_4750=é\x00;;;=='},
        {'HTTP_HOST': '127.0.0.1'},
        {'HTTP_HOST': '127.0.0.1:80'},
        {'HTTP_HOST': f'127.0.0.1.evil.example:{PORT}'},
        {'HTTP_HOST': None},
        {'HTTP_ORIGIN': f'https://127.0.0.1:{PORT}'},
        {'HTTP_ORIGIN': 'http://127.0.0.1:80'},
        {'HTTP_SEC_FETCH_SITE': 'same-site'},
        {'REQUEST_METHOD': 'POST'},
    ],
)
def test_others_are_not(changes):
    guard = RequestGuard()
    assert guard.refusal(request(guard, **changes), PORT)


def test_the_token_opens_the_page_alone_and_is_another_one_each_time():
    guard = RequestGuard()
    first = {'QUERY_STRING': f'token={guard.token}', 'HTTP_COOKIE': None}
    assert guard.refusal(request(guard, PATH_INFO='/', **first), PORT) == ''
    assert guard.refusal(request(guard, **first), PORT)
    assert guard.refusal(request(guard, PATH_INFO='/', QUERY_STRING='token=x', HTTP_COOKIE=None), PORT)
    assert guard.refusal(request(RequestGuard(), PATH_INFO='/', **first), PORT) == ''
    assert RequestGuard().refusal(request(guard, PATH_INFO='/', **first), PORT)
    assert len(guard.token) >= 32


def test_the_policy_lets_nothing_in_from_elsewhere():
    policy = dict(HEADERS)['Content-Security-Policy']
    assert "default-src 'none'" in policy and 'unsafe' not in policy and 'http' not in policy and '*' not in policy
