import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from cephalometric.annotations.coco import LabelledImage, coco_content, load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.files import sha256, write_json
from cephalometric.landmarks import load_landmark_set

LANDMARKS = load_landmark_set('isbi2015')


def labelled_image(number=3):
    points = np.arange(2 * len(LANDMARKS), dtype=float).reshape(-1, 2) + 0.5
    points[1] = np.nan
    return LabelledImage(number, f'images/{number}.png', 100, 200, 0.125, points)


def test_round_trip(tmp_path):
    images = [labelled_image(3), labelled_image(1)]
    write_json(tmp_path / 'train.json', coco_content(images, LANDMARKS))
    loaded = load_coco(tmp_path / 'train.json')
    assert len(loaded) == 2
    assert (loaded.landmark_set, loaded.abbreviations) == ('isbi2015', LANDMARKS.abbreviations)
    assert loaded.image_path(loaded.images[0]) == tmp_path / 'images' / '3.png'
    for written, read in zip(images, loaded.images, strict=True):
        np.testing.assert_array_equal(read.points_px, written.points_px)
        np.testing.assert_array_equal(read.visible, written.visible)
        assert (read.id, read.width, read.height, read.spacing_mm) == (written.id, 100, 200, 0.125)


def test_the_original_file_is_kept_where_there_was_one(tmp_path):
    film = LabelledImage(1, 'images/1.png', 100, 200, 0.1, np.zeros((len(LANDMARKS), 2)), 'monday/film.jpg')
    content = coco_content([film, labelled_image(3)], LANDMARKS)
    assert [image.get('original_file') for image in content['images']] == ['monday/film.jpg', None]
    write_json(tmp_path / 'train.json', content)
    loaded = load_coco(tmp_path / 'train.json')
    assert [image.original_file for image in loaded.images] == ['monday/film.jpg', None]


def test_the_content_is_coco():
    content = coco_content([labelled_image()], LANDMARKS)
    (annotation,), (category,) = content['annotations'], content['categories']
    assert annotation['keypoints'][:9] == [0.5, 1.5, 2, 0, 0, 0, 4.5, 5.5, 2]
    assert annotation['num_keypoints'] == len(LANDMARKS) - 1
    assert (annotation['bbox'], annotation['area'], annotation['iscrowd']) == ([0, 0, 100, 200], 20000, 0)
    assert content['images'][0]['spacing'] == 0.125
    assert category['keypoints'] == list(LANDMARKS.abbreviations)
    assert category['landmark_names'] == list(LANDMARKS.names)
    joined = {(category['keypoints'][a - 1], category['keypoints'][b - 1]) for a, b in category['skeleton']}
    assert ('S', 'N') in joined


def test_the_coco_api_reads_it(tmp_path):
    coco_api = pytest.importorskip('xtcocotools.coco')
    write_json(tmp_path / 'train.json', coco_content([labelled_image(3), labelled_image(1)], LANDMARKS))
    coco = coco_api.COCO(str(tmp_path / 'train.json'))
    assert coco.getImgIds() == [3, 1]
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=3))
    assert len(annotation['keypoints']) == 3 * len(LANDMARKS)


@pytest.mark.parametrize(
    'change',
    [
        lambda content: content.pop('categories'),
        lambda content: content['categories'].append({}),
        lambda content: content['categories'][0].pop('landmark_set'),
        lambda content: content['annotations'].clear(),
        lambda content: content['annotations'][0]['keypoints'].pop(),
        lambda content: content['images'][0].pop('spacing'),
        lambda content: content['images'][0].update(spacing=0),
        lambda content: content['images'][0].update(spacing=None),
        lambda content: content['images'][0].update(spacing=10**400),
        lambda content: content['images'][0].update(width=0),
        lambda content: content['images'][0].update(height='200'),
        lambda content: content['images'][0].update(file_name=3),
        lambda content: content['images'].append(content['images'][0]),
        lambda content: content['annotations'].append(content['annotations'][0]),
        lambda content: content['annotations'][0]['keypoints'].__setitem__(0, float('inf')),
        lambda content: content['annotations'][0]['keypoints'].__setitem__(0, 10**400),
        lambda content: content['annotations'][0]['keypoints'].__setitem__(0, '1'),
        lambda content: content['categories'][0].update(skeleton=[[1, 99]]),
        lambda content: content['categories'][0].update(landmark_names=['sella']),
        lambda content: content['categories'][0]['keypoints'].__setitem__(1, 'S'),
    ],
)
def test_other_coco_files_are_refused(tmp_path, change):
    content = coco_content([labelled_image()], LANDMARKS)
    change(content)
    (tmp_path / 'train.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match=r'train.json: not a COCO file of this project.*step2'):
        load_coco(tmp_path / 'train.json')


@pytest.mark.parametrize('text', ['{', '[]', '3', 'null'])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / 'train.json').write_text(text)
    with pytest.raises(InputError, match=r'train\.json'):
        load_coco(tmp_path / 'train.json')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'absent\.json cannot be read'):
        load_coco(tmp_path / 'absent.json')


def test_an_image_that_was_exchanged_or_resized_is_not_read(tmp_path):
    (tmp_path / 'images').mkdir()
    path = tmp_path / 'images' / '3.png'
    cv2.imwrite(str(path), np.full((200, 100), 90, np.uint8))
    entry = replace(labelled_image(), sha256=sha256(path))
    write_json(tmp_path / 'train.json', coco_content([entry], LANDMARKS))
    labelled = load_coco(tmp_path / 'train.json')
    assert labelled.images[0].sha256 == entry.sha256 and read_image(labelled, labelled.images[0]).shape == (200, 100)
    cv2.imwrite(str(path), np.full((200, 100), 91, np.uint8))
    with pytest.raises(InputError, match=r'3\.png: is not the image that was labelled, by its checksum'):
        read_image(labelled, labelled.images[0])
    older = replace(labelled.images[0], sha256=None)
    assert read_image(labelled, older).max() == 91
    cv2.imwrite(str(path), np.full((100, 50), 91, np.uint8))
    with pytest.raises(InputError, match=r'is 50 x 100 pixels'):
        read_image(labelled, older)
    for content in (b'', b'no image'):
        path.write_bytes(content)
        with pytest.raises(InputError, match='cannot be read as an image'):
            read_image(labelled, older)
    path.unlink()
    with pytest.raises(InputError, match='cannot be read as an image'):
        read_image(labelled, older)
