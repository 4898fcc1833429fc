"""From a stack to the result file, slice by slice."""

import json

import numpy as np
import pytest

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.prediction.data_sets import answer_stack, evaluate, write_stack_prediction
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.xrays.mha import open_stack, write_stack


@pytest.fixture(scope='module')
def model(model_folder):
    return TrainedModel([model_folder])


def test_each_slice_is_answered_in_order_and_its_result_is_the_models(model, phantom_stack, tmp_path, capfd):
    stack = open_stack(phantom_stack / 'train_stack.mha')
    path = tmp_path / 'result.json'
    assert write_stack_prediction(model, stack.path, path) == len(stack)
    points = np.array([entry['point'][:2] for entry in json.loads(path.read_text())['points']])
    points = points.reshape(len(stack), -1, 2)
    for image, found in zip(stack, points, strict=True):
        np.testing.assert_allclose(found, model.answers([image], [None])[0].points_px, atol=1e-3)
    assert f'{len(stack)}/{len(stack)}' in capfd.readouterr().out


def test_a_blank_slice_costs_the_others_nothing(model, phantom_stack, tmp_path):
    slices = list(open_stack(phantom_stack / 'train_stack.mha'))[:3]
    slices[1] = np.zeros_like(slices[1])
    write_stack(tmp_path / 'stack.mha', slices, count=3)
    with pytest.warns(UserWarning, match='slice 2: it is blank'):
        answers = list(answer_stack(model, open_stack(tmp_path / 'stack.mha')))
    assert [bool(answer.scores.any()) for answer in answers] == [True, False, True]


@pytest.mark.parametrize('images', [0, 3])
def test_without_a_labelled_landmark_nothing_is_computed(model, data_root, tmp_path, images):
    content = json.loads((data_root / 'test.json').read_text())
    content['images'], content['annotations'] = content['images'][:images], content['annotations'][:images]
    for annotation in content['annotations']:
        annotation['keypoints'] = [0] * len(annotation['keypoints'])
    (tmp_path / 'test.json').write_text(json.dumps(content))  # Its images are not there: they are not looked for.
    with pytest.raises(InputError, match=f'none of its {images} images has a labelled landmark'):
        evaluate(model, load_coco(tmp_path / 'test.json'))
