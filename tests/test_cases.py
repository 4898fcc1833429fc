"""The X-rays of the report: which are shown, and what is drawn on them."""

import base64
import dataclasses

import cv2
import numpy as np
import pytest
from evaluations import LANDMARKS, make_evaluation

from cephalometric.errors import InputError
from cephalometric.reporting.cases import choose_cases, make_case
from cephalometric.reporting.runs import Run


def test_worst_median_and_best_are_shown_once_each(tmp_path):
    evaluation = make_evaluation(tmp_path)
    order = evaluation.worst_first()
    chosen = dict(choose_cases([Run('run', evaluation)]))
    assert [chosen['Worst case'], chosen['Worst case 2'], chosen['Median case']] == [order[0], order[1], order[4]]
    assert chosen['Best case'] == order[-1]
    assert len(set(chosen.values())) == len(chosen)


@pytest.mark.parametrize('count', [1, 2, 3])
def test_few_images_are_shown_without_repetition(tmp_path, count):
    chosen = choose_cases([Run('run', make_evaluation(tmp_path, count))])
    assert sorted(n for _, n in chosen) == list(range(count))


def test_of_two_runs_the_largest_differences_are_shown(tmp_path):
    first = make_evaluation(tmp_path, noise_mm=0.1)
    points_px = first.points_px.copy()
    points_px[2] += 10
    second = dataclasses.replace(first, points_px=points_px)
    assert choose_cases([Run('a', first), Run('b', second)]) == [('Much worse than in a', 2)]
    assert choose_cases([Run('b', second), Run('a', first)]) == [('Much better than in b', 2)]


def test_points_stay_in_pixels_of_the_original_and_what_has_no_truth_says_so(tmp_path):
    evaluation = make_evaluation(tmp_path)
    case = make_case('Worst case', [Run('run', evaluation)], 1)
    assert (case.width, case.height, case.file_name) == (200, 250, 'images/2.png')
    (layer,) = case.layers
    np.testing.assert_allclose([(mark.x, mark.y) for mark in layer.marks], evaluation.points_px[1])
    assert len(case.truth) == len(LANDMARKS) - 1
    assert 'no ground truth' in layer.marks[5].text and layer.marks[5].true_x is None
    assert f'{evaluation.errors_mm[1, 3]:.1f} mm off' in layer.marks[3].text
    assert f'mean error {evaluation.per_image()[1].mre_mm:.2f} mm' in case.summary


def test_the_picture_is_the_x_ray_made_smaller(tmp_path):
    evaluation = make_evaluation(tmp_path, count=1)
    large = cv2.resize(np.uint8([[0, 255], [255, 0]]), (2000, 3000), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(tmp_path / 'images' / '1.png'), large)
    images = (dataclasses.replace(evaluation.images[0], width=2000, height=3000),)
    case = make_case('Case', [Run('run', dataclasses.replace(evaluation, images=images))], 0)
    head, data = case.picture.split(',')
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert head == 'data:image/jpeg;base64' and max(picture.shape) == 1400
    assert picture[100, 100] < 30 and picture[100, -100] > 225


def test_an_image_that_is_gone_is_left_out_and_one_that_was_replaced_is_refused(tmp_path):
    run = Run('run', make_evaluation(tmp_path))
    (tmp_path / 'images' / '1.png').unlink()
    assert make_case('Case', [run], 0).picture == ''
    cv2.imwrite(str(tmp_path / 'images' / '2.png'), np.zeros((9, 9), np.uint8))
    with pytest.raises(InputError, match=r'2\.png.*9 x 9.*200 x 250'):
        make_case('Case', [run], 1)
