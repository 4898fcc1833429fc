"""The page of a review in a real browser: a real mouse, fingers, the keyboard alone, and a server that is killed."""

import csv
import json
import time

import pytest
from browser import chromium
from films import LANDMARKS, phantoms
from review_films import SPACING_MM, Program, predicted, served, write_results
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cephalometric.landmarks import load_landmark_set
from cephalometric.reviewing.look_ahead import ReviewModel

PLACED = """
    const marks = [...document.querySelectorAll('#overlay .mark')];
    const stage = document.getElementById('stage').getBoundingClientRect();
    return Object.fromEntries(marks.map(mark => {
        const body = mark.querySelector('.body');
        const at = [stage.x + Number(body.getAttribute('cx')), stage.y + Number(body.getAttribute('cy'))];
        return [mark.dataset.landmark, {at, kind: mark.getAttribute('class')}];
    }));
"""


class ReviewPage:
    """The page as a person sees it."""

    def __init__(self, browser, address, width=1280, height=900, marks=1):
        self.browser, self.driver = browser, browser.driver
        self.driver.execute_cdp_cmd(
            'Emulation.setDeviceMetricsOverride',
            {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 600},
        )
        self.driver.get(address)
        self.ready(marks)

    def ready(self, marks=1):
        code = 'return !document.querySelector("#confirm").disabled'
        self.until(f'{code} && document.querySelectorAll("#overlay .mark").length >= {marks}')

    def until(self, code, *arguments, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.browser.script(code, *arguments)
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f'it did not become true: {code}')

    def saved(self):
        self.until('return document.getElementById("saved").dataset.state === "saved"')

    def marks(self):
        # Marks are drawn with the next frame.
        code = 'const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))'
        self.driver.execute_async_script(code)
        return self.browser.script(PLACED)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.browser.script('return document.querySelector(arguments[0]).textContent', selector)

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def drag(self, name, dx, dy, release=True):
        x, y = self.marks()[name]['at']
        self.browser.mouse('mouseMoved', x, y)
        self.browser.mouse('mousePressed', x, y, button='left', clickCount=1)
        for part in (0.3, 0.7, 1):
            self.browser.mouse('mouseMoved', x + part * dx, y + part * dy, button='left', buttons=1)
        if release:
            self.browser.mouse('mouseReleased', x + dx, y + dy, button='left', clickCount=1)

    def selected(self):
        return self.text('#landmark-title')


def record(out, film, reader='Ann'):
    content = json.loads((out / reader / f'{film}.json').read_text())
    return {row['landmark']: row for row in content['landmarks']}


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp('profile')) as browser:
        yield browser


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp('films') / 'results', ['one', 'two', 'three'])


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'out'


@pytest.fixture
def page(browser, results, out):
    with served(results, out) as server:
        page = ReviewPage(browser, server.address)
        browser.complaints()
        yield page
        asked = [address for address in browser.requests() if not address.startswith('blob:')]
        assert browser.complaints() == []
        assert asked and {address.split('/')[2] for address in asked} == {f'127.0.0.1:{server.port}'}
        page.driver.get('about:blank')


def test_the_most_doubtful_film_is_open_and_its_landmarks_are_drawn(page):
    assert page.text('#film-name') == 'three'
    assert [option.split()[0] for option in names(page)] == ['three', 'two', 'one']
    marks = page.marks()
    assert set(marks) == set(LANDMARKS.abbreviations)
    assert {name for name, mark in marks.items() if 'doubtful' in mark['kind']} == {'Or', 'B'}
    assert 'orbitale' in page.selected()
    assert len(page.driver.find_elements(By.CSS_SELECTOR, '#overlay .trace')) > 3


def names(page):
    return page.browser.script('return [...document.querySelectorAll(".film .name")].map(part => part.textContent)')


