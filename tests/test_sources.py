import json
import re
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import (
    LANDMARKS,
    NAMES,
    keypoint_content,
    phantoms,
    points,
    write_aariz,
    write_images,
    write_isbi2015,
    write_keypoints,
    write_labelme,
    write_labels,
    write_point_rows,
    write_table,
)

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError, Problems
from cephalometric.files import sha256
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import FORMATS, ImageFiles

DOCS = Path(__file__).parents[1] / 'docs' / 'importing.md'


def run(tmp_path, source, **options):
    """The prepared images by their original file, and the remarks."""
    summary = prepare(source, tmp_path / 'out' / 'images', LANDMARKS, **options)
    images = {image.original_file: (coco, image) for coco in map(load_coco, summary.parts) for image in coco.images}
    return images, summary.remarks


def refused(tmp_path, source, **options):
    """The message of a call that must be refused and leave nothing."""
    with pytest.raises(InputError) as caught:
        run(tmp_path, source, **options)
    assert not (tmp_path / 'out').exists()
    return str(caught.value)


def source_of(tmp_path, annotations, form, suffix='.png', **options):
    return ImageFiles([str(write_images(tmp_path / 'films', suffix))], annotations, FORMATS[form], **options)


@pytest.mark.parametrize('form', FORMATS)
def test_every_form_of_annotations_becomes_the_same_images_and_coco_files(tmp_path, form):
    write = {
        'isbi2015': lambda: write_isbi2015(tmp_path / 'given', points()),
        'cldetection2024': lambda: write_labels(tmp_path / 'given', points(), 0.1),
        'labelme': lambda: write_labelme(tmp_path / 'given', points()),
        'csv': lambda: write_point_rows(tmp_path / 'given', points()),
        'coco': lambda: write_keypoints(tmp_path / 'given', points()),
        'aariz': lambda: write_aariz(tmp_path / 'given', points()),
    }
    spacing = {'spacing_mm': 0.1} if form in ('labelme', 'csv', 'coco') else {}
    images, remarks = run(tmp_path, source_of(tmp_path, [write[form]()], form, **spacing), folds=2)
    assert remarks == ()
    assert {name: image.id for name, (_, image) in images.items()} == {'film1.png': 1, 'film2.png': 2, 'film10.png': 3}
    for name, phantom in phantoms().items():
        coco, image = images[f'{name}.png']
        np.testing.assert_array_equal(cv2.imread(str(coco.image_path(image)), cv2.IMREAD_UNCHANGED), phantom.image)
        np.testing.assert_array_equal(image.points_px, points()[name])
        assert (image.width, image.height, image.spacing_mm) == (*phantom.image.shape[::-1], 0.1)


def test_black_borders_of_image_files_are_no_padding(tmp_path):
    source = source_of(tmp_path, [write_isbi2015(tmp_path / 'given', points())], 'isbi2015')
    path = tmp_path / 'films' / 'film2.png'
    image = np.pad(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), ((0, 30), (0, 40)))
    cv2.imwrite(str(path), image)
    coco, prepared = run(tmp_path, source)[0]['film2.png']
    assert (prepared.width, prepared.height) == image.shape[::-1]
    np.testing.assert_array_equal(cv2.imread(str(coco.image_path(prepared)), cv2.IMREAD_UNCHANGED), image)


def test_of_two_doctors_the_mean_is_taken(tmp_path):
    senior, junior = points(), points()
    for rows in junior.values():
        rows[:] -= 0.5
    folders = [write_isbi2015(tmp_path / 'senior', senior), write_isbi2015(tmp_path / 'junior', junior)]
    images, _ = run(tmp_path, source_of(tmp_path, folders, 'isbi2015'))
    np.testing.assert_allclose(images['film1.png'][1].points_px, senior['film1'] - 0.25)


def test_a_doctor_who_has_not_seen_every_image(tmp_path):
    junior = points()
    del junior['film2']
    folders = [write_isbi2015(tmp_path / 'senior', points()), write_isbi2015(tmp_path / 'junior', junior)]
    message = refused(tmp_path, source_of(tmp_path, folders, 'isbi2015'))
    assert 'images that not all of the annotations cover: film2.png' in message


