"""``review``: a page in the browser on which a person checks and corrects landmarks."""

import argparse
import errno
import sys
import threading
import webbrowser

from cephalometric.api import load_model
from cephalometric.commands import add_model_arguments, device_of, example
from cephalometric.commands.number_flags import whole_number
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.names import printable
from cephalometric.prediction.model_folder import DEFAULT
from cephalometric.reviewing.look_ahead import ReviewModel
from cephalometric.reviewing.review_desk import ReviewDesk
from cephalometric.reviewing.review_inputs import ReviewInput, open_review
from cephalometric.reviewing.review_server import HOST, PORT, ReviewServer

DESCRIPTION = """Check and correct landmarks on a page in the browser, which is served on this machine alone. INPUT is
predictions.json of predict or the folder that holds it; X-rays, which are predicted as one looks at them or, with
--landmarks and without --model, annotated from nothing; or a data root of step 2, whose labels are checked against
predictions. OUT receives a folder for each reader with a JSON file for each X-ray, saved at every change, and
landmarks.csv. Ctrl-C ends it. For research; not a medical device."""
EXAMPLE = """
  cephalometric review results --reader Ann
  cephalometric review films/ --landmarks mine.json --out annotated
  cephalometric review data/ --model work_dirs/fold1
"""
MOST_PORT = 65535


def add_review_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'review', help='check and correct landmarks in the browser', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='predictions.json, X-rays, or a data root')
    parser.add_argument('--out', default='review', metavar='DIR', help='the folder for what readers do [%(default)s]')
    parser.add_argument('--reader', default='reader', metavar='NAME', help='who reviews [%(default)s]')
    parser.add_argument(
        '--landmarks',
        metavar='SET',
        help='a landmark set, or the path of your own; without --model nothing is predicted',
    )
    add_model_arguments(parser, required=False)
    parser.add_argument('--recursive', action='store_true', help='look into the subfolders of folders too')
    parser.add_argument(
        '--port', type=whole_number('--port'), metavar='N', help=f'listen there [{PORT}, or any that is free]'
    )
    parser.add_argument('--no-browser', action='store_true', help='only print the address')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C; the exit status is 1 when a file could not be read."""
    if not args.reader.strip() or len(args.reader) > 60:
        raise InputError(f'--reader {args.reader!r}: give a name of 1 to 60 letters')
    if args.port is not None and args.port > MOST_PORT:
        raise InputError(f'--port {args.port}: a port is a number up to {MOST_PORT}')
    review = open_review(args.inputs, args.recursive)
    for line in review.failed:
        _say(f'error: {line}')
    asked = load_landmark_set(args.landmarks) if args.landmarks else None
    model = _model(args, review, asked)
    landmarks = _agreed(args, review, asked, model)
    desk = ReviewDesk(review.films, landmarks, args.out, args.reader.strip(), model)
    server = _server(desk, args.port)
    desk.start()
    predicted = f'predicted by {", ".join(map(str, model.about["names"]))}' if model else 'nothing is predicted'
    print(f'{len(review.films)} films, {len(landmarks)} landmarks; {predicted}; {desk.store.folder}')
    print(f'Open {server.address}', flush=True)
    print('Everything is saved at once; Ctrl-C ends it', flush=True)
    if not args.no_browser:
        webbrowser.open(server.address)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.5)
    except KeyboardInterrupt:
        pass
    server.close()
    thread.join()
    desk.end()
    print(f'\nended: {desk.store.folder}')
    return 1 if review.failed else 0


def _model(args: argparse.Namespace, review: ReviewInput, asked: LandmarkSet | None) -> ReviewModel | None:
    """What predicts: what --model says; else, without --landmarks, the model that ships, if it finds the landmarks."""
    if not args.model and (asked is not None or all(film.found is not None for film in review.films)):
        return None
    names = args.model or [DEFAULT]
    model = load_model(
        *names, calibration=args.calibration, backend=args.backend, device=device_of(args.backend, args.cuda_id)
    )
    wanted = asked or review.landmarks
    if wanted is not None and wanted.abbreviations != model.landmarks.abbreviations:
        if args.model:
            raise InputError(
                f'--model {" ".join(names)} finds the {len(model.landmarks)} landmarks of {model.landmarks.name!r}, '
                f'and the films have the {len(wanted)} of {wanted.name!r}: give a model of the same landmarks'
            )
        return None

    def predict(xray):
        return model.predict_batch([xray])[0].without_image()

    return ReviewModel(predict, model.landmarks, model.about())


def _agreed(
    args: argparse.Namespace, review: ReviewInput, asked: LandmarkSet | None, model: ReviewModel | None
) -> LandmarkSet:
    """The landmark set of all of it."""
    named = review.landmarks
    if named is not None and asked is not None and named.abbreviations != asked.abbreviations:
        raise InputError(f'--landmarks {args.landmarks}: the input has the landmarks of {named.name!r}; leave it out')
    for landmarks in (asked, model and model.landmarks, named):
        if landmarks is not None:
            return landmarks
    raise InputError('no landmark set: give --landmarks')


def _server(desk: ReviewDesk, port: int | None) -> ReviewServer:
    try:
        return ReviewServer(desk, PORT if port is None else port)
    except OSError as error:
        if port is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return ReviewServer(desk, 0)
        raise InputError(
            f'--port {port}: {HOST}:{port} cannot be listened at: {error.strerror}; name another'
        ) from None


def _say(message: str) -> None:
    print(printable(message), file=sys.stderr)
