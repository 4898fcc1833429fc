"""Which image an annotation means: never one of another folder, and never one of several."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.preparation.file_names import FileNames

SEVERAL = ['a/1.png', 'b/1.png', 'b/2.tif', 'b/1.2.840.10008', 'b/old/2.tif', 'b/M\u00fcller.png']


def names_of(*paths, root='/data/films'):
    return FileNames([Path(root, path) for path in paths])


@pytest.mark.parametrize(
    ('name', 'found'),
    [
        ('a/1.png', ['a/1.png']),
        ('elsewhere/a/1.png', ['a/1.png']),
        ('..\\b\\1.png', ['b/1.png']),
        ('C:\\Users\\anna\\films\\b\\1.png', ['b/1.png']),
        ('./a/1.png', ['a/1.png']),
        ('1.png', ['a/1.png', 'b/1.png']),
        ('a/1', ['a/1.png']),
        ('2.bmp', ['b/2.tif', 'b/old/2.tif']),
        ('b/2.bmp', ['b/2.tif']),
        ('old/2.tif', ['b/old/2.tif']),
        ('1.2.840.10008', ['b/1.2.840.10008']),
        ('1.2.840', []),
        ('3.png', []),
        ('c/1.png', []),
        ('a/2.tif', []),
        ('a/b/2.tif', ['b/2.tif']),
        ('B/2.tif', []),
        ('b/2.TIF', ['b/2.tif']),
        (unicodedata.normalize('NFD', 'M\u00fcller.png'), ['b/M\u00fcller.png']),
        ('m\u00fcller.png', ['b/M\u00fcller.png']),
        ('', []),
        ('/', []),
    ],
)
def test_names_find_files(name, found):
    assert names_of(*SEVERAL).find(name) == found


def test_the_annotation_of_one_patient_is_none_of_another():
    files = names_of('1.png', '2.png', root='/data/patientB')
    assert files.find('patientA/1.png') == []
    assert files.find('/old/disk/patientA/1.png') == []
    assert files.find('patientB/1.png') == ['1.png'] == files.find('/old/disk/patientB/1.png')
    assert files.find('1.png') == ['1.png']
    assert files.find('patientA/1.png', ignore_folders=True) == ['1.png']


def test_the_file_in_the_folder_of_all_images_goes_before_those_below_it():
    files = names_of('1.png', 'old/1.png')
    assert files.find('1.png') == ['1.png'] and files.find('old/1.png') == ['old/1.png']
    assert files.find('1.png', ignore_folders=True) == ['1.png', 'old/1.png']


def test_what_lies_beside_the_annotations_is_meant(tmp_path):
    files = names_of('a/1.png', 'b/1.png', root=tmp_path)
    assert files.find('1.png', tmp_path / 'b') == ['b/1.png']
    assert files.find('../a/1.png', tmp_path / 'b') == ['a/1.png']
    assert files.find('a/1.png', tmp_path) == ['a/1.png']


PART = st.sampled_from(['a', 'b', 'patientA', 'patientB', '1', '2'])
PATH = st.lists(PART, min_size=1, max_size=4).map(lambda parts: '/'.join(parts) + '.png')


@given(paths=st.lists(PATH, min_size=1, max_size=6, unique=True), name=PATH)
def test_a_file_that_is_found_lies_in_the_folder_that_is_named(paths, name):
    files = names_of(*paths)
    for found in files.find(name):
        theirs, ours = name.split('/'), f'/data/films/{found}'.split('/')
        assert theirs[-1] == ours[-1]
        assert len(theirs) == 1 or theirs[-2] == Path('/data/films', _common(paths), found).parts[-2]


def _common(paths):
    import os

    return os.path.relpath(os.path.commonpath([Path('/data/films', path).parent for path in paths]), '/data/films')


@given(paths=st.lists(PATH, min_size=1, max_size=6, unique=True))
def test_each_file_is_found_by_its_own_path_alone(paths):
    files = names_of(*paths)
    for name, path in zip(files.names, paths, strict=True):
        assert files.find(f'/data/films/{path}', Path('/anywhere')) == [name]
        assert name in files.find(name)
