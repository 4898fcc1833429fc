"""In which folder the images of a COCO file lie."""

import pytest

from cephalometric.annotations.image_folders import way_to_images
from cephalometric.errors import InputError


def put(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_its_own_folder_goes_before_those_beside_it(tmp_path):
    put(tmp_path / '1.png', tmp_path / 'MMPose' / '1.png')
    assert way_to_images(tmp_path / 'train.json', '1.png', []) is None
    put(tmp_path / 'images' / '2.png')
    assert way_to_images(tmp_path / 'train.json', 'images/2.png', []) is None


def test_the_one_folder_beside_it_is_found(tmp_path):
    put(tmp_path / 'MMPose' / '1.png', tmp_path / 'other' / '2.png', tmp_path / '.hidden' / '1.png')
    assert way_to_images(tmp_path / 'train.json', '1.png', []) == 'MMPose'


def test_of_several_folders_none_is_guessed_but_one_may_be_said(tmp_path):
    put(tmp_path / 'MMPose' / '1.png', tmp_path / 'images' / '1.png')
    with pytest.raises(InputError, match=r'MMPose and in .*images: say which folder is meant with data_prefix'):
        way_to_images(tmp_path / 'train.json', '1.png', [])
    assert way_to_images(tmp_path / 'train.json', '1.png', [tmp_path / 'images']) == 'images'


def test_a_folder_that_is_said_goes_first_and_may_lie_anywhere(tmp_path):
    put(tmp_path / 'data' / '1.png', tmp_path / 'films' / '1.png')
    assert (
        way_to_images(tmp_path / 'data' / 'train.json', '1.png', [tmp_path / 'films']).replace('\\', '/') == '../films'
    )


def test_one_in_which_the_images_are_not_is_passed_over(tmp_path):
    # The baseline's config says MMPose/; the COCO files of step 2 say images/1.png.
    put(tmp_path / 'images' / '1.png')
    (tmp_path / 'MMPose').mkdir()
    assert way_to_images(tmp_path / 'train.json', 'images/1.png', [tmp_path / 'MMPose']) is None


@pytest.mark.parametrize('name', ['1.png', 'a' * 5000 + '.png', '\0.png'])
def test_images_that_are_nowhere_are_looked_for_where_they_should_be(tmp_path, name):
    assert way_to_images(tmp_path / 'train.json', name, []) is None
    assert way_to_images(tmp_path / 'absent' / 'train.json', name, []) is None
    assert way_to_images(tmp_path / 'train.json', name, [tmp_path / 'MMPose']) == 'MMPose'
