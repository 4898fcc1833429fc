"""Pictures and thumbnails for the browser, from what is on disk by now."""

import cv2
import numpy as np
import pytest
from review_films import write_results

from cephalometric.errors import InputError
from cephalometric.reviewing.review_inputs import open_review
from cephalometric.reviewing.review_pictures import LatestFew, ReviewPictures


@pytest.fixture
def film(tmp_path):
    return open_review([write_results(tmp_path / 'results', ['one']) / 'films']).films[0]


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_picture_is_the_x_ray_and_another_one_when_the_file_is(film, tmp_path):
    pictures = ReviewPictures(tmp_path / 'cache')
    assert (decoded(pictures.picture(film)) == cv2.imread(str(film.path), 0)).all()
    colours = np.random.default_rng(0).integers(0, 255, (30, 20, 3), np.uint8)
    cv2.imwrite(str(film.path), colours)
    assert (decoded(pictures.picture(film)) == colours).all()


def test_thumbnails_are_kept_and_those_of_other_files_are_not_taken(film, tmp_path):
    pictures = ReviewPictures(tmp_path / 'cache')
    first = pictures.thumbnail(film)
    (kept,) = (tmp_path / 'cache').glob('*.jpg')
    kept.write_bytes(b'kept')
    assert pictures.thumbnail(film) == b'kept' and max(decoded(first).shape) == 160
    cv2.imwrite(str(film.path), np.full((10, 1000), 200, np.uint8))
    assert decoded(pictures.thumbnail(film)).shape == (2, 160)


def test_without_room_for_the_cache_there_are_thumbnails_all_the_same(film, tmp_path):
    (tmp_path / 'cache').write_text('a file where the folder would be')
    assert decoded(ReviewPictures(tmp_path / 'cache').thumbnail(film)) is not None
    film.path.unlink()
    with pytest.raises(InputError):
        ReviewPictures(tmp_path / 'other').thumbnail(film)


def test_the_latest_few_are_kept():
    few, made = LatestFew(2), []
    for key in 'abcba':
        few.get(key, lambda key=key: made.append(key))
    assert made == ['a', 'b', 'c', 'a']
