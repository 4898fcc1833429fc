from functools import partial

import numpy as np
import pytest
from films import LANDMARKS, points, read_annotations, write_isbi2015, write_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.isbi2015 import read_isbi2015
from cephalometric.errors import InputError

GOOD = [f'{k},{2 * k}' for k in range(len(LANDMARKS))]
read = partial(read_annotations, read_isbi2015)


def test_round_trip(tmp_path):
    written = points()
    annotations, report = read(write_isbi2015(tmp_path / '400_senior', written))
    assert not report and set(annotations) == set(written)
    for name, points_px in written.items():
        np.testing.assert_array_equal(annotations[name].points_px, points_px)


def test_a_table_is_read_too(tmp_path):
    header = ['image', *(f'{axis}{k}' for k in range(1, 20) for axis in 'xy')]
    annotations, report = read(write_table(tmp_path / 'landmarks_mean.csv', header, [['001.jpg', *range(38)]]))
    assert not report and annotations['001.jpg'].points_px.ravel().tolist() == list(range(38))


@pytest.mark.parametrize(
    'lines',
    [
        GOOD[:-1],
        [*GOOD, '3,4'],
        [*GOOD[:-1], '3;4'],
        [*GOOD[:-1], '3,x'],
        [*GOOD[:-1], '3,nan'],
        ['1,2,3', *GOOD[1:]],
        [],
    ],
)
def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path, lines):
    (tmp_path / '001.txt').write_text('\n'.join(lines))
    (tmp_path / '002.txt').write_text('\n'.join([*GOOD, '1', '2']))
    annotations, report = read(tmp_path)
    assert '(1 problem)' in report and report.endswith('choose another landmark set with --landmarks): 001.txt')
    assert set(annotations) == {'002'}


def test_a_folder_without_text_files(tmp_path):
    with pytest.raises(InputError, match=r'holds no \.txt file'):
        read(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.lists(st.sampled_from(['1,2', '3', ',', '']), max_size=25).map(lambda x: '\n'.join(x).encode()))
def test_any_bytes_are_points_or_in_the_report(tmp_path, content):
    (tmp_path / '001.txt').write_bytes(content)
    annotations, report = read(tmp_path)
    assert bool(report) != (set(annotations) == {'001'})
