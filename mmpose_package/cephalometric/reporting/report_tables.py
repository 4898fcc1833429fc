"""The tables of the report: numbers once, for the page and for CSV files.

Every table has columns that say what a row is, and then the same columns for each run. With several runs, each later
run is compared with the first: its columns come first and begin with the difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from cephalometric.reporting.report_columns import Cell, Column, Table, beyond, number_of
from cephalometric.reporting.report_text import LARGE_SHIFT_MM, verdict
from cephalometric.reporting.runs import Run, image_name, image_sources, later_runs, later_runs_per_landmark
from cephalometric.results.evaluation import Evaluation
from cephalometric.scores import THRESHOLDS_MM, Scores, score
from cephalometric.statistics import (
    Bias,
    CalibrationCheck,
    Interval,
    bias_per_landmark,
    bootstrap_mean,
    detection_rate,
)

ACCEPTABLE_MM = THRESHOLDS_MM[0]
MRE = Column(
    'MRE (mm)', 2, 'mean radial error: the mean distance between prediction and truth', True, worst='high', rank=1
)
SPREAD = Column('SD (mm)', 2, 'standard deviation of the distances', worst='high', rank=6)
MEDIAN = Column('median (mm)', 2, 'half of the distances are smaller', worst='high', rank=4)
RATES = tuple(
    Column(
        f'SDR {limit:g} mm (%)',
        1,
        f'share of landmarks at most {limit:g} mm off',
        worst='low',
        rank=2 if limit == ACCEPTABLE_MM else 7,
    )
    for limit in THRESHOLDS_MM
)
DIFFERENCE = Column(
    'difference (mm)',
    2,
    'MRE of this run minus that of the first: below 0 is better',
    True,
    worst='high',
    is_change=True,
)
P_VALUE = Column(
    'p',
    4,
    'of the test that there is no difference; below 0.05 is taken as a real one',
    is_p_value=True,
    worst='low',
    rank=3,
)
CHANGE = Column('difference', 2, 'of this run from the first: below 0 is better', worst='high', is_change=True)
# How many columns of each run a page has room for, by the number of runs; all of one run, and one of many.
_ROOM = {1: 99, 2: 5, 3: 3, 4: 2, 5: 2}
_LANDMARK = (Column('landmark'), Column('name'))


def side_by_side(
    name: str,
    label_columns: Sequence[Column],
    labels: Sequence[Sequence[Cell]],
    runs: Sequence[Run],
    columns: Sequence[Column],
    cells: Callable[[Evaluation], Sequence[Sequence[Cell]]],
    change: Column = CHANGE,
    limit: float = np.inf,
    bad_means: str = '',
) -> Table:
    """A table of labels and then, for each run, of its columns.

    Args:
        name, label_columns, labels: Of the table; a label of each row.
        runs: Of several, the later ones come first, each with its differences first.
        columns: Of a run. By the first one runs are compared, rows are coloured, and a folded table keeps its worst.
        cells: The rows of a run, without labels.
        change: The column of the differences in the first column.
        limit: A row beyond it in any run is coloured.
        bad_means: What a coloured row is, in words.
    """
    blocks = [cells(run.evaluation) for run in runs]
    parts = [(runs[0], tuple(columns), blocks[0])]
    for run, block in reversed(list(zip(runs[1:], blocks[1:], strict=True))):
        changes = [(number_of(new[0]) - number_of(old[0]),) for old, new in zip(blocks[0], block, strict=True)]
        parts.insert(0, (run, (change, *columns), beside(changes, block)))
    return join_parts(name, label_columns, labels, parts, columns[0].title, limit, bad_means)


def join_parts(
    name: str,
    label_columns: Sequence[Column],
    labels: Sequence[Sequence[Cell]],
    parts: Sequence[tuple[Run, Sequence[Column], Sequence[Sequence[Cell]]]],
    judged: str,
    limit: float,
    bad_means: str,
) -> Table:
    """The same of runs with their columns and rows; rows are coloured by the numbers under the heading ``judged``."""
    columns = [*label_columns, *(column for run, own, _ in parts for column in _fitted(run, own, len(parts)))]
    rows = tuple((*label, *(cell for *_, block in parts for cell in block[row])) for row, label in enumerate(labels))
    first = columns[len(label_columns)].full_title
    return Table(name, tuple(columns), rows, first, beyond(columns, rows, judged, limit), bad_means)


def beside(left: Sequence[Sequence[Cell]], right: Sequence[Sequence[Cell]]) -> list[tuple[Cell, ...]]:
    """Rows with those of another table at their right."""
    return [(*one, *other) for one, other in zip(left, right, strict=True)]


def _fitted(run: Run, columns: Sequence[Column], runs: int) -> list[Column]:
    """The columns of a run under its name; those that the page has no room for are in the CSV file alone."""
    if runs == 1:
        return list(columns)
    ranks = sorted({0, *(column.rank for column in columns)})
    last = ranks[: _ROOM.get(runs, 1)][-1]
    return [
        replace(column, run=run.name, on_page=column.rank <= last, brief=column.interval and not column.is_change)
        for column in columns
    ]


def headline(runs: Sequence[Run]) -> Table:
    """One row a run, of all landmarks of all images: its difference from the first run comes first."""
    several = len(runs) > 1
    rates = tuple(replace(rate, interval=True) for rate in RATES)
    counts = (Column('images', on_page=not several), Column('landmarks', on_page=not several))
    label, compared = Column('run'), ()
    if several:
        label, compared = Column('run', help=f'compared with {runs[0].name}'), (DIFFERENCE, P_VALUE)
    pairs = dict(later_runs(runs))
    nothing = (Interval(np.nan, np.nan, np.nan), np.nan)
    rows = []
    for run in runs:
        change = (pairs[run.name].difference_mm, pairs[run.name].p_value) if run.name in pairs else nothing
        rows.append((run.name, *(change if several else ()), *_headline_cells(run.evaluation)))
    spread = replace(SPREAD, on_page=not several)
    return Table('headline', (label, *compared, MRE, spread, MEDIAN, *rates, *counts), tuple(rows))


def _headline_cells(evaluation: Evaluation) -> tuple[Cell, ...]:
    errors_mm, scores = evaluation.errors_mm, evaluation.overall()
    rates = (detection_rate(errors_mm, threshold) for threshold in THRESHOLDS_MM)
    return (bootstrap_mean(errors_mm), scores.sd_mm, scores.median_mm, *rates, len(errors_mm), scores.count)


def _landmark_labels(runs: Sequence[Run]) -> list[tuple[str, str]]:
    landmarks = runs[0].evaluation.landmarks
    return list(zip(landmarks.abbreviations, landmarks.names, strict=True))


def _defined(table: Table, runs: Sequence[Run]) -> Table:
    """A table of landmarks that says where they lie."""
    return replace(table, row_help=runs[0].evaluation.landmarks.definitions)


def per_landmark(runs: Sequence[Run]) -> Table:
    """One row a landmark: its error and its detection rates; of later runs the tested differences first."""
    columns = (MRE, SPREAD, MEDIAN, *RATES, Column('images', rank=9))
    parts = [(runs[0], columns, _landmark_cells(runs[0].evaluation))]
    compared = zip(runs[1:], later_runs_per_landmark(runs), strict=True)
    for run, (_, pairs) in reversed(list(compared)):
        changes = [(pair.difference_mm, pair.p_value) for pair in pairs]
        parts.insert(0, (run, (DIFFERENCE, P_VALUE, *columns), beside(changes, _landmark_cells(run.evaluation))))
    means = f'a mean error above {ACCEPTABLE_MM:g} mm'
    labels, label_columns = _landmark_labels(runs), _LANDMARK
    if definitions := runs[0].evaluation.landmarks.definitions:
        labels = beside(labels, [(definition,) for definition in definitions])
        label_columns = (*_LANDMARK, Column('definition', on_page=False))
    table = join_parts('per_landmark', label_columns, labels, parts, MRE.title, ACCEPTABLE_MM, means)
    return _defined(table, runs)


def _landmark_cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    return [
        (bootstrap_mean(errors_mm), *_score_cells(scores), scores.count)
        for scores, errors_mm in zip(evaluation.per_landmark(), evaluation.errors_mm.T, strict=True)
    ]


def _score_cells(scores: Scores) -> tuple[float, ...]:
    return (scores.sd_mm, scores.median_mm, *(scores.sdr_percent[threshold] for threshold in THRESHOLDS_MM))


def bias(runs: Sequence[Run]) -> Table:
    """One row a landmark: its mean shift, how large it is, and how surely it is more than noise."""
    columns = (
        Column('shift (mm)', 2, 'length of the mean shift', worst='high', rank=1),
        Column('dx (mm)', 2, 'mean shift; above 0 forward, to the right of the X-ray', worst='far', rank=3),
        Column('dy (mm)', 2, 'mean shift; above 0 downwards', worst='far', rank=4),
        Column('scatter (mm)', 2, 'RMS distance of the predictions from their own mean', worst='high', rank=5),
        Column(
            'p',
            4,
            'of no shift, corrected for the number of landmarks',
            is_p_value=True,
            worst='low',
            rank=6,
        ),
        Column('verdict', rank=2),
    )

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        return [_bias_cells(one) for one in bias_per_landmark(evaluation.differences_mm)]

    means = f'a mean shift of more than {LARGE_SHIFT_MM:g} mm, systematic or not'
    table = side_by_side(
        'bias', _LANDMARK, _landmark_labels(runs), runs, columns, cells, limit=LARGE_SHIFT_MM, bad_means=means
    )
    return _defined(table, runs)


def _bias_cells(one: Bias) -> tuple[Cell, ...]:
    scatter = float(np.sqrt(np.trace(one.covariance_mm2)))
    return (one.length_mm, float(one.mean_mm[0]), float(one.mean_mm[1]), scatter, one.p_value, verdict(one))


def per_image(runs: Sequence[Run]) -> Table:
    """One row an image: its error and its worst landmark."""
    first, alone = runs[0].evaluation, len(runs) == 1
    labels = [(image_name(image), image.spacing_mm, f'{image.width} × {image.height}') for image in first.images]
    label_columns = (
        Column('image'),
        Column('spacing (mm)', 4, 'millimetres per pixel', on_page=alone),
        Column('pixels', on_page=alone),
    )
    columns = (
        replace(MRE, interval=False),
        replace(RATES[0], rank=5),
        Column('worst landmark', rank=2),
        Column('its error (mm)', 2, worst='high', rank=3),
    )

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        return [
            (scores.mre_mm, scores.sdr_percent[ACCEPTABLE_MM], *_worst_landmark(evaluation, n))
            for n, scores in enumerate(evaluation.per_image())
        ]

    means = f'a mean error above {ACCEPTABLE_MM:g} mm'
    return side_by_side('per_image', label_columns, labels, runs, columns, cells, limit=ACCEPTABLE_MM, bad_means=means)


def _worst_landmark(evaluation: Evaluation, n: int) -> tuple[str, float]:
    errors_mm = evaluation.errors_mm[n]
    if not np.isfinite(errors_mm).any():
        return '', np.nan
    worst = int(np.nanargmax(errors_mm))
    return evaluation.landmarks.abbreviations[worst], float(errors_mm[worst])


def per_source(runs: Sequence[Run]) -> Table:
    """One row a source of images: its error."""
    sources = image_sources(runs[0].evaluation)
    groups = {name: [n for n, source in enumerate(sources) if source == name] for name in sorted(set(sources))}

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        parts = [evaluation.errors_mm[group] for group in groups.values()]
        return [(bootstrap_mean(part), *_score_cells(score(part, np.isfinite(part)))) for part in parts]

    labels = [(name, len(group)) for name, group in groups.items()]
    label_columns = (Column('spacing and size'), Column('images', worst='low'))
    means = f'a mean error above {ACCEPTABLE_MM:g} mm'
    return side_by_side(
        'per_source',
        label_columns,
        labels,
        runs,
        (MRE, SPREAD, MEDIAN, *RATES),
        cells,
        limit=ACCEPTABLE_MM,
        bad_means=means,
    )


def confidence(judged: Sequence[tuple[str, CalibrationCheck]]) -> Table:
    """One row a group of landmarks that a model was about equally sure of: expected and observed error."""
    return Table(
        'confidence',
        (
            Column('group'),
            Column('landmarks'),
            Column('expected error (mm)', 2, 'what the confidence stands for', worst='high'),
            Column('observed error (mm)', 2, 'what came', interval=True, worst='high'),
        ),
        tuple(
            (f'{name}: {number}' if len(judged) > 1 else f'{number}', group.count, group.expected_mm, group.observed_mm)
            for name, check in judged
            for number, group in enumerate(check.bins, start=1)
        ),
    )
