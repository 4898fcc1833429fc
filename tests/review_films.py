"""Small films for the page of a review, and a server of it in this process or in one of its own."""

import http.client
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from films import LANDMARKS, phantoms

from cephalometric.geometry import Orientation
from cephalometric.results.predictions import PredictedXray, Predictions, write_predictions
from cephalometric.reviewing.review_desk import ReviewDesk
from cephalometric.reviewing.review_inputs import open_review
from cephalometric.reviewing.review_server import ReviewServer

FLAGGED = (2, 5)
SPACING_MM = 1.0


def predicted(name: str, file: Path, points_px: np.ndarray, size: tuple[int, int], doubt: float = 0) -> PredictedXray:
    """A film whose landmarks 2 and 5 are flagged, the more the larger ``doubt`` is."""
    expected_mm = np.full(len(points_px), 1.0)
    expected_mm[list(FLAGGED)] = 4 + doubt
    width, height = size
    scores = np.full(len(points_px), 0.9)
    return PredictedXray(
        name,
        str(file),
        None,
        width,
        height,
        SPACING_MM,
        Orientation(),
        points_px,
        scores,
        expected_mm,
        expected_mm > 3,
    )


def write_results(folder: Path, names: list[str]) -> Path:
    """What ``predict`` writes of these films, of which there are as many as you like; the last is the most doubtful."""
    (folder / 'films').mkdir(parents=True)
    phantom = phantoms()['film1']
    height, width = phantom.image.shape
    encoded = cv2.imencode('.png', phantom.image)[1].tobytes()
    xrays = []
    for number, name in enumerate(names):
        path = folder / 'films' / f'{name}.png'
        path.write_bytes(encoded)
        xrays.append(predicted(name, path, phantom.points_px.round(2), (width, height), number / len(names)))
    write_predictions(folder / 'predictions.json', Predictions(LANDMARKS, tuple(xrays), {}, {'names': ['tiny']}))
    return folder


@contextmanager
def served(folder: Path, out: Path, reader: str = 'Ann', port: int = 0, landmarks=None, model=None):
    """A server of the page in this process."""
    review = open_review([folder])
    desk = ReviewDesk(review.films, landmarks or review.landmarks, out, reader, model)
    server = ReviewServer(desk, port)
    desk.start()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)
        desk.end()


class Program:
    """The command in a process of its own, which can be killed."""

    def __init__(self, *arguments: object) -> None:
        words = [sys.executable, '-m', 'cephalometric', 'review', *map(str, arguments), '--no-browser']
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        lines = iter(self.process.stdout.readline, '')
        self.address = next(line.split()[1] for line in lines if line.startswith('Open '))

    @property
    def port(self) -> int:
        return int(self.address.split(':')[2].split('/')[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Client:
    """Asks a server as a browser does, or as one does not."""

    def __init__(self, server: ReviewServer) -> None:
        self.server = server
        self.host = f'127.0.0.1:{server.port}'
        self.cookie = ''
        status, headers, _ = self.ask('GET', server.address.split(self.host)[1])
        assert status == 303
        self.cookie = headers['Set-Cookie'].split(';')[0]

    def ask(self, method, path, body=None, **headers):
        """The status, the headers and the body of an answer; a header that is None is left out."""
        connection = http.client.HTTPConnection('127.0.0.1', self.server.port, timeout=20)
        usual = {'Host': self.host, 'Cookie': self.cookie}
        if body is not None:
            usual |= {'Content-Type': 'application/json', 'Origin': f'http://{self.host}'}
        named = usual | {name.replace('_', '-'): value for name, value in headers.items()}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            for name, value in named.items():
                if value:
                    connection.putheader(name, value)
            if content is not None and 'Content-Length' not in named:
                connection.putheader('Content-Length', str(len(content)))
            connection.endheaders(content)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None):
        status, _, content = self.ask(method, path, body)
        return status, json.loads(content)

    def edit(self, number, base, *commands, request='one'):
        """Whether it was done, and the film after it."""
        body = {'base': base, 'request': request, 'commands': list(commands)}
        status, answer = self.json('POST', f'/api/films/{number}/edits', body)
        assert status == 200
        return answer['done'], answer['film']
