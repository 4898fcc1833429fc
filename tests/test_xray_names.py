"""Names of X-rays: unique, patients told apart, and in linear time."""

import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cephalometric.xrays.xray_names import name_xrays

FOLDER = st.sampled_from(['patient1', 'patient2', 'Patient1', 'DICOM', '2020', 'a'])
FILE = st.sampled_from(
    ['IM1', 'im1', 'IM1.dcm', 'IM1.png', 'IM1_001', 'IM1_2.png', 'IM1_png', 'x.mha', 'a_IM1', 'IM1-2']
)
PATHS = st.lists(st.lists(FOLDER, max_size=4).flatmap(lambda folders: FILE.map(lambda file: Path(*folders, file))))


@given(PATHS.map(lambda paths: list(dict.fromkeys(paths))))
def test_names_are_unique_also_with_the_numbers_of_slices(paths):
    outputs = []
    for path, name in zip(paths, name_xrays(paths), strict=True):
        one = path.suffix.lower() == '.png'
        outputs += [name.casefold()] if one else [name.casefold(), *(f'{name}_{n:03d}'.casefold() for n in (1, 2))]
    assert len(set(outputs)) == len(outputs)


@given(st.integers(2, 30), st.integers(0, 4))
def test_patients_are_told_apart_by_as_many_folders_as_that_takes(count, depth):
    paths = [Path(f'patient{n}', *('DICOM', '2020', 'a', 'b')[:depth], 'IM000001') for n in range(count)]
    for n, name in enumerate(name_xrays(paths)):
        assert name.startswith(f'patient{n}_') and name.endswith('IM000001')


def test_a_name_is_no_longer_than_it_must_be():
    paths = ['x/p1/DICOM/IM1', 'x/p2/DICOM/IM1', 'x/p3/OTHER/IM1', 'x/p3/OTHER/IM2']
    assert name_xrays(paths) == ['p1_DICOM_IM1', 'p2_DICOM_IM1', 'OTHER_IM1', 'IM2']


def test_ten_thousand_take_less_than_a_second_and_ten_times_as_many_ten_times_that():
    def seconds(count):
        paths = [f'/archive/patient{n}/DICOM/IM000001' for n in range(count)]
        begin = time.process_time()
        assert len(set(name_xrays(paths))) == count
        return time.process_time() - begin

    few, many = min(seconds(1000) for _ in range(3)), seconds(10000)
    assert many < 2 and many < 30 * few