def test_a_landmark_is_dragged_under_a_magnifier_and_values_change_meanwhile(page, out):
    before = page.text('.value[data-name="SNA_deg"] .how-much, .value .how-much')
    place = page.marks()['A']['at']
    page.drag('A', 40, -10, release=False)
    lens = page.browser.script(
        'const lens = document.getElementById("magnifier"); return [lens.hidden, Number(lens.dataset.zoom), lens.width]'
    )
    assert lens[0] is False and lens[1] >= 3
    colours = 'const pen = document.getElementById("magnifier").getContext("2d");'
    colours += 'return new Set(pen.getImageData(20, 80, 140, 12).data).size'
    assert page.browser.script(colours) > 5  # The X-ray is in it.
    code = 'return document.querySelector(".value .how-much").textContent !== arguments[0]'
    page.until(code, before)
    assert not out.exists() or not list(out.glob('Ann/*.json'))  # It is not let go of yet.
    page.browser.mouse('mouseReleased', place[0] + 40, place[1] - 10, button='left', clickCount=1)
    page.saved()
    marks = page.marks()
    assert marks['A']['at'] == pytest.approx([place[0] + 40, place[1] - 10], abs=0.3) and 'mine' in marks['A']['kind']
    assert page.browser.script('return document.getElementById("magnifier").hidden')
    assert page.driver.find_elements(By.CSS_SELECTOR, '[data-landmark="A"] .ghost')
    assert record(out, 'three')['A']['status'] == 'corrected'


def test_undo_and_redo_also_after_a_reload(page, out):
    start = page.marks()
    for name, dx in (('S', 30), ('N', -25), ('S', 12)):
        page.drag(name, dx, 5)
    page.saved()
    last = page.marks()
    page.driver.refresh()
    page.ready()
    page.saved()
    assert page.marks()['S']['at'] == pytest.approx(last['S']['at'], abs=0.01)
    for _ in range(3):
        page.press(Keys.CONTROL, 'z', Keys.NULL)
        page.saved()
    assert page.marks()['S']['at'] == pytest.approx(start['S']['at'], abs=0.01)
    assert not page.find('#undo').is_enabled() and page.find('#redo').is_enabled()
    page.driver.refresh()
    page.ready()
    for _ in range(3):
        page.find('#redo').click()
        page.saved()
    assert page.marks()['S']['at'] == pytest.approx(last['S']['at'], abs=0.01)
    assert record(out, 'three')['N']['status'] == 'corrected'


def test_keyboard_alone_confirms_moves_hides_and_goes_on(page, out):
    assert page.browser.script('return document.activeElement.id') == 'stage'
    assert '(Or)' in page.selected()
    page.press(Keys.SHIFT, Keys.ENTER, Keys.NULL)  # Two landmarks are in doubt: the film is not confirmed.
    assert 'to be looked at first' in page.text('#notices') and page.text('#film-name') == 'three'
    page.press(Keys.ENTER)
    assert '(B)' in page.selected()
    before = page.marks()['B']['at']
    page.press(Keys.ARROW_RIGHT)
    page.press(Keys.SHIFT, Keys.ARROW_DOWN, Keys.NULL)
    page.saved()
    moved = record(out, 'three')['B']
    scale = float(page.browser.script('return document.getElementById("zoom").textContent').split()[0]) / 100
    assert page.marks()['B']['at'][1] - before[1] == pytest.approx(scale / SPACING_MM, rel=0.05)
    assert moved['status'] == 'corrected'
    page.press('.')
    assert '(Pog)' in page.selected()
    page.press(Keys.DELETE)
    page.saved()
    assert record(out, 'three')['Pog']['visible'] is False and 'Pog' not in page.marks()
    page.press(Keys.SHIFT, Keys.ENTER, Keys.NULL)
    page.until('return document.getElementById("film-name").textContent === "two"')
    page.ready()
    rows = record(out, 'three')
    assert {row['status'] for row in rows.values()} == {'confirmed', 'corrected'} and rows['Or'][
        'status'
    ] == 'confirmed'
    page.press(Keys.PAGE_UP)
    page.until('return document.getElementById("film-name").textContent === "three"')


def test_tab_goes_round_what_is_in_doubt_and_leaves_when_nothing_is(page):
    page.press(Keys.TAB)
    assert '(B)' in page.selected()
    page.press(Keys.SHIFT, Keys.TAB, Keys.NULL)
    assert '(Or)' in page.selected()
    page.press(Keys.ENTER)
    page.press(Keys.ENTER)
    page.press(Keys.TAB)
    assert page.browser.script('return document.activeElement.id') == 'tool-place'
    page.press(Keys.ESCAPE)
    assert page.browser.script('return document.activeElement.id') == 'stage'
    page.press(Keys.ESCAPE)
    assert page.browser.script('return document.activeElement.id') == 'confirm'