def test_the_images_decide_what_is_taken_from_isbi2015(tmp_path):
    more = points() | {'151': np.zeros((19, 2)), '152': np.zeros((19, 2))}
    images, remarks = run(tmp_path, source_of(tmp_path, [write_isbi2015(tmp_path / 'given', more)], 'isbi2015'))
    assert len(images) == 3
    assert remarks == ('annotations of other images were not used: 151, 152',)


def test_all_problems_are_in_one_report(tmp_path):
    spoilt = points() | {'film7': points()['film1']}
    spoilt['film1'][0] = 1e6
    del spoilt['film10']
    source = source_of(tmp_path, [write_point_rows(tmp_path / 'points.csv', spoilt)], 'csv')
    (tmp_path / 'films' / 'film2.png').write_bytes(b'\x89PNG\r\n\x1a\nno more')
    message = refused(tmp_path, source)
    assert str(tmp_path / 'points.csv') in message and str(tmp_path / 'films') in message
    assert 'annotations of images that are not there: film7.png' in message
    assert 'images without annotations: film10.png' in message
    assert 'S (1) at (1e+06, 1e+06) of ' in message and ': film1.png' in message
    assert 'film2.png' in message[message.index('unusable files') :]
    assert 'images without a spacing (give it with --spacing, in mm per pixel): film1.png, film10.png' in message


def test_missing_landmarks_are_allowed_on_request(tmp_path):
    fewer = points()
    fewer['film1'][4] = np.nan
    path = write_point_rows(tmp_path / 'points.csv', fewer)
    path.write_text(path.read_text().replace('nan', ''))
    source = source_of(tmp_path, [path], 'csv', spacing_mm=0.1)
    assert 'A (5): film1.png' in refused(tmp_path, source)
    images, _ = run(tmp_path, source, allow_missing=True)
    assert np.flatnonzero(~images['film1.png'][1].visible).tolist() == [4]


def test_blank_images(tmp_path):
    source = source_of(tmp_path, [write_isbi2015(tmp_path / 'given', points())], 'isbi2015')
    cv2.imwrite(str(tmp_path / 'films' / 'film2.png'), np.zeros((240, 200), np.uint8))
    assert 'blank images: film2.png' in refused(tmp_path, source)


def test_the_spacing_asked_for_goes_before_that_of_the_file_and_a_remark_says_so(tmp_path):
    labels = write_labels(tmp_path / 'labels.csv', points(), 0.125)
    images, remarks = run(tmp_path, source_of(tmp_path, [labels], 'cldetection2024', spacing_mm=0.1))
    assert {image.spacing_mm for _, image in images.values()} == {0.1}
    assert len(remarks) == 1 and '0.125' in remarks[0] and 'film1.png, film10.png, film2.png' in remarks[0]


@pytest.mark.parametrize('spacing', [-0.1, float('nan'), float('inf')])
def test_a_spacing_that_cannot_be(tmp_path, spacing):
    source = source_of(tmp_path, [write_isbi2015(tmp_path / 'given', points())], 'isbi2015', spacing_mm=spacing)
    assert f'spacing {spacing} mm cannot be used' in refused(tmp_path, source)


def test_annotations_of_a_smaller_copy_are_refused_with_both_sizes(tmp_path):
    source = source_of(tmp_path, [write_labelme(tmp_path / 'given', points())], 'labelme', spacing_mm=0.1)
    path = tmp_path / 'given' / 'film2.json'
    height, width = phantoms()['film2'].image.shape
    path.write_text(path.read_text().replace(f'"imageWidth": {width}', f'"imageWidth": {width // 2}'))
    message = refused(tmp_path, source)
    assert f'on {width // 2} x {height}, but the image has {width} x {height} pixels: film2.png' in message
    assert 'film1.png' not in message


def test_points_at_the_origin_are_asked_about_and_never_visible(tmp_path):
    spoilt = points()
    spoilt['film1'][4] = 0
    source = source_of(tmp_path, [write_point_rows(tmp_path / 'points.csv', spoilt)], 'csv', spacing_mm=0.1)
    message = refused(tmp_path, source)
    assert 'points at (0, 0)' in message and '--allow-missing' in message and 'A (5): film1.png' in message
    images, remarks = run(tmp_path, source, allow_missing=True)
    assert np.flatnonzero(~images['film1.png'][1].visible).tolist() == [4]
    assert remarks == ('points at (0, 0) are taken as not annotated: film1.png',)


