"""The report as files: what is written, what the page says, and that it needs nothing else."""

import csv
import dataclasses
import re

import cv2
import numpy as np
import pytest
from conftest import run_python
from evaluations import make_evaluation, make_provenance

from cephalometric.errors import InputError
from cephalometric.reporting.report_page import report_evaluation, write_report
from cephalometric.reporting.runs import Run
from cephalometric.results.evaluation import read_results, write_results


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    """The folder of a report of one run."""
    folder = tmp_path_factory.mktemp('report')
    return report_evaluation(make_evaluation(folder / 'data', shift_mm=(3, 0)), folder / 'new' / 'report').parent


def read_table(path):
    with open(path, newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_figures_and_tables_lie_beside_the_page(report):
    names = {path.name for path in report.iterdir()}
    assert {'report.html', 'results.json'} <= names
    tables = {
        *('headline', 'per_landmark', 'bias', 'per_source', 'per_image', 'confidence'),
        *('measurements', 'analyses', 'analysis_measurements', 'classes'),
    }
    figures = {
        *('box_plot', 'cumulative', 'error_by_source', 'confidence', 'bias_plane', 'bias_map', 'training_curves'),
    }
    assert {f'{name}.csv' for name in tables} | {f'{name}.png' for name in figures} == names - {
        'report.html',
        'results.json',
    }
    for name in figures:
        picture = cv2.imread(str(report / f'{name}.png'))
        assert picture.shape[1] > 400 and len(np.unique(picture[::9, ::9])) > 10, name
    assert len(list(csv.DictReader((report / 'per_landmark.csv').open(encoding='utf-8')))) == 19


def test_the_page_says_what_was_found_and_what_was_run(report):
    page = (report / 'report.html').read_text(encoding='utf-8')
    evaluation = read_results(report / 'results.json')
    assert f'lies on average {evaluation.overall().mre_mm:.2f} mm from the ground truth' in page
    assert 'not a medical device' in page
    assert 'sella' in page and 'SHA-256 ' + 'ab' * 32 in page and 'some_recipe' in page
    assert 'python step4.py &lt;config&gt; &amp; &#34;weights&#34;' in page and 'A&lt;b&gt;' in page


def test_the_page_and_the_table_say_where_each_landmark_lies(report):
    text = (report / 'report.html').read_text(encoding='utf-8')
    landmarks = read_results(report / 'results.json').landmarks
    rows = read_table(report / 'per_landmark.csv')
    for k, name in enumerate(landmarks.names):
        assert f'<dd><b>{name}</b>: {landmarks.definition(k)}</dd>' in text
        assert text.count(f'title="{landmarks.definition(k)}"') == 2  # Of errors and of shifts.
        assert rows[k]['definition'] == landmarks.definition(k) and rows[k]['name'] == name


def test_landmarks_that_nobody_defined_have_no_definitions(tmp_path):
    evaluation = make_evaluation(tmp_path / 'data')
    landmarks = dataclasses.replace(evaluation.landmarks, name='mine', definitions=())
    page = report_evaluation(dataclasses.replace(evaluation, landmarks=landmarks), tmp_path / 'report')
    assert 'Where each landmark lies' not in page.read_text(encoding='utf-8')
    assert 'definition' not in read_table(tmp_path / 'report' / 'per_landmark.csv')[0]


def test_the_page_needs_no_other_file_and_no_network(report):
    page = (report / 'report.html').read_text(encoding='utf-8')
    references = re.findall(r'\b(?:src|href|action)="([^"]*)"', page) + re.findall(r'url\(([^)]*)\)', page)
    assert references and all(one.startswith(('#', 'data:image/jpeg;base64,')) for one in references)
    assert '@import' not in page and '<link' not in page
    assert "default-src 'none'" in page
    assert (report / 'report.html').stat().st_size < 10e6


def test_identifiers_are_unique_and_links_lead_to_them(report):
    page = (report / 'report.html').read_text(encoding='utf-8')
    identifiers = re.findall(r' id="([^"]*)"', page)
    links = set(re.findall(r'href="#([^"]*)"', page))
    assert links <= set(identifiers)
    shared = {one for one in identifiers if identifiers.count(one) > 1}
    assert not shared


def test_the_same_results_give_the_same_page(report, tmp_path):
    evaluation = read_results(report / 'results.json')
    again = report_evaluation(evaluation, tmp_path / 'again')
    assert again.read_text(encoding='utf-8') == (report / 'report.html').read_text(encoding='utf-8')


def test_without_provenance_expectation_and_pictures_there_is_still_a_report(tmp_path):
    evaluation = make_evaluation(tmp_path, count=1)
    bare = dataclasses.replace(evaluation, provenance=None, expected_errors_mm=None, image_folder=tmp_path / 'gone')
    page = write_report([Run('bare', bare)], tmp_path / 'report').read_text(encoding='utf-8')
    assert 'Is it well calibrated?' not in page and 'How training went' not in page
    assert 'not at its place any more' in page and 'Nobody noted what was run' in page
    assert not (tmp_path / 'report' / 'confidence.csv').exists()


def test_three_runs_stand_side_by_side(tmp_path):
    first = make_evaluation(tmp_path, seed=1)
    better = make_evaluation(tmp_path, seed=2, noise_mm=0.3)
    named = dataclasses.replace(better, provenance=make_provenance(config_name='other.py', training_curves=[]))
    runs = [Run('old', first), Run('new & better', named), Run('again', first)]
    page = write_report(runs, tmp_path / 'report').read_text(encoding='utf-8')
    difference = better.overall().mre_mm - first.overall().mre_mm
    assert f'new &amp; better errs by {-difference:.2f} mm less than old' in page
    assert 'a significant difference' in page
    assert 'again errs by 0.00 mm' in page and 'which may well be chance' in page
    names = {path.name for path in (tmp_path / 'report').iterdir()}
    assert {'differences.png', 'bias_map_1.png', 'bias_map_3.png'} <= names
    assert {'training_curves_1.png', 'training_curves_3.png'} <= names and 'training_curves_2.png' not in names
    rows = list(csv.DictReader((tmp_path / 'report' / 'headline.csv').open(encoding='utf-8')))
    assert [row['run'] for row in rows] == ['old', 'new & better', 'again']
    assert float(rows[1]['difference (mm)']) == pytest.approx(difference, abs=1e-3) and not rows[0]['difference (mm)']


def test_a_comparison_names_each_run_once_in_the_heading_of_a_table(tmp_path):
    runs = [Run('old', make_evaluation(tmp_path, seed=1)), Run('new', make_evaluation(tmp_path, seed=2))]
    page = write_report(runs, tmp_path / 'report').read_text(encoding='utf-8')
    head = re.search(r'id="table-per_landmark".*?</thead>', page, re.DOTALL).group()
    assert head.count('>new') == head.count('>old') == 1 and head.index('>new') < head.index('>old')


def test_names_of_images_are_escaped(tmp_path):
    evaluation = make_evaluation(tmp_path, count=2)
    images = [dataclasses.replace(image, original_file='"><script>alert(1)</script>') for image in evaluation.images]
    page = write_report([Run('run', dataclasses.replace(evaluation, images=tuple(images)))], tmp_path / 'report')
    text = page.read_text(encoding='utf-8')
    assert '<script>alert' not in text and '&lt;script&gt;alert(1)' in text


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / 'report').mkdir()
    (tmp_path / 'report' / 'notes.txt').write_text('mine')
    write_report([Run('run', make_evaluation(tmp_path, count=2))], tmp_path / 'report')
    assert (tmp_path / 'report' / 'notes.txt').read_text() == 'mine'


def test_what_cannot_be_reported_is_refused(tmp_path):
    evaluation = make_evaluation(tmp_path, count=2)
    unlabelled = [dataclasses.replace(image, points_px=image.points_px * np.nan) for image in evaluation.images]
    with pytest.raises(InputError, match='labelled landmark'):
        write_report([Run('run', dataclasses.replace(evaluation, images=tuple(unlabelled)))], tmp_path / 'report')
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='file'):
        write_report([Run('run', evaluation)], tmp_path / 'file')


def test_the_command_compares_results_files(tmp_path):
    for name, noise_mm in (('one', 1.0), ('two', 0.5)):
        write_results(tmp_path / f'{name}.json', make_evaluation(tmp_path, count=3, noise_mm=noise_mm))
    files = (tmp_path / 'one.json', tmp_path / 'two.json')
    done = run_python('-m', 'cephalometric', 'report', *files, '--out', tmp_path / 'out', '--names', 'A', 'B')
    assert str(tmp_path / 'out' / 'report.html') in done.stdout
    assert 'B errs by' in (tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    done = run_python('-m', 'cephalometric', 'report', *files, '--out', tmp_path / 'out', '--names', 'A', check=2)
    assert 'error: --names: 1 names for 2 runs' in done.stderr
