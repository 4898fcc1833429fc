"""``measure``: landmarks into tables of measurements, pictures and pages of analyses, and comparisons of films."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from tqdm import tqdm

from cephalometric.commands import example
from cephalometric.commands.number_flags import number
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import (
    Analysis,
    AssessedAnalysis,
    Measurement,
    Person,
    analyses_for,
    check_norm_name,
    load_analyses,
    load_measurements,
    measurements_for,
)
from cephalometric.measurements.norms import SEXES
from cephalometric.names import file_stem
from cephalometric.output_folder import OutputFolder, output_folder
from cephalometric.reporting.analysis_drawing import draw_analysis
from cephalometric.reporting.comparison_page import comparison_page
from cephalometric.reporting.drawing import save_picture
from cephalometric.reporting.found_xrays import find_xrays_of
from cephalometric.reporting.measurement_json import write_measurement_json
from cephalometric.reporting.named_images import with_image_files
from cephalometric.reporting.paper import SIZES_MM, all_to_pixels, write_pdf
from cephalometric.reporting.superimposition import pair_films, write_differences
from cephalometric.reporting.tables import write_measurements
from cephalometric.reporting.tracing_page import PAGE_PIXELS_PER_POINT, PageFacts, TracingPages
from cephalometric.results.measured_xrays import MeasuredXrays, assess_xray
from cephalometric.results.point_files import known_abbreviations, read_point_file
from cephalometric.results.predictions import PredictedXray, Predictions
from cephalometric.xrays.frames import check_spacing

DESCRIPTION = """Take clinical measurements from landmarks: predictions.json or landmarks.csv of predict, or a COCO
file. OUT receives measurements.csv, measurements.json with definitions, norms and sources and, where the X-rays are
found, analyses/ with the lines drawn on them; with --page also a page for each X-ray. What uses a flagged landmark is
marked. Lengths need a spacing. For research; not a medical device."""
EXAMPLE = """
  cephalometric measure results/predictions.json --out measured --analysis steiner downs
  cephalometric measure results/predictions.json --out measured --analysis mcnamara --sex female --age 14 --page
  cephalometric measure corrected.csv --out measured --spacing 0.1
  cephalometric measure --compare before.json after.json --out compared --analysis steiner
"""
OUTPUTS = ('measurements.csv', 'measurements.json', 'analyses', 'pages', 'comparison.csv')


def add_measure_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'measure', help='take measurements from landmarks', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('landmarks', nargs='?', metavar='FILE', help='predictions.json, landmarks.csv or a COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace earlier measurements in OUT')
    parser.add_argument(
        '--spacing',
        type=number('--spacing', 'of mm per pixel'),
        metavar='MM',
        help='mm per pixel, instead of what the file says',
    )
    parser.add_argument('--measurements', metavar='JSON', help='measurements, analyses and norms of your own')
    parser.add_argument('--sex', choices=SEXES, help='choose norms for this sex (default: norms for both alone)')
    parser.add_argument(
        '--age', type=number('--age', 'of years'), metavar='YEARS', help='choose norms for this age (default: adults)'
    )
    parser.add_argument('--norms', metavar='NAME', help='prefer the norms of this population, such as "Riedel 1952"')
    parser.add_argument(
        '--analysis', nargs='+', metavar='NAME', help='which to draw, such as steiner downs (default: the first)'
    )
    parser.add_argument(
        '--page', action='store_true', help='a page for each X-ray, as PNG, and all together as PDF, in OUT/pages'
    )
    parser.add_argument('--paper', choices=list(SIZES_MM), default='A4', help='the size of pages [%(default)s]')
    parser.add_argument(
        '--compare',
        nargs=2,
        metavar=('BEFORE', 'AFTER'),
        help='instead of FILE: two films of each patient, superimposed, with the differences of the measurements',
    )
    parser.add_argument(
        '--images', nargs='+', metavar='IMAGE', help='the X-rays that a CSV file names: files, folders, globs'
    )
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    check_spacing(args.spacing)
    if (args.landmarks is None) == (args.compare is None):
        raise InputError('measure takes one FILE, or --compare BEFORE AFTER: give one of the two')
    choice = Choice(args)
    if args.compare:
        compare(args, choice)
        return
    points = choice.read(args.landmarks)
    if args.images:
        points = with_image_files(points, args.images, _say)
    measurements = measurements_for(points.landmarks, choice.measurements)
    if not measurements:
        raise InputError(f'{args.landmarks}: its {len(points.landmarks)} landmarks allow no measurement')
    analyses = analyses_for(points.landmarks, choice.analyses)
    drawn = _chosen(analyses, args.analysis)
    with output_folder(args.out, OUTPUTS, args.overwrite) as output:
        xrays = MeasuredXrays(points.xrays, points.landmarks, measurements)
        write_measurements(output.stage / 'measurements.csv', xrays, measurements)
        write_measurement_json(
            output.stage / 'measurements.json',
            xrays,
            measurements,
            points.landmarks,
            analyses,
            choice.person,
            args.norms,
        )
        if not args.no_overlay or args.page:
            _draw(args, output, points, xrays, drawn, choice)
        output.publish(last='measurements.json')
    print(f'{summary(xrays, measurements)}: {args.out}')


class Choice:
    """Which measurements, analyses and norms the flags ask for.

    Args:
        args: The flags.

    Raises:
        InputError: The file of measurements, the age or the name of the norms is not usable.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.measurements = load_measurements(args.measurements)
        self.analyses = load_analyses(args.measurements)
        check_norm_name(self.analyses, args.norms)
        try:
            self.person = Person(args.sex, args.age)
        except ValueError as error:
            raise InputError(f'--age: {error}') from None

    def read(self, path: str) -> Predictions:
        """The landmarks of a file; what was found while reading is said."""
        used = {name for measurement in self.measurements for name in measurement.landmarks}
        points = read_point_file(path, self._args.spacing, known_abbreviations() | used)
        for note in points.notes:
            _say(note)
        if not points.complete:
            _say(f'{path} is not complete: the run that made it was interrupted')
        return points

    def assess(self, xray: PredictedXray, landmarks: LandmarkSet, analysis: Analysis) -> AssessedAnalysis:
        """The values of an X-ray by an analysis."""
        return assess_xray(xray, landmarks, analysis, self.person, self._args.norms)

    def facts(self, points: Predictions) -> PageFacts:
        """What pages say besides the values."""
        names = points.model.get('names') if isinstance(points.model, Mapping) else None
        by = f'found by {", ".join(map(str, names))}' if isinstance(names, list) and names else 'from a file'
        return PageFacts(by, date.today(), self.person, self._args.paper)


