"""``measure``: landmarks into tables of measurements and pictures of analyses."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.commands import example
from cephalometric.commands.number_flags import number
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import (
    Measurement,
    analyses_of,
    flagged_measurements,
    load_measurements,
    measure,
    measurements_for,
)
from cephalometric.names import file_stem, unique_stems
from cephalometric.output_folder import output_folder
from cephalometric.reporting.analysis_drawing import draw_analysis
from cephalometric.reporting.drawing import save_picture
from cephalometric.reporting.marks import to_bgr
from cephalometric.reporting.tables import write_measurement_json, write_measurements
from cephalometric.results.point_files import known_abbreviations, read_point_file
from cephalometric.results.predictions import PredictedXray
from cephalometric.xrays.frames import check_spacing
from cephalometric.xrays.reading import read_xrays

DESCRIPTION = """Take clinical measurements from landmarks: predictions.json or landmarks.csv of predict, or a COCO
file. OUT receives measurements.csv, measurements.json with definitions, norms and sources and, where the X-rays are
found, analyses/ with the lines drawn on them. What uses a flagged landmark is marked. Lengths need a spacing. For
research; not a medical device."""
EXAMPLE = """
  cephalometric measure results/predictions.json --out measured --analysis steiner downs
  cephalometric measure corrected.csv --out measured --spacing 0.1
"""
Analyses = Mapping[str, tuple[Measurement, ...]]
OUTPUTS = ('measurements.csv', 'measurements.json', 'analyses')


def add_measure_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'measure', help='take measurements from landmarks', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('landmarks', metavar='FILE', help='predictions.json, landmarks.csv or a COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace earlier measurements in OUT')
    parser.add_argument(
        '--spacing',
        type=number('--spacing', 'of mm per pixel'),
        metavar='MM',
        help='mm per pixel, instead of what the file says',
    )
    parser.add_argument('--measurements', metavar='JSON', help='measurements of your own, beside those of the package')
    parser.add_argument(
        '--analysis', nargs='+', metavar='NAME', help='which to draw, such as steiner downs (default: the first)'
    )
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    check_spacing(args.spacing)
    available = load_measurements(args.measurements)
    used = {name for measurement in available for name in measurement.landmarks}
    points = read_point_file(args.landmarks, args.spacing, known_abbreviations() | used)
    for note in points.notes:
        print(f'warning: {note}', file=sys.stderr)
    measurements = measurements_for(points.landmarks, available)
    if not measurements:
        raise InputError(f'{args.landmarks}: its {len(points.landmarks)} landmarks allow no measurement')
    analyses = _chosen(analyses_of(measurements), args.analysis)
    if not points.complete:
        print(f'warning: {args.landmarks} is not complete: the run that made it was interrupted', file=sys.stderr)
    with output_folder(args.out, OUTPUTS, args.overwrite) as output:
        xrays = [_measured(xray, points.landmarks, measurements) for xray in points.xrays]
        write_measurements(output.stage / 'measurements.csv', xrays, measurements)
        write_measurement_json(output.stage / 'measurements.json', xrays, measurements)
        if not args.no_overlay:
            _draw(output.stage / 'analyses', points.landmarks, xrays, analyses)
        output.publish(last='measurements.json')
    print(f'{summary(xrays, measurements)}: {args.out}')


def _measured(xray: PredictedXray, landmarks: LandmarkSet, measurements: Sequence[Measurement]) -> PredictedXray:
    values = measure(xray.points_px, landmarks, xray.spacing_mm, measurements)
    known = [measurement for measurement in measurements if np.isfinite(values[measurement.name])]
    return replace(xray, measurements=values, flagged_measurements=flagged_measurements(known, landmarks, xray.flagged))


def summary(xrays: Sequence[PredictedXray], measurements: Sequence[Measurement]) -> str:
    """How many measurements and X-rays there are, and how many of these are marked, in one line."""
    parts = [f'{len(measurements)} measurements of {len(xrays)} X-rays']
    assessed = sum(xray.flagged is not None for xray in xrays)
    if assessed:
        parts.append(f'{sum(bool(xray.flagged_measurements) for xray in xrays)} X-rays with marked measurements')
    if unknown := sum(xray.flagged is None and xray.predicted for xray in xrays):
        parts.append(f'{unknown} X-rays not assessed' if assessed else 'not assessed')
    if doubtful := sum(xray.doubtful for xray in xrays):
        parts.append(f'{doubtful} X-rays doubtful: see the warnings')
    return ', '.join(parts)


def _draw(
    folder: Path,
    landmarks: LandmarkSet,
    xrays: Sequence[PredictedXray],
    analyses: Analyses,
) -> None:
    """Draw each analysis on each X-ray that is found."""
    by_file: dict[str, dict[int | None, tuple[str, PredictedXray]]] = {}
    for stem, xray in zip(unique_stems(xray.name for xray in xrays), xrays, strict=True):
        by_file.setdefault(xray.file, {})[xray.slice] = stem, xray
    if '' in by_file:
        print(
            'warning: nothing is drawn, because a CSV file names no X-ray files: give predictions.json', file=sys.stderr
        )
        return
    folder.mkdir(exist_ok=True)
    for file, slices in tqdm(by_file.items(), desc='Drawing', unit='file'):
        try:
            for picture in read_xrays(file):
                if picture.slice in slices:
                    stem, xray = slices[picture.slice]
                    _draw_one(folder / stem, landmarks, xray, picture.image, analyses)
        except InputError as error:
            tqdm.write(f'warning: not drawn: {error}', file=sys.stderr)


def _draw_one(
    beginning: Path,
    landmarks: LandmarkSet,
    xray: PredictedXray,
    image: np.ndarray,
    analyses: Analyses,
) -> None:
    if image.shape[:2] != (xray.height, xray.width):
        raise InputError(
            f'{xray.file} is {image.shape[1]} x {image.shape[0]} pixels, but its landmarks are for '
            f'{xray.width} x {xray.height}: it is another image by now'
        )
    for name, measurements in analyses.items():
        title = f'{xray.name}   {name}'
        picture = draw_analysis(to_bgr(image), landmarks, xray, measurements, title)
        save_picture(picture, beginning.with_name(f'{beginning.name}_{file_stem(name)}.png'))


def _chosen(analyses: Analyses, names: Sequence[str] | None) -> Analyses:
    """The analyses of these names; by default the first of all."""
    names = list(analyses)[:1] if names is None else names
    unknown = [name for name in names if name not in analyses]
    if unknown:
        raise InputError(f'--analysis {unknown[0]}: the landmarks allow {", ".join(analyses) or "none"}')
    return {name: analyses[name] for name in names}
