"""X-rays become image files: in colour where they have some, and the same however many are packed at a time."""

import cv2
import numpy as np
import pytest

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.preparation import image_writing
from cephalometric.preparation.image_writing import encode_png
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import ChallengeSource


def test_colour_survives_in_the_right_order():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encode_png(image), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), image)


def prepared(tiny) -> dict[str, bytes] | str:
    """The files that are made, by their names, or the message of why there are none."""
    out = tiny.folder.parent / 'out'
    try:
        prepare(
            ChallengeSource(tiny.stack_path, tiny.annotation_path),
            out / 'images',
            load_landmark_set('isbi2015'),
            overwrite=True,
        )
    except InputError as error:
        return str(error)
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob('*.[pj]*')}


@pytest.mark.parametrize('spoilt', [False, True])
def test_however_many_are_packed_at_a_time_it_is_the_same(tiny, monkeypatch, spoilt):
    if spoilt:
        tiny.slices[2] = tiny.slices[5] = 0
        tiny.entries(7)[0]['point'][0] = 60
        tiny.write()
    found = []
    for number in (1, 3, 9):
        monkeypatch.setattr(image_writing, 'AT_A_TIME', number)
        found.append(prepared(tiny))
    assert found[0] == found[1] == found[2]
    if spoilt:
        assert 'blank slices' in found[0] and 'points outside the image' in found[0]
    else:
        assert len(found[0]) == 11  # Eight images and three COCO files.