@pytest.mark.parametrize('missing', [False, True])
def test_coordinates_from_0_to_1_are_refused(tmp_path, missing):
    shares = {name: rows / phantoms()[name].image.shape[::-1] for name, rows in points().items()}
    source = source_of(tmp_path, [write_point_rows(tmp_path / 'points.csv', shares)], 'csv', spacing_mm=0.1)
    assert 'coordinates from 0 to 1, which are no pixels' in refused(tmp_path, source, allow_missing=missing)


@pytest.mark.parametrize('spacing', [100, 0.001, 1.5])
def test_a_spacing_in_other_units_is_asked_about(tmp_path, spacing):
    labels = write_labels(tmp_path / 'labels.csv', points(), spacing)
    source = source_of(tmp_path, [labels], 'cldetection2024')
    message = refused(tmp_path, source)
    assert 'spacings outside 0.02 to 1 mm' in message and f'{spacing:g} mm: film1.png' in message
    assert '--unusual-spacing' in message
    images, _ = run(tmp_path, source, unusual_spacing=True)
    assert images['film1.png'][1].spacing_mm == spacing
    images, _ = run(tmp_path, replace(source, spacing_mm=0.1), overwrite=True)
    assert images['film1.png'][1].spacing_mm == 0.1


def test_each_image_is_stored_with_size_and_checksum(tmp_path):
    source = source_of(tmp_path, [write_isbi2015(tmp_path / 'given', points())], 'isbi2015')
    for coco, image in run(tmp_path, source)[0].values():
        assert image.sha256 == sha256(coco.image_path(image))
        assert cv2.imread(str(coco.image_path(image))).shape[1::-1] == (image.width, image.height)


def test_the_annotation_of_one_patient_is_none_of_another(tmp_path):
    write_images(tmp_path / 'patientB')
    rows = {f'patientA/{name}': rows for name, rows in points().items()}
    source = ImageFiles([str(tmp_path / 'patientB')], [tmp_path / 'a.csv'], FORMATS['csv'], 0.1)
    write_point_rows(tmp_path / 'a.csv', rows)
    message = refused(tmp_path, source)
    assert 'another folder' in message and '--ignore-folders' in message and 'patientA/film1.png' in message
    assert len(run(tmp_path, replace(source, ignore_folders=True))[0]) == 3


def test_annotations_of_two_patients_whose_files_are_called_alike(tmp_path):
    for patient in ('patientA', 'patientB'):
        write_images(tmp_path / 'films' / patient)
    shifted = {name: rows + 0.5 for name, rows in points().items()}
    rows = {f'patientA/{name}': rows for name, rows in points().items()}
    rows |= {f'patientB/{name}': rows for name, rows in shifted.items()}
    folders = [str(tmp_path / 'films' / patient) for patient in ('patientB', 'patientA')]
    source = ImageFiles(folders, [write_point_rows(tmp_path / 'a.csv', rows)], FORMATS['csv'], 0.1)
    images, _ = run(tmp_path, source)
    assert len(images) == 6
    np.testing.assert_array_equal(images['patientA/film1.png'][1].points_px, points()['film1'])
    np.testing.assert_array_equal(images['patientB/film1.png'][1].points_px, shifted['film1'])


def test_files_that_are_not_there_are_reported_together(tmp_path):
    source = ImageFiles([str(tmp_path / 'films')], [tmp_path / 'a.csv', tmp_path / 'b.csv'], FORMATS['csv'])
    message = refused(tmp_path, source)
    assert all(str(tmp_path / name) in message for name in ('films', 'a.csv', 'b.csv'))


def test_a_file_of_several_xrays(tmp_path):
    source = source_of(tmp_path, [write_isbi2015(tmp_path / 'given', points())], 'isbi2015', suffix='.tif')
    image = phantoms()['film1'].image
    cv2.imwritemulti(str(tmp_path / 'films' / 'film1.tif'), [image, image])
    assert 'film1.tif holds several X-rays' in refused(tmp_path, source)


@pytest.mark.parametrize('suffix', ['.bmp', '.jpg', '.tif'])
def test_images_may_have_been_converted_since_they_were_annotated(tmp_path, suffix):
    labels = write_labels(tmp_path / 'labels.csv', points(), 0.1)  # names film1.bmp
    images, _ = run(tmp_path, source_of(tmp_path, [labels], 'cldetection2024', suffix=suffix))
    assert set(images) == {f'{name}{suffix}' for name in NAMES}


