import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from baseline_data import IMAGES, baseline_content, write_baseline_data

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
        lambda content: content['categories'].append({}),
        lambda content: content['categories'][0].update(landmark_set=3),
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


@pytest.fixture(scope='module')
def baseline(data_root, tmp_path_factory):
    """The folder of data as the challenge's baseline prepares them."""
    return write_baseline_data(tmp_path_factory.mktemp('baseline') / 'data', data_root)


def test_a_file_of_the_baseline_is_read_as_it_is(baseline, data_root):
    found, ours = load_coco(baseline / 'test.json'), load_coco(data_root / 'test.json')
    assert (found.landmark_set, found.abbreviations) == ('cldetection2023', ours.abbreviations)
    assert (found.landmark_names, found.lines) == (ours.landmark_names, ours.lines)
    for one, other in zip(found.images, ours.images, strict=True):
        assert (one.id, one.spacing_mm) == (other.id, other.spacing_mm)
        assert (one.width, one.height) == (other.width, other.height)
        assert one.file_name == f'{IMAGES}/{one.id}.png' and one.original_file is None
        np.testing.assert_array_equal(one.points_px, other.points_px)
        np.testing.assert_array_equal(read_image(found, one), read_image(ours, other))


def test_the_landmark_set_of_nameless_keypoints_follows_from_their_number(baseline, tmp_path):
    content = json.loads((baseline / 'test.json').read_text())
    for count, expected in ((38, 'cldetection2023'), (19, 'isbi2015'), (53, 'cldetection2024')):
        for annotation in content['annotations']:
            annotation['keypoints'] = [7, 8, 1] * count
        (tmp_path / 'test.json').write_text(json.dumps(content))
        assert load_coco(tmp_path / 'test.json').landmark_set == expected


def test_nameless_keypoints_of_no_set_or_of_another_are_refused_with_the_flag(baseline, tmp_path):
    with pytest.raises(InputError, match=r"38 keypoints have no names, and .*'isbi2015' has 19: .*--landmarks cld"):
        load_coco(baseline / 'test.json', LANDMARKS)
    content = json.loads((baseline / 'test.json').read_text())
    for annotation in content['annotations']:
        annotation['keypoints'] = [7, 8, 1] * 7
    (tmp_path / 'test.json').write_text(json.dumps(content))
    with pytest.raises(
        InputError, match='its 7 keypoints without names fit no landmark set: say which with --landmarks'
    ):
        load_coco(tmp_path / 'test.json')
    table = {'landmarks': [{'abbreviation': f'a{k}', 'name': f'point {k}'} for k in range(7)]}
    write_json(tmp_path / 'mine.json', table)
    assert load_coco(tmp_path / 'test.json', load_landmark_set(str(tmp_path / 'mine.json'))).landmark_set == 'mine'


def test_named_keypoints_of_another_program_are_put_in_order(tmp_path):
    image = LabelledImage(1, '1.png', 100, 200, 0.125, np.arange(38, dtype=float).reshape(-1, 2) + 3)
    content = coco_content([image], LANDMARKS)
    order = np.random.default_rng(3).permutation(len(LANDMARKS))
    keypoints = np.array(content['annotations'][0]['keypoints']).reshape(-1, 3)
    content['annotations'][0]['keypoints'] = keypoints[order].ravel().tolist()
    names = [LANDMARKS.abbreviations[place].replace("'", '\u2019') for place in order]
    content['categories'] = [{'id': 2, 'name': 'tooth'}, {'id': 1, 'name': 'head', 'keypoints': names}]
    content['images'].append({'id': 2, 'file_name': 'not_annotated.png', 'width': 9, 'height': 9})
    write_json(tmp_path / 'a.json', content)
    found = load_coco(tmp_path / 'a.json')
    assert (found.landmark_set, len(found)) == ('isbi2015', 1)
    np.testing.assert_array_equal(found.images[0].points_px, image.points_px)
    asked = load_coco(tmp_path / 'a.json', load_landmark_set('cldetection2023'))
    assert asked.landmark_set == 'cldetection2023' and asked.images[0].visible.tolist() == [True] * 19 + [False] * 19


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda content: content['images'][0].pop('spacing'), "no 'spacing'.*--source coco, and --spacing"),
        (lambda content: content['images'][0].update(spacing=-1), 'a spacing is -1'),
        (lambda content: content['images'][0].pop('width'), "no 'width'.*--source coco"),
        (lambda content: content['annotations'].append(content['annotations'][0]), 'annotated more than once'),
        (lambda content: content['annotations'][0]['keypoints'].__setitem__(slice(0, 2), [0, 0]), 'exactly'),
        (lambda content: content['annotations'][0].update(keypoints=[0.5, 0.25, 1] * 38), 'no pixels'),
        (lambda content: content.pop('categories'), 'not a COCO file with keypoints'),
        (lambda content: content['annotations'][0].update(category_id=2), 'not a COCO file with keypoints'),
        (lambda content: content['annotations'][0]['keypoints'].pop(), 'not a COCO file with keypoints'),
        (lambda content: content['categories'][0].update(keypoints=['S', 'Q'] * 19), 'a keypoint is there twice'),
        (
            lambda content: content['categories'][0].update(keypoints=[f'Q{k}' for k in range(38)]),
            'fit no landmark set',
        ),
    ],
)
def test_a_foreign_file_that_cannot_be_used_is_one_line(baseline, tmp_path, change, reason):
    content = json.loads((baseline / 'test.json').read_text())
    change(content)
    (tmp_path / 'test.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match=reason) as error:
        load_coco(tmp_path / 'test.json')
    assert str(error.value).startswith(str(tmp_path / 'test.json')) and '\n' not in str(error.value)


def test_any_number_of_landmarks_and_any_ids_are_kept_apart(tmp_path):
    labelled = replace(labelled_image(5), points_px=np.arange(38, dtype=float).reshape(-1, 2) + 3)
    write_json(tmp_path / 'a.json', coco_content([labelled, replace(labelled, id=9)], LANDMARKS))
    content = baseline_content(load_coco(tmp_path / 'a.json'))
    for entry, annotation, name in zip(content['images'], content['annotations'], ('x', 0), strict=True):
        entry['id'] = annotation['image_id'] = name
    write_json(tmp_path / 'b.json', content)
    assert [image.id for image in load_coco(tmp_path / 'b.json').images] == [1, 2]


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
