"""The page of a prediction: pictures, flags, doubts and measurements, on as many pages as they need."""

import re

import numpy as np
from evaluations import LANDMARKS

from cephalometric.geometry import Orientation
from cephalometric.reporting import film_page
from cephalometric.reporting.cases import small_jpeg
from cephalometric.reporting.film_page import FilmPages, page_name
from cephalometric.results.predictions import PredictedXray

ABOUT = {'model': 'm', 'date': '2026-01-02'}
IMAGE = np.random.default_rng(0).integers(30, 220, (300, 240), dtype=np.uint8)


def film(name='film', **changes):
    points_px = np.random.default_rng(1).uniform((20, 20), (220, 280), (len(LANDMARKS), 2))
    values = {
        'name': name,
        'file': f'scans/{name}.png',
        'slice': None,
        'width': 240,
        'height': 300,
        'spacing_mm': 0.5,
        'orientation': Orientation(),
        'points_px': points_px,
        'scores': np.full(len(LANDMARKS), 0.9),
        'expected_error_mm': np.linspace(0.5, 4, len(LANDMARKS)),
        'flagged': np.linspace(0.5, 4, len(LANDMARKS)) > 3,
    }
    return PredictedXray(**values | changes)


def written(folder, *films, failed=None):
    pages = FilmPages(folder, LANDMARKS, ABOUT)
    for one in films:
        pages.add(one, small_jpeg(IMAGE))
    return pages.finish(failed or {}).read_text(encoding='utf-8')


def test_it_shows_flags_values_and_doubts_and_needs_nothing_else(tmp_path):
    doubtful = film('odd', doubtful=True, flagged=np.ones(len(LANDMARKS), bool), warnings=('no head <here>',))
    text = written(tmp_path, film(), doubtful, failed={'gone.png': 'gone.png: cannot be read'})
    count = int(film().flagged.sum())
    assert f'{count} of {len(LANDMARKS)} landmarks flagged' in text and text.count('class="reach"') == count
    assert 'no head &lt;here&gt;' in text and 'trust none of it' in text and 'gone.png: cannot be read' in text
    assert 'SNA' in text and 'Steiner' in text and 'not a medical device' in text
    references = re.findall(r'\b(?:src|href)="([^"]*)"', text)
    assert all(one.startswith(('#', 'data:image/jpeg;base64,')) for one in references)
    assert "default-src 'none'" in text and len(list(tmp_path.iterdir())) == 1


def test_a_name_that_is_no_text_does_not_stop_the_page(tmp_path):
    assert 'film_\\udcff' in written(tmp_path, film('film_\udcff'))


def test_names_of_images_are_escaped(tmp_path):
    name = '"><script>alert(1)</script>&'
    text = written(tmp_path, film(name))
    assert '<script>alert' not in text and '&lt;script&gt;alert(1)' in text


def test_many_films_go_to_several_pages_that_the_first_one_leads_to(tmp_path, monkeypatch):
    monkeypatch.setattr(film_page, 'ON_A_PAGE', 2)
    (tmp_path / page_name(2)).write_text('of an earlier run')
    text = written(tmp_path, *(film(f'film{n}') for n in range(5)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        'report.html',
        'report_2.html',
        'report_3.html',
    ]
    links = re.findall(r'href="([^"#]*)#(film-\d+)"', text)
    assert len(links) == 5
    for page, anchor in links:
        assert f'id="{anchor}"' in (tmp_path / (page or 'report.html')).read_text(encoding='utf-8')
    assert 'href="report_2.html">Further' in text
    assert 'href="report_3.html">Further' in (tmp_path / 'report_2.html').read_text(encoding='utf-8')
    assert 'Further' not in (tmp_path / 'report_3.html').read_text(encoding='utf-8')


def test_without_spacing_calibration_and_landmarks_there_is_still_a_page(tmp_path):
    points_px = film().points_px.copy()
    points_px[2:] = np.nan
    bare = film('bare', spacing_mm=None, expected_error_mm=None, flagged=None, points_px=points_px)
    text = written(tmp_path, bare)
    assert 'not assessed' in text and 'spacing not known' in text and 'Nothing could be measured' in text
    assert written(tmp_path).count('<article') == 0


def test_of_very_many_films_those_that_need_a_look_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(film_page, 'SHOWN', 3)
    monkeypatch.setattr(film_page, 'ON_A_PAGE', 2)
    odd = {2: film('odd', doubtful=True), 5: film('flagged', flagged=np.ones(len(LANDMARKS), bool))}
    pages = FilmPages(tmp_path, LANDMARKS, ABOUT)
    for n in range(8):
        pages.add(odd.get(n) or film(f'film{n}'), None)
    asked = []
    text = pages.finish({}, lambda xray: asked.append(xray.name) or small_jpeg(IMAGE)).read_text(encoding='utf-8')
    assert asked == ['film0', 'odd', 'flagged'] and 'Shown are 3 of the 8 X-rays' in text
    links = re.findall(r'href="([^"#]*)#(film-\d+)"', text)
    assert links == [('', 'film-1'), ('', 'film-3'), ('report_2.html', 'film-6')]
    assert 'data:image/jpeg' in (tmp_path / 'report_2.html').read_text(encoding='utf-8')
