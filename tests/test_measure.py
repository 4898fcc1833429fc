"""The command measure by real command lines."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pypdfium2
import pytest
from command_lines import call, rows_of
from test_predictions import COUNT, LANDMARKS, predicted, written

from cephalometric.annotations.coco import LabelledImage, coco_content, load_coco
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.measurements import measure


def test_the_ground_truth_of_a_coco_file_is_measured_and_drawn(data_root, tmp_path):
    status, stdout, _ = call(
        'measure', data_root / 'test.json', '--out', tmp_path / 'out', '--analysis', 'steiner', 'downs'
    )
    assert status == 0 and 'measurements of 3 X-rays' in stdout
    labelled = load_coco(data_root / 'test.json')
    image = labelled.images[0]
    expected = measure(image.points_px, load_landmark_set(labelled.landmark_set), image.spacing_mm)
    row = rows_of(tmp_path / 'out' / 'measurements.csv')[0]
    assert float(row['SNA (deg)']) == pytest.approx(expected['SNA'], abs=0.001)
    assert float(row['wits (mm)']) == pytest.approx(expected['wits'], abs=0.001)
    content = json.loads((tmp_path / 'out' / 'measurements.json').read_text())
    assert content['images'][0]['values']['SNA']['value'] == pytest.approx(expected['SNA'])
    assert content['landmarks']['S']['name'] == 'sella' and 'pituitary' in content['landmarks']['S']['definition']
    pictures = sorted(path.name for path in (tmp_path / 'out' / 'analyses').iterdir())
    assert len(pictures) == 6 and pictures[0].endswith('_downs.png')
    drawn = cv2.imread(str(tmp_path / 'out' / 'analyses' / pictures[0]))
    assert drawn.shape[2] == 3 and (drawn[..., 0] != drawn[..., 2]).any()


def test_predictions_as_json_and_as_csv_measure_the_same(tmp_path):
    xray = predicted()
    xray.points_px[:] = np.random.default_rng(0).uniform(0, 1500, xray.points_px.shape)
    written(tmp_path, xray)
    for name in ('predictions.json', 'landmarks.csv'):
        assert call('measure', tmp_path / name, '--out', tmp_path / name.partition('.')[2], '--no-overlay')[0] == 0
    (from_json,), (from_csv,) = (rows_of(tmp_path / kind / 'measurements.csv') for kind in ('json', 'csv'))
    assert (from_json['flagged'], from_json['warnings']) == (from_csv['flagged'], from_csv['warnings'])
    assert from_json.keys() == from_csv.keys()
    for name in from_json.keys() - {'image', 'flagged', 'warnings'}:
        assert float(from_json[name] or 'nan') == pytest.approx(
            float(from_csv[name] or 'nan'), abs=0.02, rel=0.02, nan_ok=True
        ), name
    assert not (tmp_path / 'json' / 'analyses').exists()


@pytest.mark.parametrize('name', ['predictions.json', 'landmarks.csv'])
def test_what_uses_a_flagged_landmark_is_marked(tmp_path, name):
    apart = np.random.default_rng(0).uniform(0, 1500, (2, COUNT, 2))
    only_a = np.array(LANDMARKS.abbreviations) == 'A'
    first = replace(predicted('a'), points_px=apart[0], flagged=only_a)
    second = replace(
        predicted('b'), points_px=apart[1], flagged=np.ones(COUNT, bool), doubtful=True, warnings=('it is blank',)
    )
    written(tmp_path, first, second)
    out = tmp_path / 'out'
    status, stdout, _ = call('measure', tmp_path / name, '--out', out, '--no-overlay')
    assert status == 0
    assert '2 X-rays with marked measurements, 1 X-rays doubtful' in stdout.splitlines()[-1]
    rows = rows_of(out / 'measurements.csv')
    assert {'SNA', 'ANB'} <= set(rows[0]['flagged'].split()) and 'SNB' not in rows[0]['flagged'].split()
    assert {'SNA', 'SNB'} <= set(rows[1]['flagged'].split())
    assert [row['doubtful'] for row in rows] == ['', 'yes'] and rows[1]['warnings'] == 'it is blank'
    images = json.loads((out / 'measurements.json').read_text())['images']
    assert (images[0]['values']['SNA']['flagged'], images[0]['values']['SNB']['flagged']) == (True, False)
    assert all(value['flagged'] for value in images[1]['values'].values())
    assert (images[1]['doubtful'], images[1]['warnings']) == (True, ['it is blank'])


@pytest.mark.parametrize('name', ['predictions.json', 'landmarks.csv'])
def test_without_a_calibration_the_last_line_says_that_nothing_was_assessed(tmp_path, name):
    written(tmp_path, predicted(calibrated=False))
    status, stdout, _ = call('measure', tmp_path / name, '--out', tmp_path / 'out', '--no-overlay')
    assert status == 0 and 'not assessed' in stdout and 'marked' not in stdout
    assert 'flagged' not in rows_of(tmp_path / 'out' / 'measurements.csv')[0]


def test_the_last_line_counts_what_was_not_assessed_beside_what_was(tmp_path):
    written(tmp_path, predicted('a', calibrated=False), predicted('b'))
    _, stdout, _ = call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', '--no-overlay')
    assert '1 X-rays not assessed' in stdout


def test_the_drawings_of_a_doubtful_xray_have_a_banner(tmp_path):
    film = tmp_path / 'film.png'
    cv2.imwrite(str(film), np.full((2400, 1900), 90, np.uint8))
    doubtful = {'doubtful': True, 'flagged': np.ones(COUNT, bool), 'warnings': ('it is blank',)}
    written(tmp_path, replace(predicted(), file=str(film), **doubtful))
    options = ('--analysis', 'steiner', 'downs')
    assert call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', *options)[0] == 0
    pictures = list((tmp_path / 'out' / 'analyses').iterdir())
    assert len(pictures) == 2
    for path in pictures:
        picture = cv2.imread(str(path))
        red = (np.abs(picture[: picture.shape[0] - 2400].astype(int) - (25, 0, 191)) < 12).all(axis=2)
        assert picture.shape[0] > 2400 and red.mean() > 0.6


def test_pages_are_written_for_each_xray_and_together(tmp_path):
    films = []
    for name in 'ab':
        films.append(tmp_path / f'{name}.png')
        cv2.imwrite(str(films[-1]), np.full((2400, 1900), 90, np.uint8))
    points = np.random.default_rng(0).uniform(0, 1500, (2, COUNT, 2))
    written(
        tmp_path,
        *(replace(predicted(film.stem), file=str(film), points_px=xy) for film, xy in zip(films, points, strict=True)),
    )
    options = ('--analysis', 'steiner', 'downs', '--page', '--paper', 'Letter', '--no-overlay')
    status, _, stderr = call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', *options)
    assert status == 0, stderr
    pages = sorted(path.name for path in (tmp_path / 'out' / 'pages').iterdir())
    assert pages == ['a_downs.png', 'a_steiner.png', 'b_downs.png', 'b_steiner.png', 'downs.pdf', 'steiner.pdf']
    assert cv2.imread(str(tmp_path / 'out' / 'pages' / 'a_downs.png')).shape[1] == 1275
    document = pypdfium2.PdfDocument(tmp_path / 'out' / 'pages' / 'steiner.pdf')
    assert len(document) == 2 and 'Steiner' in document[1].get_textpage().get_text_range()
    document.close()
    assert not (tmp_path / 'out' / 'analyses').exists()


def test_two_films_are_compared_by_name(tmp_path):
    points = np.random.default_rng(0).uniform(100, 1500, (2, COUNT, 2))
    for name, xy, alone in (('before', points[0], 'x'), ('after', points[1], 'y')):
        (tmp_path / name).mkdir()
        written(tmp_path / name, replace(predicted('film'), points_px=xy), replace(predicted(alone), points_px=xy))
    files = [tmp_path / name / 'predictions.json' for name in ('before', 'after')]
    status, stdout, stderr = call('measure', '--compare', *files, '--out', tmp_path / 'out', '--analysis', 'steiner')
    assert status == 0 and '1 pairs of films compared' in stdout, stderr
    assert 'x is in one of the files alone' in stderr and 'y is in one of the files alone' in stderr
    rows = {row['measurement']: row for row in rows_of(tmp_path / 'out' / 'comparison.csv')}
    values = [measure(xy, LANDMARKS, predicted().spacing_mm)['SNA'] for xy in points]
    assert float(rows['SNA']['change']) == pytest.approx(values[1] - values[0], abs=0.002)
    names = sorted(path.name for path in (tmp_path / 'out' / 'pages').iterdir())
    assert names == ['comparison_steiner.pdf', 'film_comparison_steiner.png']
    for wrong in ([files[0], '--compare', *files], []):
        status, _, stderr = call('measure', *wrong, '--out', tmp_path / 'none')
        assert status == 2 and '--compare BEFORE AFTER: give one of the two' in stderr
    assert not (tmp_path / 'none').exists()


def test_what_is_odd_in_the_file_is_said(tmp_path):
    header, *rows = [
        'image,landmark,x_px,y_px,x_mm,y_mm',
        'a,S,100,100,10,10',
        'a,N,300,120,30,12',
        'a,A,310,300,31,30',
    ]
    for name, more, words in (
        ('corrected', 'a,B,900,400,30,40', 'B (900, 400 px; 30, 40 mm)'),
        ('unknown', 'a,Sella,300,400,30,40', "knows 'Sella'"),
        ('origin', 'a,B,0,0,,', 'at (0, 0): B'),
    ):
        (tmp_path / f'{name}.csv').write_text('\n'.join([header, *rows, more]))
        status, _, stderr = call('measure', tmp_path / f'{name}.csv', '--out', tmp_path / name, '--no-overlay')
        assert status == 0 and stderr.startswith('warning: ') and words in stderr and name in stderr
        (row,) = rows_of(tmp_path / name / 'measurements.csv')
        assert float(row['SNA (deg)']) > 0 and (name == 'unknown' or words in row['warnings'])
    (tmp_path / 'twice.csv').write_text('\n'.join([header, *rows, rows[0]]))
    status, _, stderr = call('measure', tmp_path / 'twice.csv', '--out', tmp_path / 'twice', '--no-overlay')
    assert status == 2 and 'lines 2 and 5: a has two rows for S' in stderr and not (tmp_path / 'twice').exists()


def test_the_ground_truth_of_a_landmark_set_of_ones_own_is_measured(tmp_path):
    names = ('S', 'N', 'A', 'Zyg')
    own = LandmarkSet('mine', 'mine', names, names, ('bone',) * 4, ())
    points_px = np.array([[100.0, 100], [300, 120], [310, 300], [200, 200]])
    image = LabelledImage(1, 'images/1.png', 400, 400, 0.1, points_px)
    (tmp_path / 'test.json').write_text(json.dumps(coco_content([image], own)))
    entry = {
        'name': 'mine',
        'title': 'My angle',
        'unit': 'deg',
        'formula': {'angle': ['S', 'N', 'Zyg']},
        'sign': 'larger: more',
        'definition': 'An angle.',
        'source': 'here',
    }
    (tmp_path / 'mine.json').write_text(json.dumps({'measurements': [entry]}))
    options = ('--measurements', tmp_path / 'mine.json', '--no-overlay')
    status, _, stderr = call('measure', tmp_path / 'test.json', '--out', tmp_path / 'out', *options)
    assert status == 0 and stderr == ''
    (row,) = rows_of(tmp_path / 'out' / 'measurements.csv')
    assert float(row['SNA (deg)']) > 0 and float(row['mine (deg)']) > 0


def test_without_a_spacing_there_are_no_lengths_unless_one_is_given(tmp_path):
    written(tmp_path, predicted(spacing_mm=None))
    call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'a', '--no-overlay')
    assert not [name for name in rows_of(tmp_path / 'a' / 'measurements.csv')[0] if '(mm)' in name]
    call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'b', '--no-overlay', '--spacing', 0.1)
    assert [name for name in rows_of(tmp_path / 'b' / 'measurements.csv')[0] if '(mm)' in name]


def test_xrays_that_are_not_found_or_changed_are_not_drawn_and_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, predicted('gone'), predicted('other'))
    (tmp_path / 'films').mkdir()
    cv2.imwrite(str(tmp_path / 'films' / 'other.png'), np.zeros((24, 19), np.uint8))
    status, _, stderr = call('measure', 'predictions.json', '--out', 'out')
    assert status == 0 and 'films/gone.png' in stderr and 'is 19 x 24 pixels' in stderr
    assert list((tmp_path / 'out' / 'analyses').iterdir()) == []
    assert len(rows_of(tmp_path / 'out' / 'measurements.csv')) == 2
    status, _, stderr = call('measure', 'landmarks.csv', '--out', 'from_csv')
    assert status == 0 and 'nothing is drawn' in stderr


def test_mistakes_end_with_status_2(tmp_path):
    written(tmp_path, predicted())
    file, out = tmp_path / 'predictions.json', tmp_path / 'out'
    assert call('measure', file, '--out', out, '--no-overlay')[0] == 0
    before = (out / 'measurements.csv').read_bytes()
    for arguments, words in (
        ((file, '--out', out), '--overwrite'),
        ((file, '--out', tmp_path / 'new', '--analysis', 'nobody'), 'steiner'),
        ((file, '--out', tmp_path / 'new', '--spacing', 0), '0'),
        ((file, '--out', file), 'is a file'),
        ((tmp_path / 'none.json', '--out', tmp_path / 'new'), 'none.json cannot be read'),
    ):
        status, _, stderr = call('measure', *arguments)
        assert status == 2 and stderr.startswith('error: ') and words in stderr
    assert (out / 'measurements.csv').read_bytes() == before and not (tmp_path / 'new').exists()
    assert call('measure', file, '--out', out, '--no-overlay', '--overwrite')[0] == 0


def test_a_measurement_of_ones_own(tmp_path):
    written(tmp_path, predicted())
    entry = {
        'name': 'mine',
        'title': 'My angle',
        'unit': 'deg',
        'formula': {'angle': list(LANDMARKS.abbreviations[:3])},
        'sign': 'larger: more',
        'definition': 'An angle.',
        'source': 'here',
    }
    (tmp_path / 'mine.json').write_text(json.dumps({'measurements': [entry]}))
    options = ('--measurements', tmp_path / 'mine.json', '--no-overlay')
    assert call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', *options)[0] == 0
    assert float(rows_of(tmp_path / 'out' / 'measurements.csv')[0]['mine (deg)']) > 0


def test_sex_age_and_name_choose_the_norm(tmp_path):
    written(tmp_path, replace(predicted(), points_px=np.random.default_rng(0).uniform(0, 1500, (COUNT, 2))))

    def norms(*options):
        arguments = ('--out', tmp_path / 'out', '--no-overlay', '--overwrite', '--spacing', 0.1, *options)
        assert call('measure', tmp_path / 'predictions.json', *arguments)[0] == 0
        content = json.loads((tmp_path / 'out' / 'measurements.json').read_text())
        analyses = content['images'][0]['analyses']
        return analyses['mcnamara']['SNA']['norm'], analyses['jarabak']['jarabak_ratio']['norm']['range']

    assert norms() == (None, [59, 63])
    assert norms('--sex', 'female')[0]['mean'] == 82.4
    assert norms('--norms', 'Jarabak and Fizzell 1972')[1] == [62, 65]
    for options, words in ((('--age', 0), '--age 0'), (('--norms', 'nobody'), "--norms 'nobody': no norm")):
        status, _, stderr = call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'no', *options)
        assert status == 2 and words in stderr and len(stderr.splitlines()) == 1


def test_a_norm_of_ones_own_needs_no_measurement(tmp_path):
    written(tmp_path, replace(predicted(), points_px=np.random.default_rng(0).uniform(0, 1500, (COUNT, 2))))
    norm = {'measurement': 'SNA', 'mean': 81, 'sd': 3, 'source': 'our controls'}
    (tmp_path / 'mine.json').write_text(json.dumps({'norms': [norm]}))
    options = ('--measurements', tmp_path / 'mine.json', '--no-overlay')
    assert call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', *options)[0] == 0
    content = json.loads((tmp_path / 'out' / 'measurements.json').read_text())
    for analysis in ('steiner', 'isbi2015', 'eastman'):
        assert content['images'][0]['analyses'][analysis]['SNA']['norm']['source'] == 'our controls'
