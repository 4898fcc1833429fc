"""Pages from their templates: one style and script, what every template may use, and the shapes of landmarks."""

import functools
from importlib import resources

import jinja2

from cephalometric.reporting.number_words import format_number
from cephalometric.reporting.report_columns import cell_class, cell_text, sort_value

STATEMENT = 'For research. It is not a medical device: nothing here may decide the diagnosis or treatment of a person.'
TRUTH_COLOUR = '#50dc50'
PREDICTION_COLOUR = '#ff5a3c'
# Paths in CSS pixels about a landmark. Runs differ by shape as well as colour, and all from the ring of the truth.
SHAPES = {
    'truth': 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
    'runs': (
        'M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5',
        'M0-5.5L5 3.5H-5Z',
        'M-4-4H4V4H-4Z',
        'M-5 0H5M0-5V5',
        'M0-6L6 0L0 6L-6 0Z',
        'M0 5.5L5-3.5H-5Z',
    ),
}


def render_page(template: str, **content: object) -> str:
    """Fill a template of the folder ``page``; all texts are escaped, and a name that it lacks is an error."""
    page = resources.files('cephalometric.reporting') / 'page'
    return (
        _environment()
        .get_template(template)
        .render(
            statement=STATEMENT,
            style=(page / 'report.css').read_text(encoding='utf-8'),
            script=(page / 'report.js').read_text(encoding='utf-8'),
            shapes=SHAPES,
            truth_colour=TRUTH_COLOUR,
            **content,
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    """Made once: a template is compiled when its first page is rendered."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader('cephalometric.reporting', 'page'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        'number': format_number,
        'cell_text': cell_text,
        'cell_class': cell_class,
        'sort_value': sort_value,
    }
    return environment
