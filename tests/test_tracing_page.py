"""The page of a film: everything that a reader needs is on it, on every size of paper."""

from dataclasses import replace
from datetime import date

import cv2
import numpy as np
import pypdfium2
import pytest

from cephalometric.errors import InputError
from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import ANYBODY, Person, analyses_for, assess
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.number_words import digits_of, format_number, with_unit
from cephalometric.reporting.paper import all_to_pixels, fitting, words_width, wrapped
from cephalometric.reporting.tracing_page import PageFacts, TracingPages, write_tracing_page
from cephalometric.reporting.value_table import norm_words
from cephalometric.results.predictions import PredictedXray

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = analyses_for(LANDMARKS)
PHANTOM = make_phantom(5, 0.25)
EXPECTED = np.full(len(LANDMARKS), 1.2)


def film(analysis='steiner', person=ANYBODY, **changes):
    height, width = PHANTOM.image.shape[:2]
    xray = PredictedXray(
        'film 7',
        'film.png',
        None,
        width,
        height,
        PHANTOM.spacing_mm,
        Orientation(),
        PHANTOM.points_px,
        np.ones(len(LANDMARKS)),
        expected_error_mm=EXPECTED,
        flagged=np.isin(LANDMARKS.abbreviations, ['B']),
        warnings=('it was inverted',),
    )
    xray = replace(xray, **changes)
    return (
        xray,
        PHANTOM.image,
        assess(
            xray.points_px,
            LANDMARKS,
            xray.spacing_mm,
            ANALYSES[analysis],
            person=person,
            expected_error_mm=xray.expected_error_mm,
            flagged=xray.flagged,
        ),
    )


def texts(pdf):
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [sheet.get_textpage().get_text_range() for sheet in document]
    finally:
        document.close()


def page(*films, person=ANYBODY, paper='A4'):
    pages = TracingPages(LANDMARKS, PageFacts('isbi2015, of a test', date(2026, 11, 25), person, paper))
    for one in films:
        pages.add(*one)
    return pages.pdf()


@pytest.mark.parametrize('paper', ['A4', 'Letter'])
@pytest.mark.parametrize('analysis', ANALYSES)
def test_a_page_says_all_that_is_needed_to_read_it(analysis, paper):
    one = film(analysis)
    (text,) = texts(page(one, paper=paper))
    words = ' '.join(text.split())
    for needed in ('film 7', '2026-11-25', 'isbi2015, of a test', f'{PHANTOM.spacing_mm:g} mm per pixel', 'Name'):
        assert needed in words
    assert 'Magnification' in words and 'adults, both sexes' in words and 'it was inverted' in words
    assert 'For research. Not a medical device.' in words
    for value in one[2].values:
        assert value.measurement.title[:12] in words, value.measurement.name


@pytest.mark.parametrize('analysis', ANALYSES)
def test_nothing_runs_off_the_paper(analysis):
    for paper in ('A4', 'Letter'):
        for picture in all_to_pixels(page(film(analysis), paper=paper)):
            margin = 20  # Of 28 pixels that 10 mm are, and pages have 14.
            frame = np.ones(picture.shape[:2], bool)
            frame[margin:-margin, margin:-margin] = False
            assert (picture[frame] == 255).all()


def test_values_norms_deviations_and_classes_are_those_of_the_assessment():
    one = film()
    (text,) = texts(page(one))
    for value in one[2].values:
        mark = ' ?' if 'B' in value.measurement.landmarks else ''
        assert f'{with_unit(value.value, value.measurement.unit)}{mark}' in text
        assert norm_words(value) in text and (value.class_name or '') in text
        error = format_number(value.standard_error, digits_of(value.measurement.unit))
        assert f'± {error}' in text


def test_doubt_comes_first_and_what_is_not_known_is_said():
    doubtful = film(doubtful=True, flagged=np.ones(len(LANDMARKS), bool), warnings=('it is blank',))
    no_spacing = film(spacing_mm=None, expected_error_mm=None, flagged=None, warnings=())
    first, second = texts(page(doubtful, no_spacing))
    assert first.index('DOUBTFUL: it is blank') < first.index('Name')
    assert 'not known: no lengths' in second and 'the model has no calibration' in second


def test_for_whom_norms_were_chosen_is_said():
    person = Person('female', 14)
    assert 'age 14, women' in texts(page(film(person=person), person=person))[0]


def test_the_same_film_gives_the_same_page():
    assert page(film()) == page(film())
    with pytest.raises(InputError, match='A3'):
        page(film(), paper='A3')


def test_words_fit_into_their_room():
    for room in (1, 10, 30):
        assert words_width(fitting('a long name of a measurement', 3, room), 3) <= max(room, words_width('…', 3))
    lines = wrapped('one two three four', 3, 12)
    assert len(lines) > 1 and ' '.join(lines) == 'one two three four'


def test_a_page_is_a_pdf_or_a_picture_by_the_end_of_its_name(tmp_path):
    facts = PageFacts('isbi2015', date(2026, 11, 25), ANYBODY)
    for name in ('page.pdf', 'page.PNG'):
        write_tracing_page(tmp_path / name, film(), LANDMARKS, facts)
    assert (tmp_path / 'page.pdf').read_bytes().startswith(b'%PDF')
    assert cv2.imread(str(tmp_path / 'page.PNG')).shape == (1754, 1241, 3)
    with pytest.raises(InputError, match=r'page.jpg: pages are written as .pdf or .png'):
        write_tracing_page(tmp_path / 'page.jpg', film(), LANDMARKS, facts)


@pytest.mark.parametrize('paper', ['A4', 'Letter'])
def test_a_page_says_where_the_landmarks_of_its_analysis_lie_if_there_is_room_for_all(paper):
    said = {}
    for analysis in ('downs', 'holdaway', 'cogs'):
        one = film(analysis)
        words = ' '.join(texts(page(one, paper=paper))[0].split())
        used = {name for value in one[2].values for name in value.measurement.landmarks}
        definitions = [LANDMARKS.definition(k) for k, name in enumerate(LANDMARKS.abbreviations) if name in used]
        said[analysis] = sum(definition in words for definition in definitions)
        assert said[analysis] == (0 if analysis == 'cogs' else len(definitions))
    assert said['holdaway'] > 10


def test_a_page_of_landmarks_that_nobody_defined_says_nothing_of_them():
    pages = TracingPages(replace(LANDMARKS, definitions=()), PageFacts('a test', date(2026, 11, 25), ANYBODY))
    pages.add(*film('downs'))
    assert 'Where the landmarks lie' not in texts(pages.pdf())[0]
