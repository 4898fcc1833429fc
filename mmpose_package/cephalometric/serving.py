"""Grand Challenge's HTTP interface: a job that is done whenever the platform asks for it.

The platform polls ``GET /health`` until it answers 200, puts the input in place, and sends ``POST /invoke``, which
answers 201 when the output is written (https://grand-challenge.org/documentation/building-and-testing-the-container/).
"""

import logging
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterable

import waitress

from cephalometric.errors import InputError

PORT = 4743
RETRY_AFTER_S = 10
LONGEST_WAIT_S = 0.5
THREADS = 4  # One waits for the job; the others answer at once.
LARGEST_BODY = 64 * 1024  # The platform sends none.


def serve(job: Callable[[], None], host: str = '0.0.0.0', port: int = PORT) -> None:
    """Answer until the process is told to stop.

    The jobs are done in the thread that calls this, which must be the first of the process: a signal whose handler
    raises ``SystemExit`` then ends a job where it is, and what the job has not finished is cleared away. While there is
    no job, ``SystemExit`` only ends the waiting.

    Args:
        job: Reads the input and writes the output. When it raises ``InputError``, ``POST /invoke`` answers 500 with the
            message, which goes to stderr too, and the next one is served as if nothing had happened.
        host: The address to listen at; by default all of the machine's, because the platform calls from outside.
        port: The port to listen at; 0 is any that is free.

    Raises:
        SystemExit: The process was told to stop in the middle of a job.
    """
    # On a busy machine it would warn that requests wait for a moment, which the platform's do not mind.
    logging.getLogger('waitress.queue').setLevel(logging.ERROR)
    desk = Desk()
    server = waitress.create_server(
        application_of(desk),
        host=host,
        port=port,
        threads=THREADS,
        max_request_body_size=LARGEST_BODY,
    )
    threading.Thread(target=server.run, daemon=True).start()
    print(f'Listening on port {server.effective_port}: GET /health, POST /invoke', flush=True)
    desk.work(job)


class Desk:
    """Where the threads that answer ask the first thread for a job: one at a time, and no queue."""

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._asked: queue.SimpleQueue[queue.SimpleQueue] = queue.SimpleQueue()

    def ask(self) -> tuple[str, str] | None:
        """Have the job done; returns status and text, or None at once while another is being done."""
        if not self._taken.acquire(blocking=False):
            return None
        try:
            answer: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
            self._asked.put(answer)
            return answer.get()
        finally:
            self._taken.release()

    def work(self, job: Callable[[], None]) -> None:
        """Do the job whenever it is asked for, until ``SystemExit`` is raised; in the middle of a job it goes on."""
        in_a_job = False
        try:
            while True:
                try:
                    # Not without an end: a signal that comes just before the waiting would be seen after it.
                    answer = self._asked.get(timeout=LONGEST_WAIT_S)
                except queue.Empty:
                    continue
                in_a_job = True
                outcome = _do(job)
                in_a_job = False
                answer.put(outcome)
        except SystemExit:
            # Wherever it comes between two jobs, on a busy machine long after the answer, nothing is left undone.
            if in_a_job:
                raise


def application_of(desk: Desk) -> Callable[[dict, Callable], Iterable[bytes]]:
    """A WSGI application (PEP 3333) with the platform's two addresses."""

    def application(environ: dict, start_response: Callable) -> Iterable[bytes]:
        request = environ['REQUEST_METHOD'], environ['PATH_INFO']
        headers = []
        if request == ('GET', '/health'):
            status, text = '200 OK', 'ready'
        elif request == ('POST', '/invoke'):
            answer = desk.ask()
            if answer is None:
                headers.append(('Retry-After', str(RETRY_AFTER_S)))
                answer = '503 Service Unavailable', 'another job is being done: ask again later'
            status, text = answer
        else:
            status, text = '404 Not Found', 'GET /health and POST /invoke are served'
        body = f'{text}\n'.encode(errors='backslashreplace')
        headers += [('Content-Type', 'text/plain; charset=utf-8'), ('Content-Length', str(len(body)))]
        start_response(status, headers)
        return [body]

    return application


def _do(job: Callable[[], None]) -> tuple[str, str]:
    try:
        job()
    except InputError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        return '500 Internal Server Error', f'error: {error}'
    except Exception:  # A defect, which costs no later job.
        traceback.print_exc()
        return '500 Internal Server Error', 'error: a defect of the algorithm: see its log'
    return '201 Created', 'done'
