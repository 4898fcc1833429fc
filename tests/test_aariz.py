import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from films import LANDMARKS, points, read_annotations, write_aariz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.aariz import SYMBOLS, TABLE, read_aariz
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set

read = partial(read_annotations, read_aariz)
# The order and the symbols of the data set's own files.
THEIRS = (
    'A ANS B Me N Or Pog PNS Pn R S Ar Co Gn Go Po LPM LIT LMT UPM UIA UIT UMT LIA Li Ls N` Pog` Sn'.split()  # noqa: SIM905
)


def junior():
    return {name: rows - 0.5 for name, rows in points().items()}


def files_of(folder: Path, doctor: str) -> list[Path]:
    return sorted(folder.glob(f'*/Annotations/*/{doctor}*/*.json'))


def test_every_landmark_of_the_data_set_has_its_place_in_the_landmark_set():
    landmarks = load_landmark_set('aariz')
    assert [landmarks.find(SYMBOLS.get(symbol, symbol)) for symbol in THEIRS] == list(range(len(landmarks)))
    assert all(map(landmarks.definition, range(len(landmarks))))
    challenge = load_landmark_set('cldetection2023')
    shared = [name for name in landmarks.abbreviations if name in challenge.abbreviations]
    own = {'R', 'LPM', 'LMT', 'UPM', 'UMT'}
    assert set(landmarks.abbreviations) - set(shared) == own
    differing = [name for name in shared if landmarks.definition(landmarks.find(name)) not in challenge.definitions]
    assert differing == ['LL', 'UL']


def test_of_two_doctors_the_mean_is_taken_or_one_is_chosen(tmp_path):
    folder = write_aariz(tmp_path / 'Aariz', points(), junior())
    annotations, report = read(folder)
    assert not report and set(annotations) == set(points())
    for name, rows in points().items():
        np.testing.assert_allclose(annotations[name].points_px, rows - 0.25)
        assert annotations[name].spacing_mm == 0.1
    for doctor, expected in (('senior', points()), ('junior', junior())):
        problems = Problems()
        alone = read_aariz(folder, LANDMARKS, problems, annotators=(doctor,))
        assert problems.count == 0
        np.testing.assert_array_equal(alone['film1'].points_px, expected['film1'])


def test_a_part_or_a_doctors_folder_is_enough_and_the_table_is_found_above_it(tmp_path):
    folder = write_aariz(tmp_path / 'Aariz', points())
    part, _ = read(folder / 'train')
    assert set(part) == {'film1'} and part['film1'].spacing_mm == 0.1
    senior = files_of(folder, 'Senior')[0].parent
    alone = read_aariz(senior, LANDMARKS, Problems(), annotators=('senior',))
    assert len(alone) == 1 and next(iter(alone.values())).spacing_mm == 0.1


def test_folders_may_be_called_otherwise(tmp_path):
    folder = write_aariz(tmp_path / 'Aariz', points())
    for doctor in ('Junior', 'Senior'):
        for path in {file.parent for file in files_of(folder, doctor)}:
            path.rename(path.with_name(f'{doctor.lower()}s'))
    annotations, report = read(folder)
    assert not report and set(annotations) == set(points())


def test_landmarks_that_nobody_wants_are_passed_over_and_said(tmp_path):
    folder = write_aariz(tmp_path / 'Aariz', points())
    for file in [*files_of(folder, 'Junior'), *files_of(folder, 'Senior')]:
        content = json.loads(file.read_text())
        content['landmarks'] += [{'symbol': name, 'value': {'x': 1, 'y': 2}} for name in ('UMT', 'Pn')]
        file.write_text(json.dumps(content))
    problems = Problems()
    annotations = read_aariz(folder, LANDMARKS, problems)
    assert problems.count == 0
    assert problems.remarks == ('landmarks outside the landmark set isbi2015 were not used: Prn, UMT',)
    np.testing.assert_allclose(annotations['film1'].points_px, points()['film1'])


