"""The pages in a real browser: they render, sort, fold, zoom, fit every width, and print."""

import re
import time

import numpy as np
import pypdfium2
import pytest
from browser import chromium
from evaluations import LANDMARKS, make_evaluation
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cephalometric.geometry import Orientation
from cephalometric.reporting.cases import small_jpeg
from cephalometric.reporting.film_page import FilmPages
from cephalometric.reporting.report_page import write_report
from cephalometric.reporting.runs import Run
from cephalometric.results.predictions import PredictedXray


def make_films(folder, count=14):
    """The page of a prediction, with flags, a doubtful X-ray and one whose warning is long."""
    image = np.random.default_rng(0).integers(30, 220, (300, 240), dtype=np.uint8)
    folder.mkdir()
    pages = FilmPages(folder, LANDMARKS, {'model': 'isbi2015', 'date': '2026-01-02'})
    for n in range(count):
        expected_mm = np.linspace(0.5, 2.5 + 0.1 * n, len(LANDMARKS))
        doubtful = n == 3
        xray = PredictedXray(
            name=f'a_rather_long_name_of_a_film_without_blanks_{n}',
            file='film.png',
            slice=None,
            width=240,
            height=300,
            spacing_mm=0.5,
            orientation=Orientation(),
            points_px=np.random.default_rng(n).uniform((20, 20), (220, 280), (len(LANDMARKS), 2)),
            scores=np.full(len(LANDMARKS), 0.9),
            expected_error_mm=expected_mm,
            flagged=np.full(len(LANDMARKS), True) if doubtful else expected_mm > 3,
            warnings=('no head ' * 30,) if doubtful else (),
            doubtful=doubtful,
        )
        pages.add(xray, small_jpeg(image))
    return pages.finish({'gone.png': 'gone.png: cannot be read'})


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """The page of one run, those of two and four compared, and that of a prediction."""
    folder = tmp_path_factory.mktemp('pages')
    names = ('a_first_run_with-a-long-name_192x224', 'second', 'third', 'fourth')
    evaluations = [make_evaluation(folder, seed=n, noise_mm=1 - 0.2 * n) for n in range(4)]
    runs = [Run(name, evaluation) for name, evaluation in zip(names, evaluations, strict=True)]
    return {
        'one': write_report(runs[:1], folder / 'one'),
        'two': write_report(runs[:2], folder / 'two'),
        'four': write_report(runs, folder / 'four'),
        'films': make_films(folder / 'films'),
    }


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp('profile')) as browser:
        yield browser


@pytest.mark.parametrize('name', ['one', 'two', 'four', 'films'])
@pytest.mark.parametrize('width', [400, 1280])
def test_it_renders_at_every_width_without_complaints_or_requests(browser, pages, name, width):
    browser.open(pages[name], width)
    assert browser.script('return document.documentElement.scrollWidth') <= width
    outside = """
        const free = element => !element.closest('.scroll, .xray, svg, pre');
        return [...document.querySelectorAll('main *, header *')].filter(free)
            .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
            .map(element => element.outerHTML);
    """
    assert browser.script(outside) == []
    assert browser.complaints() == [] and browser.requests() == []
    heights = browser.script(
        'return [...document.querySelectorAll(".plot svg, .xray")].map(part => part.getBoundingClientRect().height)'
    )
    assert len(heights) > 8 and min(heights) > 100
    decoded = browser.script('return Promise.all([...document.images].map(image => image.decode())).then(() => true)')
    assert decoded


def test_text_can_be_read_in_both_themes(browser, pages):
    colours = {}
    for scheme in ('light', 'dark'):
        browser.open(pages['one'], scheme=scheme)
        code = """
            const body = getComputedStyle(document.body);
            const label = getComputedStyle(document.querySelector('.plot svg text'));
            return [body.backgroundColor, body.color, label.fill];
        """
        shades = [sum(map(int, re.findall(r'\d+', colour)[:3])) for colour in browser.script(code)]
        colours[scheme] = shades
    paper, ink, label = colours['light']
    assert paper > 700 and ink < 150 and label < 150
    paper, ink, label = colours['dark']
    assert paper < 100 and ink > 600 and label > 600


