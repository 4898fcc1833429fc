"""``measure``: landmarks into tables of measurements and pictures of analyses."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.commands import example
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import (
    Analysis,
    Measurement,
    Person,
    analyses_for,
    check_norm_name,
    errors_of_xray,
    flagged_measurements,
    load_analyses,
    load_measurements,
    measure,
    measurements_for,
)
from cephalometric.measurements.norms import SEXES
from cephalometric.reporting.analysis_drawing import draw_analysis
from cephalometric.reporting.drawing import save_picture
from cephalometric.reporting.marks import to_bgr
from cephalometric.reporting.tables import write_measurement_json, write_measurements
from cephalometric.results.predictions import PredictedXray, read_point_file
from cephalometric.xrays.frames import check_spacing
from cephalometric.xrays.reading import read_xrays

DESCRIPTION = """Take clinical measurements from landmarks: predictions.json or landmarks.csv of predict, or a COCO
file. OUT receives measurements.csv, measurements.json with definitions, norms and sources and, where the X-rays are
found, analyses/ with the lines drawn on them. What uses a flagged landmark is marked. Lengths need a spacing. For
research; not a medical device."""
EXAMPLE = """
  cephalometric measure results/predictions.json --out measured --analysis steiner downs
  cephalometric measure corrected.csv --out measured --spacing 0.1
  cephalometric measure results/predictions.json --out measured --analysis mcnamara --sex female --age 14
"""
Analyses = Mapping[str, Analysis]
OUTPUTS = ('measurements.csv', 'measurements.json', 'analyses')


def add_measure_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'measure', help='take measurements from landmarks', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('landmarks', metavar='FILE', help='predictions.json, landmarks.csv or a COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace earlier measurements in OUT')
    parser.add_argument('--spacing', type=float, metavar='MM', help='mm per pixel, instead of what the file says')
    parser.add_argument('--measurements', metavar='JSON', help='measurements, analyses and norms of your own')
    parser.add_argument('--sex', choices=SEXES, help='choose norms for this sex (default: norms for both alone)')
    parser.add_argument('--age', type=float, metavar='YEARS', help='choose norms for this age (default: for adults)')
    parser.add_argument('--norms', metavar='NAME', help='prefer the norms of this population, such as "Riedel 1952"')
    parser.add_argument(
        '--analysis', nargs='+', metavar='NAME', help='which to draw, such as steiner downs (default: the first)'
    )
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    check_spacing(args.spacing)
    points = read_point_file(args.landmarks, args.spacing)
    measurements = measurements_for(points.landmarks, load_measurements(args.measurements))
    if not measurements:
        raise InputError(f'{args.landmarks}: its {len(points.landmarks)} landmarks allow no measurement')
    person = _person(args)
    analyses = load_analyses(args.measurements)
    check_norm_name(analyses, args.norms)
    analyses = analyses_for(points.landmarks, analyses)
    drawn = _chosen(analyses, args.analysis)
    out = Path(args.out)
    _check_output(out, args.overwrite)
    xrays = [_measured(xray, points.landmarks, measurements) for xray in points.xrays]
    out.mkdir(parents=True, exist_ok=True)
    write_measurements(out / 'measurements.csv', xrays, measurements)
    write_measurement_json(
        out / 'measurements.json', xrays, measurements, points.landmarks, analyses, person, args.norms
    )
    if not args.no_overlay:
        _draw(out / 'analyses', points.landmarks, xrays, drawn, (person, args.norms))
    print(f'{summary(xrays, measurements)}: {out}')


def _measured(xray: PredictedXray, landmarks: LandmarkSet, measurements: Sequence[Measurement]) -> PredictedXray:
    values = measure(xray.points_px, landmarks, xray.spacing_mm, measurements)
    known = [measurement for measurement in measurements if np.isfinite(values[measurement.name])]
    return replace(
        xray,
        measurements=values,
        measurement_errors=errors_of_xray(
            xray.points_px, xray.expected_error_mm, landmarks, xray.spacing_mm, measurements
        ),
        flagged_measurements=flagged_measurements(known, landmarks, xray.flagged),
    )


def _person(args: argparse.Namespace) -> Person:
    try:
        return Person(args.sex, args.age)
    except ValueError as error:
        raise InputError(f'--age: {error}') from None


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
    whose: tuple[Person, str | None],
) -> None:
    """Draw each analysis on each X-ray that is found."""
    by_file: dict[str, dict[int | None, PredictedXray]] = {}
    for xray in xrays:
        by_file.setdefault(xray.file, {})[xray.slice] = xray
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
                    _draw_one(folder, landmarks, slices[picture.slice], picture.image, analyses, whose)
        except InputError as error:
            tqdm.write(f'warning: not drawn: {error}', file=sys.stderr)


def _draw_one(
    folder: Path,
    landmarks: LandmarkSet,
    xray: PredictedXray,
    image: np.ndarray,
    analyses: Analyses,
    whose: tuple[Person, str | None],
) -> None:
    if image.shape[:2] != (xray.height, xray.width):
        raise InputError(
            f'{xray.file} is {image.shape[1]} x {image.shape[0]} pixels, but its landmarks are for '
            f'{xray.width} x {xray.height}: it is another image by now'
        )
    for name, analysis in analyses.items():
        title = f'{xray.name}   {name}'
        picture = draw_analysis(to_bgr(image), landmarks, xray, analysis, title, *whose)
        save_picture(picture, folder / f'{xray.name}_{name}.png')


def _chosen(analyses: Analyses, names: Sequence[str] | None) -> Analyses:
    """The analyses of these names; by default the first of all."""
    names = list(analyses)[:1] if names is None else names
    unknown = [name for name in names if name not in analyses]
    if unknown:
        raise InputError(f'--analysis {unknown[0]}: the landmarks allow {", ".join(analyses) or "none"}')
    return {name: analyses[name] for name in names}


def _check_output(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f'--out {out} is a file: name a folder')
    found = [name for name in OUTPUTS if (out / name).exists()]
    if found and not overwrite:
        raise InputError(f'{out} holds {found[0]} already: name another --out, or replace it by --overwrite')