def compare(args: argparse.Namespace, choice: Choice) -> None:
    """Superimpose the films of two files, and write the differences of their measurements."""
    before, after = (choice.read(path) for path in args.compare)
    if before.landmarks.abbreviations != after.landmarks.abbreviations:
        raise InputError(f'{args.compare[0]} and {args.compare[1]} have other landmarks: compare those of one set')
    pairs, alone = pair_films(before.xrays, after.xrays)
    for name in alone:
        _say(f'{name} is in one of the files alone, and not compared')
    if not pairs:
        raise InputError(f'{args.compare[0]} and {args.compare[1]} have no film of the same name: name them alike')
    landmarks = before.landmarks
    drawn = _chosen(analyses_for(landmarks, choice.analyses), args.analysis)
    with output_folder(args.out, OUTPUTS, args.overwrite) as output:
        assessed = {
            name: [
                (one, other, choice.assess(one, landmarks, analysis), choice.assess(other, landmarks, analysis))
                for one, other in pairs
            ]
            for name, analysis in drawn.items()
        }
        write_differences(output.stage / 'comparison.csv', assessed)
        for name, films in assessed.items():
            pdf = comparison_page(films, landmarks, choice.facts(after))
            _write_pages(output, f'comparison_{file_stem(name)}', [file_stem(one.name) for one, *_ in films], pdf)
        output.publish(last='comparison.csv')
    print(f'{len(pairs)} pairs of films compared: {args.out}')


def summary(xrays: MeasuredXrays, measurements: Sequence[Measurement]) -> str:
    """How many measurements and X-rays there are, and how many of these are marked, in one line."""
    parts, counts = [f'{len(measurements)} measurements of {len(xrays)} X-rays'], Counter()
    for xray in xrays:
        counts['assessed'] += xray.flagged is not None
        counts['unknown'] += xray.flagged is None and xray.predicted
        counts['marked'] += xray.flagged is not None and bool(xray.flagged_measurements)
        counts['doubtful'] += xray.doubtful
    if counts['assessed']:
        parts.append(f'{counts["marked"]} X-rays with marked measurements')
    if counts['unknown']:
        parts.append(f'{counts["unknown"]} X-rays not assessed' if counts['assessed'] else 'not assessed')
    if counts['doubtful']:
        parts.append(f'{counts["doubtful"]} X-rays doubtful: see the warnings')
    return ', '.join(parts)


def _draw(
    args: argparse.Namespace,
    output: OutputFolder,
    points: Predictions,
    xrays: MeasuredXrays,
    analyses: Mapping[str, Analysis],
    choice: Choice,
) -> None:
    """Draw each analysis on each X-ray that is found, and its pages."""
    if not args.no_overlay:
        (output.stage / 'analyses').mkdir()
    stems, pages = [], {name: TracingPages(points.landmarks, choice.facts(points)) for name in analyses if args.page}
    for stem, xray, image in find_xrays_of(xrays, _say):
        stems.append(stem)
        for name, analysis in analyses.items():
            assessed = choice.assess(xray, points.landmarks, analysis)
            if not args.no_overlay:
                picture = draw_analysis(image, points.landmarks, xray, assessed)
                save_picture(picture, output.stage / 'analyses' / f'{stem}_{file_stem(name)}.png')
            if args.page:
                pages[name].add(xray, image, assessed)
    for name, pages_of_analysis in pages.items():
        if stems:
            _write_pages(output, file_stem(name), stems, pages_of_analysis.pdf())


def _write_pages(output: OutputFolder, name: str, stems: Sequence[str], pdf: bytes) -> None:
    """All pages as one PDF, and each as PNG."""
    folder = output.stage / 'pages'
    folder.mkdir(exist_ok=True)
    write_pdf(folder / f'{name}.pdf', pdf)
    for stem, picture in zip(stems, all_to_pixels(pdf, PAGE_PIXELS_PER_POINT), strict=True):
        save_picture(picture, folder / f'{stem}_{name}.png')


def _chosen(analyses: Mapping[str, Analysis], names: Sequence[str] | None) -> dict[str, Analysis]:
    """The analyses of these names; by default the first of all."""
    names = list(analyses)[:1] if names is None else names
    unknown = [name for name in names if name not in analyses]
    if unknown:
        raise InputError(f'--analysis {unknown[0]}: the landmarks allow {", ".join(analyses) or "none"}')
    return {name: analyses[name] for name in names}


def _say(message: str) -> None:
    tqdm.write(f'warning: {message}', file=sys.stderr)
