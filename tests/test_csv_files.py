import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.csv_files import read_csv
from cephalometric.errors import InputError

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(folder, content):
    path = folder / 'table.csv'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_header_rows_and_lines(tmp_path):
    table = read_csv(written(tmp_path, '\ufeffimage, x1\r\n\r\na.png, 3 \r\n"b,c.png",4\r\n'))
    assert table.header == ('image', 'x1')
    assert table.rows == (('a.png', '3'), ('b,c.png', '4'))
    assert table.lines == (3, 4)
    assert table.column('image file', 'image') == 0 and table.find_column('y1') is None


def test_a_column_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"table\.csv: there is no column 'x' or 'y'; the columns are a, b"):
        read_csv(written(tmp_path, 'a,b\n')).column('x', 'y')


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ('', 'is empty'),
        ('\n\n , \n', 'is empty'),
        ('a,b,a\n', "'a' is there more than once"),
        ('a,b\n1,2\n1\n', 'line 3 has 1 cells'),
        ('a,b\n1,2,3\n', 'line 2 has 3 cells'),
        (b'a,b\n\xff\xfe\n', 'save it as UTF-8'),
        (f'a,b\n{"1" * 200_000},2\n', 'not a CSV file'),
    ],
)
def test_damage_is_named(tmp_path, content, expected):
    with pytest.raises(InputError, match=expected) as caught:
        read_csv(written(tmp_path, content))
    assert 'table.csv' in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r'absent\.csv cannot be read'):
        read_csv(tmp_path / 'absent.csv')


CELL = st.text(st.characters(exclude_categories=['Cs', 'Cc']), min_size=1).map(str.strip).filter(bool)


@same_folder
@given(header=st.lists(CELL, min_size=1, max_size=4, unique=True), data=st.data())
def test_round_trip(tmp_path, header, data):
    rows = data.draw(st.lists(st.tuples(*[CELL] * len(header))))
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    table = read_csv(written(tmp_path, text.getvalue()))
    assert (table.header, table.rows) == (tuple(header), tuple(rows))


@same_folder
@given(st.binary())
def test_any_bytes_are_a_table_or_a_readable_error(tmp_path, content):
    try:
        table = read_csv(written(tmp_path, content))
    except InputError as error:
        assert 'table.csv' in str(error)
    else:
        assert all(len(row) == len(table.header) for row in table.rows)