def test_what_is_said_and_how_things_are_named(page):
    code = """
        const named = element => element.getAttribute('aria-label') || element.textContent.trim() || element.title
            || (element.labels && [...element.labels].map(label => label.textContent).join(''))
            || element.getAttribute('placeholder');
        const kinds = 'button, input, select, [role=application], [role=listbox], [role=option]';
        return [...document.querySelectorAll(kinds)]
            .filter(element => !named(element)).map(element => element.outerHTML);
    """
    assert page.browser.script(code) == []
    tree = page.driver.execute_cdp_cmd('Accessibility.getFullAXTree', {})['nodes']
    named = {(node.get('role', {}).get('value'), node.get('name', {}).get('value')) for node in tree}
    assert ('application', 'X-ray with landmarks') in named and ('listbox', 'Films') in named
    assert ('button', 'orbitale, Or: predicted, in doubt, expected error 4.7 mm') in named
    assert any(role == 'option' and 'three, not begun, 2 flagged' in name for role, name in named if name)
    page.press(Keys.ENTER)
    assert 'Or confirmed. Next: supramentale' in page.text('#say')
    live = page.find('#say')
    assert live.get_attribute('aria-live') == 'polite' and live.get_attribute('role') == 'status'


def test_a_server_that_is_killed_costs_nothing(browser, results, out):
    program = Program(results, '--out', out, '--reader', 'Ann', '--port', 0)
    port = program.port
    page = ReviewPage(browser, program.address)
    page.drag('S', 20, 20)
    page.saved()
    program.kill()
    kept = record(out, 'three')['S']
    assert kept['status'] == 'corrected'  # Up to the last move.
    page.drag('N', 15, 10)
    page.until('return document.getElementById("saved").dataset.state === "waiting"')
    place = page.marks()['N']['at']
    again = Program(results, '--out', out, '--reader', 'Ann', '--port', port)
    try:
        page = ReviewPage(browser, again.address)
        page.saved()
        assert page.marks()['N']['at'] == pytest.approx(place, abs=0.1)
        rows = record(out, 'three')
        assert rows['S'] == kept and rows['N']['status'] == 'corrected'
    finally:
        again.kill()
        browser.driver.get('about:blank')
        browser.complaints()


def test_two_windows_notice_each_other_and_nothing_is_lost(page, out):
    driver = page.driver
    first = driver.current_window_handle
    address = driver.current_url
    driver.switch_to.new_window('window')
    try:
        other = ReviewPage(page.browser, address)
        # It does not look by itself whether somebody else was there, as it does some seconds later.
        page.browser.script('Object.defineProperty(document, "hidden", {get: () => true})')
        driver.switch_to.window(first)
        page.drag('S', 20, 0)
        page.saved()
        mine = record(out, 'three')['S']
        driver.switch_to.window(driver.window_handles[-1])
        other.drag('N', 0, 15)  # Another landmark: both count.
        other.saved()
        rows = record(out, 'three')
        assert rows['S'] == mine and rows['N']['status'] == 'corrected'
        other.until('return document.getElementById("notices").textContent.includes("another window")')
        driver.switch_to.window(first)
        page.until('return document.getElementById("notices").textContent.includes("N")', seconds=10)
        page.drag('S', 10, 0)
        page.saved()
        driver.switch_to.window(driver.window_handles[-1])
        other.drag('S', -30, -30)  # The same one: it is asked.
        other.until('return document.getElementById("saved").dataset.state === "asking"')
        theirs = record(out, 'three')['S']
        buttons = driver.find_elements(By.CSS_SELECTOR, '.notice.bad button')
        assert [button.text for button in buttons] == ['Keep mine', 'Take theirs']
        buttons[1].click()
        other.saved()
        assert {**record(out, 'three')['S'], 'date': ''} == {**theirs, 'date': ''}
        other.press(Keys.CONTROL, 'y', Keys.NULL)  # And what was not taken is still there.
        other.saved()
        assert record(out, 'three')['S']['x_px'] < theirs['x_px']
    finally:
        driver.switch_to.window(driver.window_handles[-1])
        driver.close()
        driver.switch_to.window(first)