def cells(browser, table, column):
    code = """
        const rows = [...document.querySelector(arguments[0]).tBodies[0].rows];
        return rows.map(row => row.cells[arguments[1]].dataset.value);
    """
    return browser.script(code, table, column)


@pytest.mark.parametrize('name', ['one', 'two', 'four', 'films'])
def test_at_full_width_no_table_is_cut_off(browser, pages, name):
    browser.open(pages[name])
    cut = """
        for (const part of document.querySelectorAll('details')) part.open = true;
        return [...document.querySelectorAll('.scroll:has(table)')]
            .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.querySelector('table').outerHTML);
    """
    assert browser.script(cut) == []


def sort_state(browser, table, column):
    heading = f'{table} thead tr:last-child th:nth-child({column + 1})'
    return browser.driver.find_element(By.CSS_SELECTOR, heading).get_attribute('aria-sort')


def test_the_worst_come_first_then_the_best_and_a_third_click_leads_back_to_the_anatomy(browser, pages):
    browser.open(pages['one'])
    table = '#table-per_landmark'
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, f'{table} thead button')
    rate = 5  # SDR 2 mm: the lowest is the worst.
    buttons[rate].click()
    numbers = [float(value) for value in cells(browser, table, rate)]
    assert numbers == sorted(numbers) and sort_state(browser, table, rate) == 'ascending'
    buttons[3].click()
    numbers = [float(value) for value in cells(browser, table, 3)]
    assert numbers == sorted(numbers, reverse=True) and sort_state(browser, table, 3) == 'descending'
    assert sort_state(browser, table, rate) == 'none'
    buttons[3].send_keys(Keys.ENTER)  # The keyboard does as the mouse.
    assert [float(value) for value in cells(browser, table, 3)] == sorted(numbers)
    buttons[3].click()
    assert cells(browser, table, 0) == list(LANDMARKS.abbreviations) and sort_state(browser, table, 3) == 'none'
    buttons[1].click()
    names = cells(browser, table, 1)
    assert names == sorted(names, key=str.casefold)


def test_shifts_are_sorted_by_their_size_in_either_direction(browser, pages):
    browser.open(pages['one'])
    browser.driver.find_elements(By.CSS_SELECTOR, '#table-bias thead button')[3].click()
    numbers = [abs(float(value)) for value in cells(browser, '#table-bias', 3)]
    assert numbers == sorted(numbers, reverse=True)


def shown_rows(browser, table):
    code = (
        'return [...document.querySelectorAll(`${arguments[0]} tbody tr`)].filter(row => row.offsetHeight > 0).length'
    )
    return browser.script(code, table)


def test_long_tables_fold_to_the_ten_worst_and_paper_shows_all(browser, pages):
    browser.open(pages['one'])
    table = '#table-per_landmark'
    errors = [float(value) for value in cells(browser, table, 2)]
    assert errors == sorted(errors, reverse=True) and shown_rows(browser, table) == 10
    button = browser.driver.find_element(By.CSS_SELECTOR, f'.scroll:has({table}) + .fold')
    assert button.text == 'Show all 19'
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': 'print'})
    assert shown_rows(browser, table) == 19
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': ''})
    button.send_keys(Keys.ENTER)
    assert shown_rows(browser, table) == 19
    button.send_keys(Keys.ENTER)
    assert shown_rows(browser, table) == 10
    assert shown_rows(browser, '#table-per_source') == 2  # A short one is not folded.


def test_films_to_be_checked_come_first(browser, pages):
    browser.open(pages['films'])
    first = 'return document.querySelector("#table-overview tbody tr").innerText'
    assert 'doubtful' in browser.script(first) and shown_rows(browser, '#table-overview') == 10
    target = 'return document.querySelector(document.querySelector("#table-overview a").getAttribute("href")).innerText'
    assert 'Doubtful' in browser.script(target)


