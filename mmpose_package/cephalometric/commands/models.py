"""``models``: the models that ship, or what a model says of itself."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from cephalometric.commands import example
from cephalometric.landmarks import LandmarkSet
from cephalometric.prediction.calibration import load_calibration
from cephalometric.prediction.model_folder import (
    CALIBRATION,
    DEFAULT,
    SHIPPED,
    ModelDescription,
    find_model_folder,
    read_description,
    shipped_models,
)

DESCRIPTION = """List the models that come with the package, or say what a model is, how good, and who may use it."""
EXAMPLE = """
  cephalometric models
  cephalometric models isbi2015
  cephalometric models isbi2015 --landmarks
  cephalometric models work_dirs/mine
"""


def add_models_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'models', help='list the models that ship, or describe one', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('model', nargs='*', metavar='MODEL', help='a model that ships, a model folder, or a work dir')
    parser.add_argument('--landmarks', action='store_true', help='also list its landmarks, and where each lies')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print."""
    for name in args.model or shipped_models():
        print('\n'.join(describe(name)))
        if args.landmarks:
            print('\n'.join(landmark_lines(read_description(find_model_folder(name)).landmarks)))


def describe(name: str) -> Iterator[str]:
    """Lines about a model, as :func:`~cephalometric.prediction.model_folder.find_model_folder` takes its name."""
    folder = find_model_folder(name)
    about = read_description(folder)
    provenance = about.provenance
    yield f'{name}{" (the default of predict)" if folder == SHIPPED / DEFAULT else ""}'
    yield f'  landmarks    {len(about.landmarks)}: {about.landmarks.title}'
    yield f'  recipe       {provenance.get("recipe")}, {provenance.get("date")}, seed {provenance.get("seed")}'
    images = provenance.get('images', {})
    if images:
        yield '  X-rays       ' + ', '.join(f'{count} {part}' for part, count in images.items())
    for title, scores in (('validation', provenance.get('scores')), ('', provenance.get('cross_validation'))):
        if scores:
            yield f'  {title or "five folds":12} ' + ', '.join(f'{key} {value:.3f}' for key, value in scores.items())
    yield f'  calibration  {_calibration(folder, about)}'
    yield f'  networks     {", ".join(about.networks) or f"PyTorch alone ({about.why_no_networks})"}'
    yield f'  licence      {about.licence}'
    if about.note:
        yield f'  note         {about.note}'
    yield f'  folder       {folder}'


def landmark_lines(landmarks: LandmarkSet) -> Iterator[str]:
    """A line for each landmark: its number, its abbreviation, its name, and where it lies."""
    width = max(map(len, landmarks.abbreviations))
    for k, (short, name) in enumerate(zip(landmarks.abbreviations, landmarks.names, strict=True)):
        place = f': {landmarks.definition(k)}' if landmarks.definition(k) else ''
        yield f'  {k + 1:3}  {short:{width}}  {name}{place}'


def _calibration(folder: Path, about: ModelDescription) -> str:
    path = folder / CALIBRATION
    if not path.is_file():
        return 'none: expected errors are not known'
    return f'by {load_calibration(path, about.landmarks, [about.weights_id]).images} X-rays'
