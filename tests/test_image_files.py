"""Image files that are no longer those that were labelled are found, all of them, before anything is computed."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.coco import LabelledImage, LabelledImages, coco_content, load_coco
from cephalometric.annotations.image_files import check_image_files
from cephalometric.errors import InputError
from cephalometric.files import sha256, write_json
from cephalometric.landmarks import load_landmark_set

SIZE = (50, 40)


def labelled(folder, suffix='.png', count=3, with_checksums=False):
    """X-rays on disk and their entries."""
    random, images = np.random.default_rng(0), []
    for number in range(1, count + 1):
        path = folder / f'{number}{suffix}'
        cv2.imwrite(str(path), random.integers(0, 256, SIZE[::-1], dtype=np.uint8))
        checksum = sha256(path) if with_checksums else None
        images.append(LabelledImage(number, path.name, *SIZE, 0.1, np.full((19, 2), 5.0), sha256=checksum))
    return LabelledImages(folder / 'train.json', 'isbi2015', load_landmark_set('isbi2015').abbreviations, tuple(images))


def problem_of(part):
    with pytest.raises(InputError) as error:
        check_image_files([part])
    return str(error.value)


@pytest.mark.parametrize('with_checksums', [True, False])
@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.tif'])
def test_what_is_as_it_was_labelled_passes(tmp_path, suffix, with_checksums):
    check_image_files([labelled(tmp_path, suffix, with_checksums=with_checksums)])


@pytest.mark.parametrize('with_checksums', [True, False])
def test_all_problems_are_named_at_once(tmp_path, with_checksums):
    train = labelled(tmp_path, count=6, with_checksums=with_checksums)
    (tmp_path / 'valid').mkdir()
    valid = replace(labelled(tmp_path / 'valid', count=2), path=tmp_path / 'valid' / 'valid.json')
    (tmp_path / '1.png').unlink()
    (tmp_path / '2.png').write_bytes((tmp_path / '2.png').read_bytes()[:-300])
    cv2.imwrite(str(tmp_path / '4.png'), np.zeros((20, 25), np.uint8))
    (tmp_path / '5.png').write_bytes(b'')
    (tmp_path / 'valid' / '2.png').unlink()
    with pytest.raises(InputError) as error:
        check_image_files([train, valid])
    message = str(error.value)
    assert '(5 problems)' in message and 'step2_prepare_coco_dataset.py' in message
    assert 'train.json' in message and 'valid.json' in message
    for name in ('1.png', '2.png', '4.png', '5.png', 'valid/2.png'):
        assert str(tmp_path / name) in message
    assert '25 x 20 instead of 50 x 40' in message
    assert str(tmp_path / '3.png') not in message and str(tmp_path / '6.png') not in message


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_is_found_to_be_cut_off_wherever_that_is(tmp_path, suffix, share):
    part = labelled(tmp_path, suffix, count=1)
    path = tmp_path / f'1{suffix}'
    # Behind a JPEG's last pixels there is nothing but its end mark.
    length = len(path.read_bytes()) - (0 if suffix == '.png' else 16)
    path.write_bytes(path.read_bytes()[: int(share * length)])
    assert 'cannot be read to their end' in problem_of(part)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(33, 2000), st.integers(1, 255))
def test_a_damaged_byte_of_a_png_is_found_without_a_checksum_of_our_own(tmp_path, place, change):
    part = labelled(tmp_path, count=1)
    content = bytearray((tmp_path / '1.png').read_bytes())
    content[place % (len(content) - 12)] ^= change
    if content != (tmp_path / '1.png').read_bytes():
        (tmp_path / '1.png').write_bytes(content)
        assert '(1 problem)' in problem_of(part)


def test_an_image_in_the_place_of_another_one_is_found_by_its_checksum(tmp_path):
    part = labelled(tmp_path, with_checksums=True)
    shutil.copyfile(tmp_path / '1.png', tmp_path / '2.png')
    assert 'by their checksum: ' + str(tmp_path / '2.png') in problem_of(part)


def test_the_checksum_goes_through_a_coco_file(tmp_path):
    part = labelled(tmp_path, with_checksums=True)
    write_json(part.path, coco_content(part.images, load_landmark_set('isbi2015')))
    assert [image.sha256 for image in load_coco(part.path).images] == [image.sha256 for image in part.images]
    check_image_files([load_coco(part.path)])


def test_no_images_are_no_problem(tmp_path):
    check_image_files([])
    check_image_files([labelled(tmp_path, count=0)])
