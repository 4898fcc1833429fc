"""From a stack to predictions, slice by slice."""

import numpy as np
import pytest
from conftest import TINY_RECIPE

from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.prediction.stacks import predict_stack
from cephalometric.training.config import load_config
from cephalometric.xrays.mha import open_stack, write_stack


@pytest.fixture(scope='module')
def predictor(trained):
    return CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth')


def test_each_slice_is_answered_in_order_and_nothing_is_on_stderr(predictor, phantom_stack, capfd):
    stack = open_stack(phantom_stack / 'train_stack.mha')
    predictions = list(predict_stack(predictor, stack))
    assert len(predictions) == len(stack)
    for image, prediction in zip(stack, predictions, strict=True):
        np.testing.assert_allclose(prediction.points_px, predictor.predict(image).points_px, atol=1e-4)
    out, err = capfd.readouterr()
    assert err == '' and f'{len(stack)}/{len(stack)}' in out


def test_a_blank_slice_costs_the_others_nothing(predictor, phantom_stack, tmp_path):
    slices = list(open_stack(phantom_stack / 'train_stack.mha'))[:3]
    slices[1] = np.zeros_like(slices[1])
    write_stack(tmp_path / 'stack.mha', slices, count=3)
    with pytest.warns(UserWarning, match='slice 2 is blank'):
        predictions = list(predict_stack(predictor, open_stack(tmp_path / 'stack.mha')))
    assert [prediction.blank for prediction in predictions] == [False, True, False]