def test_names_that_fit_several_images_and_images_with_several_names(tmp_path):
    source = source_of(tmp_path, [tmp_path / 'a.csv'], 'csv', spacing_mm=0.1)
    shutil.copy(tmp_path / 'films' / 'film1.png', tmp_path / 'films' / 'film1.bmp')
    write_table(tmp_path / 'a.csv', ['image', 'S_x', 'S_y'], [[name, 1, 2] for name in ('film1', 'film2', 'film2.png')])
    message = refused(tmp_path, source, allow_missing=True)
    assert 'give the images names of their own): film1' in message
    assert 'images annotated more than once: film2.png' in message


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    folder, rows = tmp_path / 'films', []
    folder.mkdir()
    image = np.random.default_rng(0).integers(1, 256, (400, 400), dtype=np.uint8)
    for number in range(40):
        cv2.imwrite(str(folder / f'{number}.bmp'), image)
        rows.append([number, 5, 6])
    table = write_table(tmp_path / 'a.csv', ['image', 'S_x', 'S_y'], rows)
    source = ImageFiles([str(folder)], [table], FORMATS['csv'], 0.1)
    tracemalloc.start()
    try:
        run(tmp_path, source, allow_missing=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * image.nbytes < 40 * image.nbytes / 3


def documented(opening):
    """The example in the documentation that begins so."""
    (example,) = re.findall(rf'```\w*\n({re.escape(opening)}.*?)```', DOCS.read_text(encoding='utf-8'), re.S)
    return example


def test_the_report_in_the_documentation_is_what_is_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / 'films')
    spoilt = points() | {'film7': points()['film1']}
    spoilt['film1'][0] = 1200, 300
    del spoilt['film10']
    write_point_rows(tmp_path / 'points.csv', spoilt)
    message = refused(tmp_path, ImageFiles(['films'], ['points.csv'], FORMATS['csv'], 0.1))
    assert f'error: {message}\n' == documented('error: ')


@pytest.mark.parametrize(
    ('form', 'opening'),
    [
        ('cldetection2024', 'image file,'),
        ('csv', 'image,landmark'),
        ('labelme', '{"imagePath"'),
        ('coco', '{"categories"'),
    ],
)
def test_the_forms_in_the_documentation_are_read(tmp_path, form, opening):
    (tmp_path / 'example.json').write_text(documented(opening))
    path = tmp_path if form == 'labelme' else tmp_path / 'example.json'
    problems = Problems()
    ((name, annotation),) = FORMATS[form].read(path, LANDMARKS, problems).items()
    assert problems.count == 0 and name in ('001.bmp', 'film1.png')
    assert annotation.points_px[0].tolist() in ([835, 996], [835.5, 996])


def test_files_that_share_no_image_are_parts_of_one_data_set(tmp_path):
    folders = [write_isbi2015(tmp_path / name, {name: rows}) for name, rows in points().items()]
    images, _ = run(tmp_path, source_of(tmp_path, folders, 'isbi2015'))
    assert sorted(images) == ['film1.png', 'film10.png', 'film2.png']
    np.testing.assert_allclose(images['film2.png'][1].points_px, points()['film2'])


def test_what_label_studio_exports_is_a_coco_file(tmp_path):
    """Its keypoints have a category beside that of the box; uploads lie in a folder of its server."""
    written = keypoint_content(points())
    box = {'id': 3, 'name': 'head'}
    category = {**written['categories'][0], 'id': 4, 'name': 'default', 'skeleton': []}
    boxes = [
        {'id': 10 + n, 'image_id': n, 'category_id': 3, 'segmentation': [], 'bbox': [0, 0, 9, 9], 'ignore': 0}
        for n in (1, 2, 3)
    ]
    annotations = [{**entry, 'category_id': 4} for entry in written['annotations']]
    images = [{**image, 'file_name': f'/data/upload/1/{image["file_name"]}'} for image in written['images']]
    path = tmp_path / 'result.json'
    path.write_text(
        json.dumps({'images': images, 'categories': [box, category], 'annotations': [*boxes, *annotations]})
    )
    source = source_of(tmp_path, [path], 'coco', spacing_mm=0.1, ignore_folders=True)
    images, _ = run(tmp_path, source)
    for name, rows in points().items():
        np.testing.assert_array_equal(images[f'{name}.png'][1].points_px, rows)
