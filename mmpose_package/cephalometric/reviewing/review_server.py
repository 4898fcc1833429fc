"""The page of a review and its interface over HTTP, for a browser on this machine.

What a request names is a number of a film or one of the files of the page, never a path: no request leads to another
file.
"""

import json
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

import waitress
from waitress import wasyncore

from cephalometric.errors import InputError
from cephalometric.reviewing.request_guard import HEADERS, RequestGuard
from cephalometric.reviewing.review_desk import ReviewDesk

HOST = '127.0.0.1'
PORT = 4750
THREADS = 8
LARGEST_BODY = 1 << 20
LONGEST_WAIT_S = 0.2
PAGE = Path(__file__).with_name('page')
TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml'}
FILM = re.compile(r'/api/films/([0-9]{1,7})(?:/(picture|thumbnail|revision|edits))?')
NEXT = re.compile(r'next=([0-9]{1,7}(?:,[0-9]{1,7}){0,9})')


class Answer(Exception):
    """What a request is answered.

    Attributes:
        status: Such as ``404 Not Found``.
        kind: The content type.
        body: The content.
    """

    def __init__(self, status: str, kind: str, body: bytes) -> None:
        super().__init__(status)
        self.status, self.kind, self.body = status, kind, body


def as_json(content: object, status: str = '200 OK') -> Answer:
    """An answer of plain types."""
    text = json.dumps(content, allow_nan=False, ensure_ascii=True)
    return Answer(status, 'application/json', text.encode())


def in_words(status: str, words: str) -> Answer:
    """An answer that says why there is no other."""
    return as_json({'error': words}, status)


class ReviewServer:
    """Serves a review until it is closed.

    Args:
        desk: What the page asks for.
        port: The port to listen at; 0 is any that is free.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, desk: ReviewDesk, port: int = PORT) -> None:
        self._desk, self._guard = desk, RequestGuard()
        self._files = {
            f'/page/{path.name}': (TYPES[path.suffix], path.read_bytes())
            for path in sorted(PAGE.iterdir())
            if path.suffix in TYPES
        }
        self._sockets: dict = {}
        self._ended = threading.Event()
        self._server = waitress.create_server(
            self.application,
            map=self._sockets,
            host=HOST,
            port=port,
            threads=THREADS,
            max_request_body_size=LARGEST_BODY,
            ident=None,
        )
        self.port = int(self._server.effective_port)

    @property
    def address(self) -> str:
        """The address with the token."""
        return f'http://{HOST}:{self.port}/?token={self._guard.token}'

    def run(self) -> None:
        """Answer until :meth:`close` is called or the process ends."""
        try:
            # Not by the server's own loop, which nothing but a signal ends.
            while not self._ended.is_set():
                wasyncore.loop(timeout=LONGEST_WAIT_S, map=self._sockets, count=1)
        finally:
            self._server.task_dispatcher.shutdown()
            self._server.close()

    def close(self) -> None:
        """Answer no further request; what is being answered is brought to its end."""
        self._ended.set()

    def application(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """A WSGI application (PEP 3333)."""
        headers = list(HEADERS)
        try:
            refusal = self._guard.refusal(environ, self.port)
            if refusal:
                answer = in_words('403 Forbidden', refusal)
            elif self._guard.brings_token(environ):
                # The token does not stay in the address, where others might see it.
                answer = Answer('303 See Other', 'text/plain', b'')
                headers += [('Location', '/'), ('Set-Cookie', self._guard.cookie(self.port))]
            else:
                answer = self._answer(environ)
        except Answer as found:
            answer = found
        except InputError as error:
            answer = in_words('422 Unprocessable Content', str(error))
        except Exception:  # A defect, which costs no later request.
            traceback.print_exc(file=sys.stderr)
            answer = in_words('500 Internal Server Error', 'a defect: see what the program printed')
        headers += [('Content-Type', f'{answer.kind}; charset=utf-8'), ('Content-Length', str(len(answer.body)))]
        start_response(answer.status, headers)
        return [] if environ['REQUEST_METHOD'] == 'HEAD' else [answer.body]

    def _answer(self, environ: dict) -> Answer:
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        if method == 'GET':
            return self._get(path, environ.get('QUERY_STRING', ''))
        if method == 'POST':
            return self._post(path, _content(environ))
        return in_words('405 Method Not Allowed', 'GET and POST are served')

    def _get(self, path: str, query: str) -> Answer:
        if path == '/':
            path = '/page/index.html'
        if path in self._files:
            kind, body = self._files[path]
            return Answer('200 OK', kind, body)
        if path == '/api/about':
            return as_json(self._desk.about())
        if path == '/api/films':
            return as_json(self._desk.rows())
        number, part = self._film(path)
        if part is None:
            said = NEXT.fullmatch(query)
            following = [int(text) for text in said[1].split(',')] if said else []
            return as_json(self._desk.film(number, [one for one in following if one < len(self._desk.films)]))
        if part == 'revision':
            return as_json(self._desk.revision(number))
        film = self._desk.films[number]
        if part == 'picture':
            return Answer('200 OK', 'image/png', self._desk.pictures.picture(film))
        if part == 'thumbnail':
            return Answer('200 OK', 'image/jpeg', self._desk.pictures.thumbnail(film))
        return in_words('405 Method Not Allowed', 'edits are sent by POST')

    def _post(self, path: str, content: dict) -> Answer:
        if path == '/api/values':
            return as_json(self._desk.values(content))
        number, part = self._film(path)
        if part != 'edits':
            return in_words('405 Method Not Allowed', 'only edits are sent by POST')
        done, film = self._desk.edit(number, content)
        # Not as an error of HTTP, which browsers would write into the console.
        return as_json({'done': done, 'film': film})

    def _film(self, path: str) -> tuple[int, str | None]:
        match = FILM.fullmatch(path)
        if match is None or int(match[1]) >= len(self._desk.films):
            raise in_words('404 Not Found', 'there is no such thing')
        return int(match[1]), match[2]


def _content(environ: dict) -> dict:
    """The JSON object that a request holds."""
    if environ.get('CONTENT_TYPE', '').split(';')[0].strip() != 'application/json':
        raise in_words('415 Unsupported Media Type', 'JSON is taken')
    try:
        content = json.loads(environ['wsgi.input'].read(LARGEST_BODY + 1).decode('utf-8'))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise in_words('400 Bad Request', 'the request is no JSON object')
    return content
