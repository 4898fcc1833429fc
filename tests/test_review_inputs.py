"""What the inputs of a review are found to be."""

import shutil

import cv2
import numpy as np
import pytest
from films import write_images
from PIL import Image
from review_films import write_results

from cephalometric.errors import InputError
from cephalometric.reviewing.review_inputs import open_review
from cephalometric.xrays.mha import write_stack


def test_results_are_opened_by_their_folder_or_file_also_after_they_were_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / 'a' / 'results', ['one', 'two'])
    for named in ('a/results', 'a/results/predictions.json'):
        review = open_review([named])
        assert [film.stem for film in review.films] == ['one', 'two'] and review.landmarks.name == 'isbi2015'
        assert review.films[0].found is not None and review.films[0].read().image.ndim == 2


def test_x_rays_are_listed_without_being_read_and_slices_are_counted(tmp_path):
    folder = write_images(tmp_path / 'films')
    (folder / 'broken.png').write_bytes(b'no picture')
    write_stack(folder / 'stack.mha', np.full((2, 20, 30, 3), 9, np.uint8), 2)
    pages = [Image.fromarray(np.full((20, 30), n, np.uint8)) for n in (7, 8, 9)]
    pages[0].save(folder / 'pages.tif', save_all=True, append_images=pages[1:])
    review = open_review([folder])
    assert [film.stem for film in review.films] == [
        'broken', 'film1', 'film2', 'film10', 'pages_001', 'pages_002', 'pages_003', 'stack_001', 'stack_002'
    ]  # fmt: skip
    assert review.landmarks is None and review.films[6].read().image[0, 0] == 9
    with pytest.raises(InputError, match='not an X-ray file'):
        review.films[0].read()


def test_a_stack_that_is_damaged_is_named_and_costs_the_others_nothing(tmp_path):
    folder = write_images(tmp_path / 'films')
    (folder / 'stack.mha').write_bytes(b'ObjectType = Image\n')
    review = open_review([folder])
    assert len(review.films) == 3 and 'stack.mha' in review.failed[0]


def test_a_data_root_brings_its_labels_and_original_names(data_root):
    review = open_review([data_root])
    assert len(review.films) == 11 and review.landmarks.name == 'cldetection2023'
    assert all(np.isfinite(film.labels_px).all() and film.spacing_mm for film in review.films)
    assert len(open_review([data_root / 'valid.json']).films) == 2


def test_what_cannot_be_reviewed_is_said_in_one_line(tmp_path, data_root):
    results = write_results(tmp_path / 'results', ['one'])
    (tmp_path / 'landmarks.csv').write_text('image,landmark,x_px,y_px\n')
    for inputs, words in (
        (['nothing here'], 'there is no such file'),
        ([results, data_root], 'have other landmarks'),
        ([tmp_path / 'landmarks.csv'], 'names no files of X-rays: give predictions.json'),
    ):
        with pytest.raises(InputError, match=words) as error:
            open_review(inputs)
        assert '\n' not in str(error.value)


def test_a_file_that_is_another_image_by_now_is_refused(tmp_path):
    film = open_review([write_results(tmp_path / 'results', ['one'])]).films[0]
    version = film.version()
    cv2.imwrite(str(film.path), np.zeros((10, 20), np.uint8))
    with pytest.raises(InputError, match='another image by now'):
        film.read()
    assert film.version() != version
    shutil.rmtree(film.path.parent)
    with pytest.raises(InputError, match=r'one\.png'):
        film.read()
    assert film.version()