def test_a_laboratory_may_keep_the_symbols_of_the_data_set(tmp_path):
    path = tmp_path / 'theirs.json'
    path.write_text(json.dumps({'landmarks': [{'abbreviation': name, 'name': name} for name in ('LIT', 'L1')]}))
    (tmp_path / 'Senior').mkdir()
    content = {'landmarks': [{'symbol': 'LIT', 'value': {'x': 3, 'y': 4}}]}
    (tmp_path / 'Senior' / 'a.json').write_text(json.dumps(content))
    found = read_aariz(tmp_path, load_landmark_set(str(path)), Problems(), annotators=('senior',))
    np.testing.assert_array_equal(found['a'].points_px, [[3, 4], [np.nan, np.nan]])


def spoil(change):
    """A change of the first JSON file of the senior."""

    def spoiling(folder):
        file = files_of(folder, 'Senior')[0]
        content = json.loads(file.read_text())
        file.write_text(json.dumps(change(content) or content))

    return spoiling


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda folder: files_of(folder, 'Junior')[0].unlink(), 'only one of the doctors has annotated'),
        (spoil(lambda content: [3]), 'the list "landmarks" is needed'),
        (spoil(lambda content: {'cvm_stage': 3}), 'the list "landmarks" is needed'),
        (spoil(lambda content: content['landmarks'].append({'symbol': 'Q', 'value': {'x': 1, 'y': 2}})), '"Q"'),
        (spoil(lambda content: content['landmarks'].append({'symbol': 'S'})), 'not a symbol with a value of x and y'),
        (spoil(lambda content: content['landmarks'].append(content['landmarks'][0])), 'more than once'),
        (spoil(lambda content: content['landmarks'][0]['value'].update(x='left')), 'not two finite numbers'),
        (spoil(lambda content: content.update(ceph_id='film1')), '"ceph_id" is another image'),
        (
            lambda folder: (folder / TABLE).write_text((folder / TABLE).read_text() + 'film1,CX-9,0.2,png,TRAIN\n'),
            'differing spacings',
        ),
        (lambda folder: (folder / TABLE).write_text('cephalogram_id,pixel_size\nfilm1,-3\n'), 'not a positive number'),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, expected):
    folder = write_aariz(tmp_path / 'Aariz', points())
    change(folder)
    assert expected in read(folder)[1]


def test_an_image_twice_with_one_doctor(tmp_path):
    folder = write_aariz(tmp_path / 'Aariz', points())
    file = files_of(folder, 'Senior')[0]
    copy = folder / 'more' / 'Senior' / file.name
    copy.parent.mkdir(parents=True)
    copy.write_text(file.read_text())
    assert 'several JSON files of one doctor' in read(folder)[1]


def test_folders_without_annotations_are_refused(tmp_path):
    with pytest.raises(InputError, match='not a folder'):
        read(tmp_path / 'nowhere')
    with pytest.raises(InputError, match=r'has no folder of junior or senior orthodontists.*train, valid and test'):
        read(tmp_path)
    folder = write_aariz(tmp_path / 'Aariz', points())
    for file in files_of(folder, 'Junior'):
        file.unlink()
    with pytest.raises(InputError, match='say --annotator senior'):
        read(folder)
    (folder / TABLE).write_text('cephalogram_id,size\nfilm1,0.1\n')
    with pytest.raises(InputError, match="no column 'pixel_size'"):
        read_aariz(folder, LANDMARKS, Problems(), annotators=('senior',))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(['S', 'N`', 'UMT', 'x', '']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(['landmarks', 'symbol', 'value', 'x', 'y', 'ceph_id']), inner)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=VALUES)
def test_any_content_is_an_annotation_or_in_the_report(tmp_path, content):
    (tmp_path / 'Senior').mkdir(exist_ok=True)
    (tmp_path / 'Senior' / 'a.json').write_text(json.dumps(content))
    problems = Problems()
    found = read_aariz(tmp_path, LANDMARKS, problems, annotators=('senior',))
    assert problems.count or set(found) == {'a'}
