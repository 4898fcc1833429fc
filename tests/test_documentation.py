"""The examples of docs run as they are written: the blocks of python.md, and the cells of the notebook."""

import json
import re
from pathlib import Path

import cv2
import pytest

from cephalometric.phantom.rendering import make_phantom

DOCS = Path(__file__).parents[1] / 'docs'
NOTEBOOK = DOCS / 'predict.ipynb'
BLOCK = re.compile(r'^```python\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a synthetic X-ray of full size."""
    cv2.imwrite(str(tmp_path / 'film.png'), make_phantom(0).image)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_in_order(sources: list[str]) -> dict:
    names = {'__name__': 'documentation'}
    for number, source in enumerate(sources, start=1):
        exec(compile(source, f'block {number}', 'exec'), names)
    return names


def test_the_examples_of_the_python_page_run_from_top_to_bottom(working_folder):
    blocks = BLOCK.findall((DOCS / 'python.md').read_text(encoding='utf-8'))
    names = run_in_order(blocks)
    assert len(blocks) > 5
    assert names['result'].points_px.shape == (19, 2)
    assert (working_folder / 'overlay.jpg').is_file()


def test_the_notebook_runs_from_top_to_bottom(working_folder):
    notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
    run_in_order([''.join(cell['source']) for cell in notebook['cells'] if cell['cell_type'] == 'code'])


def test_the_notebook_is_one_of_format_4_with_its_outputs():
    notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
    assert (notebook['nbformat'], notebook['nbformat_minor']) == (4, 5)
    assert len({cell['id'] for cell in notebook['cells']}) == len(notebook['cells'])
    cells = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code']
    assert all(set(cell) >= {'source', 'outputs', 'execution_count', 'metadata'} for cell in cells)
    assert any(cell['outputs'] for cell in cells)