def test_nineteen_landmarks_are_placed_with_nineteen_clicks(browser, results, out):
    with served(results / 'films', out, landmarks=LANDMARKS) as server:
        page = ReviewPage(browser, server.address)
        assert page.find('#tool-place').get_attribute('aria-pressed') == 'true'
        box = page.find('#stage').rect
        for k in range(len(LANDMARKS)):
            x, y = box['x'] + 250 + 12 * k, box['y'] + 200 + 17 * (k % 7)
            page.browser.mouse('mousePressed', x, y, button='left', clickCount=1)
            page.browser.mouse('mouseReleased', x, y, button='left', clickCount=1)
        page.saved()
        rows = record(out, 'one')
        assert {row['status'] for row in rows.values()} == {'placed'} and len(rows) == 19
        assert 'All landmarks are placed' in page.text('#say')
        page.driver.get('about:blank')
    with open(out / 'Ann' / 'landmarks.csv', newline='', encoding='utf-8') as file:
        table = list(csv.DictReader(file))
    assert len(table) == 19 and {row['status'] for row in table} == {'placed'} and table[0]['visible'] == 'yes'


def test_the_ruler_gives_the_spacing_and_values_follow(browser, results, out):
    with served(results / 'films', out, landmarks=LANDMARKS) as server:
        page = ReviewPage(browser, server.address)
        assert 'Not known' in page.text('#spacing-words')
        page.find('#tool-ruler').click()
        box = page.find('#stage').rect
        for x in (200, 400):
            page.browser.mouse('mousePressed', box['x'] + x, box['y'] + 300, button='left', clickCount=1)
            page.browser.mouse('mouseReleased', box['x'] + x, box['y'] + 300, button='left', clickCount=1)
        page.find('#ruler-mm').send_keys('50', Keys.ENTER)
        page.saved()
        kept = json.loads((out / 'Ann' / 'one.json').read_text())
        scale = float(page.text('#zoom').split()[0]) / 100
        assert kept['spacing_from'] == 'ruler'
        assert kept['spacing_mm'] == pytest.approx(50 / (200 / scale), rel=0.02)
        assert 'by the ruler' in page.text('#spacing-words')
        page.driver.get('about:blank')


def test_landmarks_of_ones_own_are_placed_and_measured_by_keys_alone(browser, results, out, tmp_path):
    table = {'landmarks': [{'abbreviation': name, 'name': name, 'definition': f'where {name} is'} for name in 'XYZ']}
    (tmp_path / 'mine.json').write_text(json.dumps(table))
    with served(results / 'films', out, landmarks=load_landmark_set(str(tmp_path / 'mine.json'))) as server:
        page = ReviewPage(browser, server.address, marks=0)
        assert page.text('#landmark-definition') == 'where X is' and page.marks() == {}
        for _ in 'XYZ':
            page.press(Keys.SHIFT, Keys.ARROW_LEFT, Keys.NULL)
            page.saved()
            page.press(Keys.ENTER)
            page.saved()
        assert {row['status'] for row in record(out, 'one').values()} == {'placed'}
        page.press('r', Keys.ENTER)
        for _ in range(3):
            page.press(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL)
        page.press(Keys.ENTER)
        page.press('12', Keys.ENTER)
        page.saved()
        assert json.loads((out / 'Ann' / 'one.json').read_text())['spacing_mm'] == pytest.approx(12 / 60)
        assert browser.complaints() == []
        page.driver.get('about:blank')


def test_wheel_fingers_and_keys_zoom_and_pan(page):
    box = page.find('#stage').rect
    x, y = box['x'] + 300, box['y'] + 300
    before = page.marks()
    page.browser.mouse('mouseWheel', x, y, deltaX=0, deltaY=-400)
    wheel = page.marks()
    assert spread(wheel) > 1.5 * spread(before)
    page.press('0')
    assert spread(page.marks()) == pytest.approx(spread(before))
    page.press('+', 'd')
    assert spread(page.marks()) == pytest.approx(1.25 * spread(before), rel=0.01)
    page.press('0')
    page.browser.touch('touchStart', (x, y), (x + 60, y))
    page.browser.touch('touchMove', (x - 60, y), (x + 120, y))
    page.browser.touch('touchEnd')
    assert spread(page.marks()) == pytest.approx(3 * spread(before), rel=0.1)
    page.press('i')
    page.marks()
    assert 'invert(1)' in page.browser.script('return document.getElementById("picture").style.filter')


