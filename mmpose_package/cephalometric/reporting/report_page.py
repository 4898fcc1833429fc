"""The report of one evaluated run, or of several side by side: one page that needs nothing else, and its files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.reporting import bias_plots, plots, report_tables
from cephalometric.reporting.cases import choose_cases, make_case
from cephalometric.reporting.figures import as_png, as_svg
from cephalometric.reporting.measurement_tables import MeasurementPart, measurement_part
from cephalometric.reporting.page_template import PREDICTION_COLOUR, render_page
from cephalometric.reporting.report_columns import Table, write_table
from cephalometric.reporting.report_text import confidence_sentences, subtitle, summary
from cephalometric.reporting.runs import Run, image_sources, later_runs_per_landmark, single_run
from cephalometric.reporting.training_curves import draw_curves
from cephalometric.results.evaluation import Evaluation, write_results
from cephalometric.statistics import CalibrationCheck, Interval, check_calibration

PAGE = 'report.html'
RESULTS = 'results.json'
# Of predictions on X-rays: several runs have the colours of their curves.
MARK_COLOURS = ('#5cb8ff', '#ff8c42', '#d58bff', '#ffd23f', '#40d0c0', '#ff8fb8')


@dataclass(frozen=True)
class Picture:
    """A figure of the page: its name, which is also the stem of its PNG file, a heading, and the SVG."""

    name: str
    title: str
    svg: str


def write_report(runs: Sequence[Run], folder: str | Path) -> Path:
    """Write ``report.html`` and, beside it, its figures as PNG and its tables as CSV.

    The page holds everything: it opens from disk and asks the network for nothing. Files of an earlier report in the
    folder are replaced; others stay.

    Args:
        runs: One run, or several over the same images (:func:`cephalometric.reporting.runs.read_runs`).
        folder: Made if it is not there.

    Returns:
        The path of the page.

    Raises:
        InputError: The folder cannot be written to, no image has ground truth, or one has another size than it had.
    """
    if not any(run.evaluation.visible.any() for run in runs):
        raise InputError('there is nothing to report: none of the images has a labelled landmark')
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'{folder}: no folder for the report can be made there: {error.strerror}') from None
    judged = [
        (run.name, check_calibration(run.evaluation.expected_errors_mm, run.evaluation.errors_mm))
        for run in runs
        if run.evaluation.expected_errors_mm is not None
    ]
    measured = measurement_part(runs)
    tables = _tables(runs, judged, measured)
    for table in tables.values():
        write_table(table, folder / f'{table.name}.csv')
    pictures = {}
    for name, title, stem, figure in _figures(runs, judged):
        with atomic_write(folder / f'{stem}.png') as partial:
            partial.write_bytes(as_png(figure))
        pictures.setdefault(name, []).append(Picture(stem, title, as_svg(figure, stem)))
    with atomic_write(folder / PAGE) as partial:
        partial.write_text(
            _render(runs, judged, tables, pictures, measured), encoding='utf-8', errors='backslashreplace'
        )
    return folder / PAGE


def report_evaluation(evaluation: Evaluation, folder: str | Path) -> Path:
    """Write the report of one run and, beside it, ``results.json``, from which it can be written again or compared.

    Arguments, result and errors as for :func:`write_report`.
    """
    page = write_report([single_run(evaluation)], folder)
    write_results(page.with_name(RESULTS), evaluation)
    return page


def _tables(
    runs: Sequence[Run], judged: Sequence[tuple[str, CalibrationCheck]], measured: MeasurementPart
) -> dict[str, Table]:
    tables = [
        report_tables.headline(runs),
        report_tables.per_landmark(runs),
        report_tables.bias(runs),
        report_tables.per_source(runs),
        report_tables.per_image(runs),
    ]
    if judged:
        tables.append(report_tables.confidence(judged))
    return {table.name: table for table in (*tables, *measured.tables) if table.rows}


def _figures(
    runs: Sequence[Run], judged: Sequence[tuple[str, CalibrationCheck]]
) -> Iterator[tuple[str, str, str, Figure]]:
    """Each figure with the name of its place in the page, its heading, and the stem of its file."""
    yield 'box_plot', '', 'box_plot', plots.box_plot(runs)
    yield 'cumulative', '', 'cumulative', plots.cumulative(runs)
    sources = image_sources(runs[0].evaluation)
    yield 'error_by_source', '', 'error_by_source', plots.error_by_source(runs, sources)
    if len(runs) > 1:
        compared = later_runs_per_landmark(runs)
        yield 'differences', '', 'differences', plots.differences(runs[0].evaluation.landmarks, compared)
    if judged:
        yield 'confidence', '', 'confidence', plots.confidence(judged)
    reach_mm = bias_plots.bias_reach_mm(runs)
    for number, run in enumerate(runs, start=1):
        title, ending = (run.name, f'_{number}') if len(runs) > 1 else ('', '')
        yield 'bias_plane', title, f'bias_plane{ending}', bias_plots.bias_plane(run, reach_mm)
        yield 'bias_map', title, f'bias_map{ending}', bias_plots.bias_map(run)
        provenance = run.evaluation.provenance
        if provenance and provenance.training_curves:
            yield 'training_curves', title, f'training_curves{ending}', draw_curves(provenance.training_curves)


def _render(
    runs: Sequence[Run],
    judged: Sequence[tuple[str, CalibrationCheck]],
    tables: Mapping[str, Table],
    pictures: Mapping[str, list[Picture]],
    measured: MeasurementPart,
) -> str:
    table = tables['headline']
    return render_page(
        f'{PAGE}.jinja',
        title='Landmark report' if len(runs) == 1 else f'Landmark report: {len(runs)} runs compared',
        subtitle=subtitle(runs),
        runs=runs,
        summary=list(summary(runs)),
        calibration_sentences=list(confidence_sentences(judged)),
        cards=[pair for pair in zip(table.columns, table.rows[0], strict=True) if isinstance(pair[1], Interval)],
        tables=tables,
        analyses=measured.analyses,
        figures=pictures,
        cases=[make_case(title, runs, n) for title, n in choose_cases(runs)],
        mark_colours=_mark_colours(len(runs)),
        arrow_scale=bias_plots.ARROW_SCALE,
        sections=list(_sections(runs, tables, pictures)),
    )


def _mark_colours(count: int) -> list[str]:
    return [PREDICTION_COLOUR] if count == 1 else [MARK_COLOURS[n % len(MARK_COLOURS)] for n in range(count)]


def _sections(
    runs: Sequence[Run], tables: Mapping[str, Table], pictures: Mapping[str, list[Picture]]
) -> Iterator[tuple[str, str]]:
    """Identifier and heading of each part of the page, for its list of contents."""
    yield 'glance', 'At a glance'
    yield 'landmarks', 'Landmark by landmark'
    yield 'bias', 'Systematic shift or noise?'
    yield 'curve', 'How many are how good'
    yield 'sources', 'Where the X-rays come from'
    yield 'cases', 'Look at the X-rays' if len(runs) == 1 else 'Where the runs differ most'
    if 'measurements' in tables:
        yield 'measurements', 'What it means for measurements'
    if 'confidence' in tables:
        yield 'confidence', 'Is it well calibrated?'
    if 'training_curves' in pictures:
        yield 'training', 'How training went'
    yield 'what', 'What was run'
