"""Pages from templates: texts are escaped, and shapes differ."""

import jinja2
import pytest

from cephalometric.reporting.page_template import SHAPES, render_page


def test_runs_differ_by_shape_from_each_other_and_from_the_truth():
    shapes = [SHAPES['truth'], *SHAPES['runs']]
    assert len(set(shapes)) == len(shapes) > 4


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render_page('films.html.jinja', title='no films')