def spread(marks):
    return abs(marks['N']['at'][0] - marks['S']['at'][0])


def test_at_400_pixels_everything_fits_and_a_finger_drags(browser, results, out):
    with served(results, out) as server:
        page = ReviewPage(browser, server.address, width=400)
        assert browser.script('return document.documentElement.scrollWidth') <= 400
        outside = """
            return [...document.querySelectorAll('main *, header *')].filter(one => !one.closest('svg, .films, .chips'))
                .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML);
        """
        assert browser.script(outside) == []
        x, y = page.marks()['S']['at']
        browser.touch('touchStart', (x + 4, y + 4))
        browser.touch('touchMove', (x + 15, y + 12))
        browser.touch('touchMove', (x + 34, y + 24))
        browser.touch('touchEnd')
        page.saved()
        assert page.marks()['S']['at'] == pytest.approx([x + 30, y + 20], abs=0.5)
        page.find('#open-list').click()
        page.until('return document.querySelectorAll(".film img").length > 0')
        browser.script('[...document.querySelectorAll(".film")].find(film => film.innerText.includes("one")).click()')
        page.until('return document.getElementById("film-name").textContent === "one"')
        assert browser.complaints() == []
        page.driver.get('about:blank')


def test_a_thousand_films_scroll_are_searched_and_filtered(browser, tmp_path):
    results = write_results(tmp_path / 'many', [f'film{n:04d}' for n in range(1000)])
    with served(results, tmp_path / 'out') as server:
        begun = time.monotonic()
        page = ReviewPage(browser, server.address)
        assert time.monotonic() - begun < 15
        assert page.text('#count') == '1000 of 1000' and page.text('#film-name') == 'film0999'
        assert len(names(page)) < 40
        browser.script('document.getElementById("list").scrollTop = 1e9')
        page.until('return [...document.querySelectorAll(".film .name")].some(name => name.textContent === "film0000")')
        assert len(names(page)) < 40
        page.find('#list').send_keys(Keys.END)
        page.until('return document.getElementById("film-name").textContent === "film0000"')
        page.find('#search').send_keys('film012')
        assert page.text('#count') == '10 of 1000' and names(page)[0] == 'film0129'
        page.find('#filter').send_keys('Done')
        assert page.text('#count') == '0 of 1000'
        page.find('#list').send_keys(Keys.ENTER)
        assert browser.script('return document.activeElement.id') == 'stage'
        page.driver.get('about:blank')


def test_films_that_are_predicted_meanwhile_are_sorted_anew_when_a_person_says_so(browser, results, out):
    def predict(xray):
        doubt = {'one': 1, 'two': 0, 'three': 2}[xray.name]
        points_px = phantoms()['film1'].points_px
        return predicted(xray.name, xray.path, points_px, (xray.image.shape[1], xray.image.shape[0]), doubt)

    model = ReviewModel(predict, LANDMARKS, {'names': ['tiny'], 'weights_ids': ['a']})
    with served(results / 'films', out, landmarks=LANDMARKS, model=model) as server:
        page = ReviewPage(browser, server.address)
        assert page.text('#film-name') == 'one' and names(page) == ['one', 'three', 'two']
        page.until('return !document.getElementById("sort-anew").hidden')
        assert names(page) == ['one', 'three', 'two']
        page.find('#sort-anew').click()
        assert names(page) == ['three', 'one', 'two'] and not page.find('#sort-anew').is_displayed()
        assert browser.complaints() == []
        page.driver.get('about:blank')


def test_help_lists_the_keys_and_escape_closes_it(page):
    page.press('?')
    assert page.find('#help').is_displayed() and 'Shift+Enter' in page.text('#help')
    ActionChains(page.driver).send_keys(Keys.ESCAPE).perform()
    assert not page.find('#help').is_displayed()
