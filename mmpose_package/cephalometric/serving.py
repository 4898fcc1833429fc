"""Grand Challenge's HTTP interface: a job that is done whenever the platform asks for it.

The platform polls ``GET /health`` until it answers 200, puts the input in place, and sends ``POST /invoke``, which
answers 201 when the output is written (https://grand-challenge.org/documentation/building-and-testing-the-container/).
"""

import sys
import threading
from collections.abc import Callable, Iterable

import waitress

from cephalometric.errors import InputError

PORT = 4743


def serve(job: Callable[[], None], host: str = '0.0.0.0', port: int = PORT) -> None:
    """Answer until the process is told to stop.

    Args:
        job: As for :func:`invoke_application`.
        host: The address to listen at; by default all of the machine's, because the platform calls from outside.
        port: The port to listen at.
    """
    # Two threads, so that /health answers while a job runs. Not waitress.serve, which logs its start on stderr.
    server = waitress.create_server(invoke_application(job), host=host, port=port, threads=2)
    print(f'Listening on port {port}: GET /health, POST /invoke', flush=True)
    server.run()


def invoke_application(job: Callable[[], None]) -> Callable[[dict, Callable], Iterable[bytes]]:
    """A WSGI application (PEP 3333) with the platform's two addresses.

    Args:
        job: Reads the input and writes the output; one at a time, however many are asked for. When it raises
            ``InputError``, ``POST /invoke`` answers 500 with the message, which goes to stderr too, and the next one
            is served as if nothing had happened.
    """
    one_at_a_time = threading.Lock()

    def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
        request = environ['REQUEST_METHOD'], environ['PATH_INFO']
        if request == ('GET', '/health'):
            status, text = '200 OK', 'ready'
        elif request == ('POST', '/invoke'):
            with one_at_a_time:
                status, text = _do(job)
        else:
            status, text = '404 Not Found', 'GET /health and POST /invoke are served'
        body = f'{text}\n'.encode()
        start_response(status, [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))])
        return [body]

    return application


def _do(job: Callable[[], None]) -> tuple[str, str]:
    try:
        job()
    except InputError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        return '500 Internal Server Error', f'error: {error}'
    return '201 Created', 'done'
