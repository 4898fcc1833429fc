import json

import numpy as np
import pytest

import cldetection_utils as utils
from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError


def test_the_whole_stack_is_loaded(tiny):
    np.testing.assert_array_equal(utils.load_train_stack_data(tiny.stack_path), tiny.slices)


def test_a_grey_stack_gets_three_channels(tiny):
    colour = tiny.slices
    tiny.slices = tiny.slices[..., 0]
    tiny.write()
    np.testing.assert_array_equal(utils.load_train_stack_data(str(tiny.stack_path)), colour)


def test_padding_is_removed_at_the_right_and_bottom_only(tiny):
    width, height = tiny.sizes[0]
    image = tiny.slices[0]
    image[:3] = 0
    np.testing.assert_array_equal(utils.remove_zero_padding(image), image[:height, :width])


def test_a_blank_image_stays_as_it_is():
    assert utils.remove_zero_padding(np.zeros((4, 5, 3), np.uint8)).shape == (4, 5, 3)


def test_landmarks_of_one_image(tiny):
    content = json.loads(tiny.annotation_path.read_text())
    landmarks = utils.extract_one_image_landmarks(content, 2)
    assert landmarks['image_id'] == 2
    assert landmarks['scale'] == 0.125
    assert landmarks['landmark_19'] == tiny.entries(2)[18]['point'][:2]
    assert len(landmarks) == 21
    assert utils.extract_one_image_landmarks(content, 99) == {'image_id': 99}


def test_the_helpers_together_write_a_coco_file(tiny):
    content = json.loads(tiny.annotation_path.read_text())
    landmarks = [utils.extract_one_image_landmarks(content, number) for number in (2, 1)]
    del landmarks[1]['landmark_4']
    path = tiny.folder / 'train.json'
    utils.save_coco_json_dataset([(40, 50, 3), (41, 51)], landmarks, [2, 1], path, 'isbi2015')
    first, second = load_coco(path).images
    assert (first.file_name, first.width, first.height, first.spacing_mm) == ('2.png', 50, 40, 0.125)
    np.testing.assert_array_equal(first.points_px, [entry['point'][:2] for entry in tiny.entries(2)])
    assert np.flatnonzero(~second.visible).tolist() == [3]


def test_an_image_without_annotation_is_named(tmp_path):
    with pytest.raises(InputError, match='image 5 has no scale'):
        utils.save_coco_json_dataset([(4, 5)], [{'image_id': 5}], [5], tmp_path / 'train.json')
    assert not list(tmp_path.iterdir())


def test_making_a_folder_deletes_nothing(tmp_path):
    folder = tmp_path / 'a' / 'b'
    utils.check_and_make_dir(str(folder))
    (folder / 'notes.txt').write_text('mine')
    utils.check_and_make_dir(folder)
    assert (folder / 'notes.txt').read_text() == 'mine'
    with pytest.raises(InputError, match=r'notes\.txt is a file'):
        utils.check_and_make_dir(folder / 'notes.txt')


@pytest.mark.parametrize(
    ('error', 'status', 'message'),
    [(InputError('a.mha is truncated'), 2, 'error: a.mha is truncated\n'), (KeyboardInterrupt(), 130, 'interrupted\n')],
)
def test_a_step_ends_with_one_message(capsys, error, status, message):
    def main():
        raise error

    with pytest.raises(SystemExit) as caught:
        utils.run_step(main)
    assert caught.value.code == status
    assert capsys.readouterr().err == message


def test_a_defect_keeps_its_traceback():
    def main():
        raise KeyError('defect')

    with pytest.raises(KeyError):
        utils.run_step(main)
