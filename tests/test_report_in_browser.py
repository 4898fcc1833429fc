"""The report in a real browser: it renders, sorts, zooms, fits every width, and prints."""

import re
import time

import pytest
from browser import chromium
from evaluations import make_evaluation
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cephalometric.reporting.report_page import write_report
from cephalometric.reporting.runs import Run


@pytest.fixture(scope='module')
def pages(tmp_path_factory):
    """The page of one run, and that of two runs compared."""
    folder = tmp_path_factory.mktemp('pages')
    runs = [Run('first', make_evaluation(folder, seed=1)), Run('second', make_evaluation(folder, seed=2, noise_mm=0.5))]
    return {'one': write_report(runs[:1], folder / 'one'), 'two': write_report(runs, folder / 'two')}


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp('profile')) as browser:
        yield browser


@pytest.mark.parametrize('name', ['one', 'two'])
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


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_round(browser, pages):
    browser.open(pages['one'])
    before = cells(browser, '#table-per_landmark', 0)
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, '#table-per_landmark thead button')
    buttons[2].click()
    numbers = [float(value) for value in cells(browser, '#table-per_landmark', 2)]
    assert numbers == sorted(numbers) and cells(browser, '#table-per_landmark', 0) != before
    heading = '#table-per_landmark thead th:nth-child(3)'
    assert browser.driver.find_element(By.CSS_SELECTOR, heading).get_attribute('aria-sort') == 'ascending'
    buttons[2].send_keys(Keys.ENTER)  # The keyboard does as the mouse.
    assert [float(value) for value in cells(browser, '#table-per_landmark', 2)] == numbers[::-1]
    buttons[1].click()
    names = cells(browser, '#table-per_landmark', 1)
    assert names == sorted(names, key=str.casefold)
    assert browser.driver.find_element(By.CSS_SELECTOR, heading).get_attribute('aria-sort') == 'none'


def test_what_has_no_value_is_sorted_last_both_ways(browser, pages):
    browser.open(pages['one'])
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, '#table-measurements thead button')
    for _ in range(2):
        buttons[-1].click()
        values = cells(browser, '#table-measurements', len(buttons) - 1)
        assert '' in values and values[values.index('') :] == [''] * values.count('')


def view(browser):
    """The part of the first X-ray that is seen: x, y, width, height."""
    return [
        float(part) for part in browser.script('return document.querySelector(".xray").getAttribute("viewBox")').split()
    ]


def middle(browser):
    browser.script('document.querySelector(".xray").scrollIntoView({block: "center", behavior: "instant"})')
    time.sleep(0.4)  # A wheel that was scrolling the page a moment ago goes on scrolling it.
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


def test_the_wheel_zooms_on_the_place_under_the_pointer_and_dragging_moves(browser, pages):
    browser.open(pages['one'])
    x, y = middle(browser)
    whole = view(browser)
    for _ in range(3):
        browser.mouse('mouseWheel', x, y, deltaX=0, deltaY=-240)
    closer = view(browser)
    assert closer[2] < whole[2] / 2
    assert closer[0] + closer[2] / 2 == pytest.approx(whole[0] + whole[2] / 2, abs=1)
    browser.mouse('mousePressed', x, y, button='left', buttons=1)
    browser.mouse('mouseMoved', x - 60, y, button='left', buttons=1)
    browser.mouse('mouseReleased', x - 60, y, button='left')
    assert view(browser)[0] > closer[0] and view(browser)[2] == pytest.approx(closer[2])


def test_at_the_whole_picture_a_wheel_turned_down_scrolls_the_page(browser, pages):
    browser.open(pages['one'])
    x, y = middle(browser)
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
        const names = ['.picture', '.truth .dot', '.run0 .dot', '.run1 .dot', '.names text', '.anatomy path'];
        return Object.fromEntries(names.map(name => [name, [...svg.querySelectorAll(name)].filter(shown).length]));
    """
    counts = browser.script(code)
    assert counts['.picture'] == 1 and counts['.anatomy path'] == 0
    assert counts['.truth .dot'] >= 18 and counts['.run0 .dot'] == counts['.run1 .dot'] == counts['.names text'] == 19
    for layer, name in (
        ('truth', '.truth .dot'),
        ('run1', '.run1 .dot'),
        ('picture', '.picture'),
        ('names', '.names text'),
    ):
        browser.driver.find_element(By.CSS_SELECTOR, f'.viewer input[data-layer={layer}]').click()
        assert browser.script(code)[name] == 0
    assert browser.script(code)['.run0 .dot'] == 19
    browser.driver.find_element(By.CSS_SELECTOR, '.viewer input[data-layer=anatomy]').click()
    assert browser.script(code)['.anatomy path'] > 0


def test_marks_keep_their_size_on_the_screen(browser, pages):
    browser.open(pages['one'])
    size = 'return parseFloat(getComputedStyle(document.querySelector(".xray text")).fontSize)'
    scale = 'const svg = document.querySelector(".xray"); return svg.clientWidth / svg.viewBox.baseVal.width'
    before = browser.script(size) * browser.script(scale)
    browser.driver.find_element(By.CSS_SELECTOR, '.viewer .in').click()
    assert browser.script(size) * browser.script(scale) == pytest.approx(before, rel=0.02)
    assert 8 <= before <= 16


@pytest.mark.parametrize('name', ['one', 'two'])
def test_it_prints_on_a_handful_of_pages_with_its_explanations(browser, pages, name):
    browser.open(pages[name])
    printed = browser.pdf()
    count = len(re.findall(rb'/Type\s*/Page\b', printed))
    assert 5 <= count <= 20 and len(printed) > 50_000
    assert browser.script('return document.querySelector(".explanation").open')
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': 'print'})
    browser.driver.execute_cdp_cmd(
        'Emulation.setDeviceMetricsOverride', {'width': 703, 'height': 1000, 'deviceScaleFactor': 1, 'mobile': False}
    )  # The width of A4 within the margins.
    hidden = 'return ["nav", ".zoom", ".hint"].map(name => document.querySelector(name).getClientRects().length)'
    assert browser.script(hidden) == [0, 0, 0]
    figures = """
        return [...document.querySelectorAll('.plot svg, .xray')].filter(part => {
            const frame = part.getBoundingClientRect();
            return frame.right > innerWidth + 1 || frame.height > 1050;
        }).length;
    """
    assert browser.script(figures) == 0
    browser.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'media': ''})
