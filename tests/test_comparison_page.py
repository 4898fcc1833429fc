"""The page of two films: both are named, and every measurement has its difference."""

from datetime import date

import numpy as np
import pypdfium2
import pytest
from test_superimposition import LANDMARKS, POINTS, STEINER, assessed, xray

from cephalometric.measurements import ANYBODY
from cephalometric.reporting.comparison_page import comparison_page
from cephalometric.reporting.superimposition import BASES
from cephalometric.reporting.tracing_page import PageFacts


@pytest.mark.parametrize('paper', ['A4', 'Letter'])
def test_a_page_names_both_films_and_every_measurement(paper):
    changed = POINTS + np.random.default_rng(0).normal(0, 20, POINTS.shape)
    before, after = xray(name='one'), xray(changed, name='other')
    pair = before, after, assessed(before, 1.0), assessed(after, 1.0)
    document = pypdfium2.PdfDocument(
        comparison_page([pair, pair], LANDMARKS, PageFacts('a model', date(2026, 11, 25), ANYBODY, paper))
    )
    try:
        assert len(document) == 2
        text = document[1].get_textpage().get_text_range()
    finally:
        document.close()
    assert 'before: one' in text and 'after: other' in text and 'For research' in text
    for entry in STEINER.entries:
        assert entry.measurement.title in text
    for base in BASES:
        assert base.title in text
