"""Names from outside: printable, fit for files on any system, and held inside of a folder."""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cephalometric.names import LONGEST, file_stem, inside, printable, unique_stems

# Also halves of characters, as Python reads the bytes of a file name that are not UTF-8.
NAMES = st.text(st.characters(codec=None), max_size=300)
NASTY = ['', '.', '..', '../x', 'a/b', 'C:\\x', 'CON', 'nul.txt', 'a\0b', 'b\udce9', 'line\nbreak', 'ü' * 200, '\ud800']


@given(NAMES)
def test_what_is_printable_is_one_line_of_utf_8(text):
    shown = printable(text)
    shown.encode('utf-8')
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


def test_what_can_be_printed_stays_as_it_is():
    assert printable("Müller (Pog') 50 % 歯.png") == "Müller (Pog') 50 % 歯.png"
    assert printable(os.fsdecode(b'b\xe9')) == 'b%E9' and printable('a\nb\x1b[') == 'a%0Ab%1B['


@given(NAMES)
def test_a_stem_is_a_short_name_in_the_folder_and_nothing_else(name):
    stem = file_stem(name)
    assert stem and len(stem.encode('utf-8')) <= LONGEST
    assert not set(stem) & set('/\\:*?"<>|\0\n') and not stem.startswith('.')
    assert file_stem(stem) == stem


@pytest.mark.parametrize('name', NASTY)
def test_a_stem_can_be_written(tmp_path, name):
    path = tmp_path / f'{file_stem(name)}_measured.png'
    path.touch()
    assert list(tmp_path.iterdir()) == [path]


def test_usual_names_stay_as_they_are():
    for name in ('film', '1.2.840.10008', 'Müller 2', '$x$', '_base', 'film_001', 'a-b+c=d'):
        assert file_stem(name) == name


@given(st.lists(st.one_of(NAMES, st.sampled_from(NASTY)), max_size=20))
@example(['a', 'A', 'a', 'a-2'])
@example(['a' * 300 + 'x', 'a' * 300 + 'y'])
def test_stems_are_unique_also_where_case_does_not_count(names):
    stems = unique_stems(names)
    assert len({stem.casefold() for stem in stems}) == len(names) == len(stems)


@pytest.mark.parametrize('name', ['film.png', 'overlays/film.png', 'a..b', './x', '..x/y'])
def test_a_name_in_the_folder_is_its_path(tmp_path, name):
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize('name', ['', '..', '../x', 'a/../../x', '/etc/passwd', 'a\\..\\..\\x', '\\\\host\\x', 'a\0b'])
def test_a_name_that_leads_elsewhere_is_none(tmp_path, name):
    assert inside(tmp_path, name) is None


def test_a_link_that_leads_out_is_followed_only_where_that_is_meant(tmp_path):
    (tmp_path / 'outside').mkdir()
    folder = tmp_path / 'folder'
    folder.mkdir()
    (folder / 'link').symlink_to(tmp_path / 'outside')
    assert inside(folder, 'link/x') is None
    assert inside(folder, 'link/x', links=True) == folder / 'link' / 'x'
    (folder / 'circle').symlink_to('circle')
    assert inside(folder, 'circle/x') is None
