"""An evaluated run: errors, scores, order, and the one file that keeps all of it."""

import dataclasses
import json

import numpy as np
import pytest
from evaluations import make_evaluation

from cephalometric.annotations.coco import LabelledImage
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.results.evaluation import Evaluation, read_results, write_results

TWO = LandmarkSet('two', 'Two landmarks', ('first', 'second'), ('F', 'S'), ('g', 'g'), ((0, 1),))


def evaluation_of(true_px, points_px, spacing_mm=0.5):
    images = tuple(
        LabelledImage(n + 1, f'{n + 1}.png', 100, 80, spacing_mm, np.array(points, float))
        for n, points in enumerate(true_px)
    )
    points_px = np.array(points_px, float)
    return Evaluation(TWO, images, points_px, np.ones(points_px.shape[:2]))


NOWHERE = (np.nan, np.nan)


def test_errors_and_differences_are_in_mm_and_differences_point_from_truth_to_prediction():
    evaluation = evaluation_of([[(10, 10), (20, 20)]], [[(13, 6), (20, 22)]])
    np.testing.assert_allclose(evaluation.errors_mm, [[2.5, 1.0]])
    np.testing.assert_allclose(evaluation.differences_mm, [[(1.5, -2.0), (0, 1)]])
    assert evaluation.overall().mre_mm == 1.75
    assert [scores.mre_mm for scores in evaluation.per_landmark()] == [2.5, 1.0]
    assert [scores.mre_mm for scores in evaluation.per_image()] == [1.75]


def test_the_worst_image_comes_first_and_one_without_truth_last():
    true_px = [[(0, 0), NOWHERE], [NOWHERE, NOWHERE], [(0, 0), (0, 0)]]
    evaluation = evaluation_of(true_px, [[(2, 0), (0, 0)], [(0, 0), (0, 0)], [(6, 0), (4, 0)]])
    assert evaluation.worst_first() == [2, 0, 1]
    assert evaluation.overall().mre_mm == 2.0
    assert [scores.count for scores in evaluation.per_landmark()] == [2, 1]


def test_select_keeps_rows_together(tmp_path):
    evaluation = make_evaluation(tmp_path)
    chosen = evaluation.select([3, 1])
    assert [image.id for image in chosen.images] == [4, 2]
    np.testing.assert_array_equal(chosen.errors_mm, evaluation.errors_mm[[3, 1]])
    np.testing.assert_array_equal(chosen.expected_errors_mm, evaluation.expected_errors_mm[[3, 1]])
    assert chosen.spread_mm is None and chosen.provenance == evaluation.provenance


@pytest.mark.parametrize('bare', [False, True])
def test_what_is_written_is_read(tmp_path, bare):
    evaluation = make_evaluation(tmp_path)
    if bare:
        evaluation = dataclasses.replace(evaluation, expected_errors_mm=None, provenance=None)
    else:
        evaluation = dataclasses.replace(evaluation, spread_mm=np.ones_like(evaluation.landmark_scores))
    write_results(tmp_path / 'results.json', evaluation)
    back = read_results(tmp_path / 'results.json')
    assert (back.landmarks, back.provenance, back.image_folder) == (
        evaluation.landmarks,
        evaluation.provenance,
        tmp_path,
    )
    for name in (
        'points_px',
        'true_px',
        'landmark_scores',
        'spacings_mm',
        'errors_mm',
        'expected_errors_mm',
        'spread_mm',
    ):
        np.testing.assert_array_equal(getattr(back, name), getattr(evaluation, name), err_msg=name)
    for image, other in zip(back.images, evaluation.images, strict=True):
        same = ('id', 'file_name', 'width', 'height', 'original_file')
        assert [getattr(image, name) for name in same] == [getattr(other, name) for name in same]


def test_the_file_says_what_a_reader_of_json_needs(tmp_path):
    evaluation = make_evaluation(tmp_path)
    write_results(tmp_path / 'results.json', evaluation)
    content = json.loads((tmp_path / 'results.json').read_text())
    entry = content['images'][1]
    assert entry['errors_mm'][5] is None and entry['true_px'][5] is None
    assert entry['errors_mm'][4] == pytest.approx(evaluation.errors_mm[1, 4])
    assert (entry['file_name'], entry['spacing_mm']) == ('images/2.png', 1.0)
    assert content['landmark_set']['abbreviations'][0] == 'S'


def damaged(content):
    yield 'a list', [1, 2]
    yield 'another format', content | {'format': 'other'}
    yield 'no images', content | {'images': []}
    for name in ('images', 'landmark_set', 'provenance', 'image_folder'):
        yield f'without {name}', {key: value for key, value in content.items() if key != name}
    short = json.loads(json.dumps(content))
    short['images'][0]['points_px'].pop()
    yield 'a point is missing', short
    texts = json.loads(json.dumps(content))
    texts['images'][0]['scores'][0] = 'high'
    yield 'a text for a number', texts


def test_a_damaged_file_is_refused_by_name(tmp_path):
    path = tmp_path / 'results.json'
    write_results(path, make_evaluation(tmp_path, count=2))
    for name, content in damaged(json.loads(path.read_text())):
        path.write_text(json.dumps(content))
        with pytest.raises(InputError, match=r'results\.json.*--dump'):
            read_results(path)
            pytest.fail(name)