def test_bad_rows_are_coloured_and_have_a_bar(browser, pages):
    browser.open(pages['films'])
    code = """
        const style = selector => getComputedStyle(document.querySelector(`#table-overview tbody ${selector}`));
        return [style('tr.bad > th').backgroundColor, style('tr:not(.bad) > th').backgroundColor,
                style('tr.bad > th').boxShadow, style('tr:not(.bad) > th').boxShadow];
    """
    bad, good, bar, none = browser.script(code)
    assert bad != good and bar != 'none' and none == 'none'


@pytest.mark.parametrize('name', ['two', 'four'])
def test_sticky_cells_keep_their_lines_when_a_narrow_table_is_moved(browser, pages, name):
    browser.open(pages[name], width=400)
    code = """
        const box = document.querySelector('.scroll:has(#table-per_landmark)');
        box.scrollLeft = 150;
        const cell = box.querySelector('tbody th');
        const table = getComputedStyle(box.querySelector('table'));
        const style = getComputedStyle(cell);
        return [cell.getBoundingClientRect().left - box.getBoundingClientRect().left, box.scrollLeft,
                table.borderCollapse, style.borderBottomWidth, style.boxShadow];
    """
    left, moved, collapse, line, edge = browser.script(code)
    assert moved > 100 and abs(left) < 1
    assert collapse == 'separate' and line == '1px' and edge != 'none'


def test_what_has_no_value_is_sorted_last_both_ways(browser, pages):
    browser.open(pages['two'])
    table = '#table-analyses'
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, f'{table} thead button')
    place = 4
    for _ in range(2):
        buttons[place].click()
        values = cells(browser, table, place)
        assert '' in values and values[values.index('') :] == [''] * values.count('')


def view(browser):
    """The part of the first X-ray that is seen: x, y, width, height."""
    return [
        float(part) for part in browser.script('return document.querySelector(".xray").getAttribute("viewBox")').split()
    ]


def middle(browser):
    browser.script('document.querySelector(".xray").scrollIntoView({block: "center", behavior: "instant"})')
    frame = browser.script('return document.querySelector(".xray").getBoundingClientRect().toJSON()')
    return frame['x'] + frame['width'] / 2, frame['y'] + frame['height'] / 2


def test_buttons_and_keys_zoom_and_move(browser, pages):
    browser.open(pages['one'])
    whole = view(browser)
    find = browser.driver.find_element
    find(By.CSS_SELECTOR, '.viewer .in').click()
    closer = view(browser)
    assert closer[2] == pytest.approx(whole[2] / 1.5) and closer[3] / closer[2] == pytest.approx(whole[3] / whole[2])
    picture = find(By.CSS_SELECTOR, '.xray')
    picture.send_keys('+', Keys.ARROW_RIGHT)
    moved = view(browser)
    assert moved[2] == pytest.approx(whole[2] / 2.25) and moved[0] + moved[2] / 2 > closer[0] + closer[2] / 2
    picture.send_keys(Keys.ARROW_LEFT * 20)
    assert view(browser)[0] == pytest.approx(whole[0])  # The picture never leaves its frame.
    picture.send_keys('0')
    assert view(browser) == pytest.approx(whole)
    find(By.CSS_SELECTOR, '.viewer .out').click()
    assert view(browser) == pytest.approx(whole)


def test_the_wheel_scrolls_the_page_and_a_hint_says_how_to_zoom(browser, pages):
    browser.open(pages['one'])
    x, y = middle(browser)
    whole = view(browser)
    for turn in (240, -240):
        before = browser.script('return scrollY')
        browser.mouse('mouseWheel', x, y, deltaX=0, deltaY=turn)
        time.sleep(0.5)
        assert (browser.script('return scrollY') - before) * turn > 0
    assert view(browser) == whole
    assert browser.script('return document.querySelector(".wheel-hint").classList.contains("shown")')


