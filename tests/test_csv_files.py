import csv
import io

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cephalometric.csv_files import NUMBER, read_csv, write_csv
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
        (b'a,b\n\xff\xfe\n', 'line 2.*save it as UTF-8'),
        ('a;b\n1;2\n1;2;3\n', 'line 3 has 3 cells'),
        ('sep=;\na;b\n1;2\n1\n', 'line 4 has 1 cells'),
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


# Names of columns have no separator but the comma in them, as one of a spreadsheet's names would.
CELL = st.text(st.characters(exclude_categories=['Cs', 'Cc'])).map(str.strip).filter(bool)
NAME = st.text(st.characters(exclude_categories=['Cs', 'Cc'], exclude_characters=';\t,"=')).map(str.strip).filter(bool)
HEADER = st.lists(NAME, min_size=2, max_size=4, unique=True)
SEPARATORS = (',', ';', '\t')


@same_folder
@given(
    header=HEADER,
    data=st.data(),
    separator=st.sampled_from(SEPARATORS),
    encoding=st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'utf-32']),
    end=st.sampled_from(['\n', '\r\n', '\r']),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    said=st.booleans(),
)
def test_any_dialect_reads_back_the_same(tmp_path, header, data, separator, encoding, end, quoting, said):
    rows = data.draw(st.lists(st.tuples(*[CELL] * len(header))))
    rows = [tuple(cell.lstrip("'=+-@\uff0b\uff0d\uff1d\uff20") or 'x' for cell in row) for row in rows]
    rows = [tuple(cell.strip() or 'x' for cell in row) for row in rows]
    header = [name.lstrip("'+-@\uff0b\uff0d\uff1d\uff20").strip() or f'x{k}' for k, name in enumerate(header)]
    assume(len(set(header)) == len(header) and not header[0].lower().startswith('sep'))
    text = io.StringIO(newline='')
    if said:
        text.write(f'sep={separator}{end}')
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows([header, *rows])
    table = read_csv(written(tmp_path, text.getvalue().encode(encoding)))
    assert (table.header, table.rows) == (tuple(header), tuple(rows))
    assert table.lines == tuple(range(2 + said, 2 + said + len(rows)))


@same_folder
@given(header=HEADER, data=st.data())
def test_what_is_written_reads_back_and_no_cell_is_a_formula(tmp_path, header, data):
    cell = CELL | st.builds(
        '{}{}'.format, st.sampled_from(['=', '+', '-', '@', "'=", "''-", '=cmd|', "'", '-1 ']), CELL
    )
    rows = data.draw(st.lists(st.tuples(*[cell] * len(header))))
    write_csv(tmp_path / 'table.csv', [header, *rows])
    table = read_csv(tmp_path / 'table.csv')
    assert (table.header, table.rows) == (tuple(header), tuple(tuple(map(str.strip, row)) for row in rows))
    with open(tmp_path / 'table.csv', newline='', encoding='utf-8') as file:
        for raw in (raw for row in csv.reader(file) for raw in row):
            assert raw.lstrip()[:1] not in ('=', '+', '-', '@', '\t', '\r') or NUMBER.fullmatch(raw)


@pytest.mark.parametrize('text', ['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', ' =1', "'=1", '\uff1d1'])
def test_texts_that_a_spreadsheet_would_compute_have_an_apostrophe(tmp_path, text):
    write_csv(tmp_path / 'a.csv', [['image', 'x'], [text, '-6.325']])
    with open(tmp_path / 'a.csv', newline='', encoding='utf-8') as file:
        assert list(csv.reader(file))[1] == [f"'{text}", '-6.325']
    assert read_csv(tmp_path / 'a.csv').rows[0][0].strip() == text.strip()


def test_a_name_that_is_not_unicode_does_not_cost_the_table(tmp_path):
    write_csv(tmp_path / 'a.csv', [['image', 'x'], ['film\udcff', None], ['b', 2.5]])
    assert read_csv(tmp_path / 'a.csv').rows == (('film\\udcff', ''), ('b', '2.5'))


def test_an_open_quotation_does_not_swallow_the_rows_after_it(tmp_path):
    with pytest.raises(InputError, match='not a CSV file'):
        read_csv(written(tmp_path, 'a,b\n1,"2\n3,4\n'))


def test_columns_in_other_letters_are_found_where_they_are_alone(tmp_path):
    table = read_csv(written(tmp_path, 'Image,X,x\na,1,2\n'))
    assert (table.column('image'), table.column('x'), table.find_column('y')) == (0, 2, None)


def test_decimal_commas(tmp_path):
    table = read_csv(written(tmp_path, 'image;x;y\n1,5;10,5;-20\nb;1,234;3e2\n'))
    assert table.with_decimal_points([1, None, 2]).rows == (('1,5', '10.5', '-20'), ('b', '1.234', '3e2'))
    quoted = read_csv(written(tmp_path, 'image,x\na,"10,5"\n'))
    assert quoted.with_decimal_points([1]).rows == (('a', '10.5'),)


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ('image;x;y\na;10,5;20.5\n', 'line 2: 10,5 has a comma, but 20.5 a point'),
        ('image\tx\ty\na\t1,234\t835\n', 'line 2: 1,234 may be 1234 or 1.234'),
    ],
)
def test_decimal_commas_that_leave_a_doubt(tmp_path, content, expected):
    with pytest.raises(InputError, match=expected):
        read_csv(written(tmp_path, content)).with_decimal_points([1, 2])


@same_folder
@given(st.binary())
def test_any_bytes_are_a_table_or_a_readable_error(tmp_path, content):
    try:
        table = read_csv(written(tmp_path, content))
    except InputError as error:
        assert 'table.csv' in str(error)
    else:
        assert all(len(row) == len(table.header) for row in table.rows)
