"""A real Chromium without a window, for the pages that the project writes."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)


class Browser:
    """A page in Chromium, at a width that the test chooses."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1280, scheme: str = 'light') -> None:
        """Load a file at a width in CSS pixels; narrow ones are those of a telephone."""
        self.driver.execute_cdp_cmd(
            'Emulation.setDeviceMetricsOverride',
            {'width': width, 'height': 900, 'deviceScaleFactor': 1, 'mobile': width < 600},
        )
        features = [
            {'name': 'prefers-color-scheme', 'value': scheme},
            {'name': 'prefers-reduced-motion', 'value': 'reduce'},
        ]
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': features})
        self.driver.get(page.as_uri())

    def script(self, code: str, *arguments: object) -> object:
        """What a script in the page returns."""
        return self.driver.execute_script(code, *arguments)

    def complaints(self) -> list[str]:
        """What the console says since the last call: errors, warnings, refused requests."""
        return [entry['message'] for entry in self.driver.get_log('browser')]

    def requests(self) -> list[str]:
        """The addresses that the page asked for, besides itself and what it carries within."""
        entries = self.script('return performance.getEntriesByType("resource").map(entry => entry.name)')
        return [address for address in entries if not address.startswith('data:')]

    def mouse(self, kind: str, x: float, y: float, **more: object) -> None:
        """A real event of the mouse, at a place in the window."""
        self.driver.execute_cdp_cmd('Input.dispatchMouseEvent', {'type': kind, 'x': x, 'y': y, **more})

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """A real event of fingers on the screen."""
        touches = [{'x': x, 'y': y, 'id': number} for number, (x, y) in enumerate(points)]
        self.driver.execute_cdp_cmd('Input.dispatchTouchEvent', {'type': kind, 'touchPoints': touches})

    def pdf(self) -> bytes:
        """The page as it is printed."""
        printed = self.driver.execute_cdp_cmd('Page.printToPDF', {'preferCSSPageSize': True})
        return base64.b64decode(printed['data'])


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile; skip the test where it is not installed."""
    names = ('chromium', 'chromium-browser', 'google-chrome')
    binary = next(filter(None, map(shutil.which, names)), None)
    server = shutil.which('chromedriver')
    if binary is None or server is None:
        pytest.skip('no Chromium with its chromedriver on this machine: apt-get install chromium chromium-driver')
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f'--user-data-dir={profile}'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options=options, service=Service(server))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