@pytest.mark.parametrize('way', ['click', 'ctrl'])
def test_the_wheel_zooms_with_ctrl_or_after_a_click_and_dragging_moves(browser, pages, way):
    browser.open(pages['one'])
    x, y = middle(browser)
    whole = view(browser)
    if way == 'click':
        browser.mouse('mousePressed', x, y, button='left', buttons=1, clickCount=1)
        browser.mouse('mouseReleased', x, y, button='left', clickCount=1)
    for _ in range(3):
        browser.mouse('mouseWheel', x, y, deltaX=0, deltaY=-240, modifiers=2 if way == 'ctrl' else 0)
    closer = view(browser)
    assert closer[2] < whole[2] / 2
    assert closer[0] + closer[2] / 2 == pytest.approx(whole[0] + whole[2] / 2, abs=1)
    browser.mouse('mousePressed', x, y, button='left', buttons=1)
    browser.mouse('mouseMoved', x - 60, y, button='left', buttons=1)
    browser.mouse('mouseReleased', x - 60, y, button='left')
    assert view(browser)[0] > closer[0] and view(browser)[2] == pytest.approx(closer[2])
    browser.driver.find_element(By.CSS_SELECTOR, '.xray').send_keys(Keys.ESCAPE)
    before = browser.script('return scrollY')
    browser.mouse('mouseWheel', x, y, deltaX=0, deltaY=240)
    time.sleep(0.5)
    assert browser.script('return scrollY') > before


def test_two_fingers_zoom(browser, pages):
    browser.open(pages['one'], width=400)
    browser.driver.execute_cdp_cmd('Emulation.setTouchEmulationEnabled', {'enabled': True, 'maxTouchPoints': 2})
    x, y = middle(browser)
    whole = view(browser)
    browser.touch('touchStart', (x - 20, y), (x + 20, y))
    for reach in (30, 45, 60, 80):
        browser.touch('touchMove', (x - reach, y), (x + reach, y))
    browser.touch('touchEnd')
    browser.driver.execute_cdp_cmd('Emulation.setTouchEmulationEnabled', {'enabled': False})
    assert view(browser)[2] < whole[2] / 2
    assert browser.script('return visualViewport.scale') == 1


def test_layers_can_be_switched_off_and_marks_lie_where_they_should(browser, pages):
    browser.open(pages['two'])
    code = """
        const shown = part => part.getClientRects().length > 0;
        const svg = document.querySelector('.xray');
        const names = ['.picture', '.truth > .mark', '.run0 > .mark', '.run1 > .mark', '.names text', '.anatomy path'];
        return Object.fromEntries(names.map(name => [name, [...svg.querySelectorAll(name)].filter(shown).length]));
    """
    counts = browser.script(code)
    assert counts['.picture'] == 1 and counts['.anatomy path'] == 0
    assert (
        counts['.truth > .mark'] >= 18
        and counts['.run0 > .mark'] == counts['.run1 > .mark'] == counts['.names text'] == 19
    )
    for layer, name in (
        ('truth', '.truth > .mark'),
        ('run1', '.run1 > .mark'),
        ('picture', '.picture'),
        ('names', '.names text'),
    ):
        browser.driver.find_element(By.CSS_SELECTOR, f'.viewer input[data-layer={layer}]').click()
        assert browser.script(code)[name] == 0
    assert browser.script(code)['.run0 > .mark'] == 19
    browser.driver.find_element(By.CSS_SELECTOR, '.viewer input[data-layer=anatomy]').click()
    assert browser.script(code)['.anatomy path'] > 0


def test_marks_lie_on_their_places_and_truth_and_prediction_differ_by_shape(browser, pages):
    browser.open(pages['one'])
    code = """
        const svg = document.querySelector('.xray');
        return [...svg.querySelectorAll('.mark')].map(mark => {
            const { x, y, width, height } = mark.getBoundingClientRect();
            const place = new DOMPoint(x + width / 2, y + height / 2).matrixTransform(svg.getScreenCTM().inverse());
            const { style } = mark;
            return Math.hypot(place.x - style.getPropertyValue('--x'), place.y - style.getPropertyValue('--y'));
        });
    """
    for _ in range(2):
        off = browser.script(code)
        assert len(off) >= 37 and max(off) < 1
        browser.driver.find_element(By.CSS_SELECTOR, '.viewer .in').click()
    shapes = [
        browser.script(f'return document.querySelector("{layer} > .mark .dot").getAttribute("d")')
        for layer in ('.truth', '.run0')
    ]
    assert shapes[0] != shapes[1]


def test_marks_keep_their_size_on_the_screen(browser, pages):
    browser.open(pages['one'])
    size = 'return parseFloat(getComputedStyle(document.querySelector(".xray text")).fontSize)'
    scale = 'const svg = document.querySelector(".xray"); return svg.clientWidth / svg.viewBox.baseVal.width'
    before = browser.script(size) * browser.script(scale)
    browser.driver.find_element(By.CSS_SELECTOR, '.viewer .in').click()
    assert browser.script(size) * browser.script(scale) == pytest.approx(before, rel=0.02)
    assert 8 <= before <= 16


@pytest.mark.parametrize(('name', 'most'), [('one', 20), ('two', 24), ('four', 30), ('films', 40)])
def test_it_prints_on_a_handful_of_pages_with_its_explanations(browser, pages, name, most):
    browser.open(pages[name])
    printed = browser.pdf()
    count = len(re.findall(rb'/Type\s*/Page\b', printed))
    assert 5 <= count <= most and len(printed) > 50_000
    assert browser.script('return [...document.querySelectorAll(".explanation, .print")].every(part => part.open)')
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': 'print'})
    browser.driver.execute_cdp_cmd(
        'Emulation.setDeviceMetricsOverride', {'width': 703, 'height': 1000, 'deviceScaleFactor': 1, 'mobile': False}
    )  # The width of A4 within the margins.
    hidden = (
        'return [...document.querySelectorAll("nav, .zoom, .hint, .fold")].every(part => !part.getClientRects().length)'
    )
    assert browser.script(hidden)
    tables = """
        return [...document.querySelectorAll('table')]
            .filter(part => part.getBoundingClientRect().right > innerWidth + 1).map(part => part.id);
    """
    assert browser.script(tables) == []
    figures = """
        return [...document.querySelectorAll('.plot svg, .xray')].filter(part => {
            const frame = part.getBoundingClientRect();
            return frame.right > innerWidth + 1 || frame.height > 1050;
        }).length;
    """
    assert browser.script(figures) == 0
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': ''})


@pytest.mark.parametrize('name', ['one', 'films'])
def test_where_the_landmarks_lie_can_be_read_on_a_telephone_and_on_paper(browser, pages, name):
    key = """
        const terms = [...document.querySelectorAll('.landmarks div')].map(part => part.getBoundingClientRect());
        const parts = [...document.querySelectorAll('.landmarks dt, .landmarks dd')];
        return [terms.length, parts.filter(part => part.scrollWidth > part.clientWidth + 1).length,
            Math.min(...terms.map(frame => frame.height)), Math.max(...terms.map(frame => frame.right))];
    """
    browser.open(pages[name], 400)
    assert browser.script('return document.querySelector(".landmark-key").open') is False
    browser.driver.find_element(By.CSS_SELECTOR, '.landmark-key summary').click()
    count, too_wide, height, right = browser.script(key)
    assert count == len(LANDMARKS) and too_wide == 0 and height > 15 and right <= 400
    document = pypdfium2.PdfDocument(browser.pdf())
    try:
        words = ' '.join(' '.join(sheet.get_textpage().get_text_range().split()) for sheet in document)
    finally:
        document.close()
    assert 'Where each landmark lies' in words
    assert all(' '.join(definition.split()) in words for definition in LANDMARKS.definitions)
