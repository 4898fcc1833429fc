"""Model folders: found by name, read back as written, refused in one line when damaged, incomplete or newer."""

import json
import shutil

import numpy as np
import pytest

from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.model_folder import (
    DEFAULT,
    SHIPPED,
    ModelDescription,
    description_content,
    find_model_folder,
    read_description,
    shipped_models,
)
from cephalometric.prediction.stages import CoarseStage, Refinement

LANDMARKS = load_landmark_set('isbi2015')


def write(folder, **changes):
    folder.mkdir(exist_ok=True)
    for name in ('search.onnx', 'refine_1.onnx'):
        (folder / name).write_bytes(name.encode())
    description = ModelDescription(
        landmarks=LANDMARKS,
        coarse=CoarseStage((64, 80), 1.25, True, {'kind': 'heatmaps', 'blur_kernel_size': 11}),
        refinement=Refinement((0.6,), 64, 2, 8.0, np.arange(2.0 * len(LANDMARKS)).reshape(-1, 2)),
        networks=('search.onnx', 'refine_1.onnx'),
        weights_id='abc',
        provenance={'recipe': 'mine', 'seed': 3},
        licence='ours',
        note='a note',
        files={name: sha256(folder / name) for name in ('search.onnx', 'refine_1.onnx')},
    )
    content = description_content(description) | changes
    (folder / 'model.json').write_text(json.dumps(content))
    return description


def test_a_description_comes_back_as_it_was_written(tmp_path):
    written, read = write(tmp_path / 'm'), read_description(tmp_path / 'm')
    np.testing.assert_array_equal(read.refinement.mean_layout_mm, written.refinement.mean_layout_mm)
    assert description_content(read) == description_content(written)
    assert (read.landmarks, read.coarse, read.networks) == (written.landmarks, written.coarse, written.networks)


@pytest.mark.parametrize(
    'changes, words',
    [
        ({'version': 2}, 'install a newer'),
        ({'format': 'something'}, 'not the description of a model'),
        ({'version': 'x'}, 'not the description of a model'),
        ({'landmark_set': None}, 'damaged'),
        ({'coarse_stage': {}}, 'damaged'),
        ({'files': {'search.onnx': 'x', 'refine_1.onnx': 'y'}}, 'is damaged, or of another model'),
        ({'files': {'../evil': 'x'}}, 'damaged'),
        ({'files': {}}, 'not among its files'),
        ({'refinement': None}, None),
    ],
)
def test_what_is_not_right_is_one_clear_line(tmp_path, changes, words):
    write(tmp_path / 'm', **changes)
    if words is None:  # The graph of a view that no refinement uses does no harm.
        assert read_description(tmp_path / 'm').networks == ('search.onnx',)
        return
    with pytest.raises(InputError, match=words) as error:
        read_description(tmp_path / 'm')
    assert '\n' not in str(error.value) and str(tmp_path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path / 'm')
    (tmp_path / 'm' / 'refine_1.onnx').unlink()
    with pytest.raises(InputError, match=r'refine_1\.onnx is missing'):
        read_description(tmp_path / 'm')


def test_models_are_found_by_name_folder_and_work_dir(tmp_path):
    write(tmp_path / 'm')
    assert find_model_folder(tmp_path / 'm') == tmp_path / 'm'
    (tmp_path / 'run').mkdir()
    shutil.copytree(tmp_path / 'm', tmp_path / 'run' / 'model')
    assert find_model_folder(str(tmp_path / 'run')) == tmp_path / 'run' / 'model'
    assert DEFAULT in shipped_models() and find_model_folder(DEFAULT) == SHIPPED / DEFAULT


def test_what_is_no_model_is_said_with_the_remedy(tmp_path):
    (tmp_path / 'weights.pth').write_bytes(b'')
    (tmp_path / 'folder').mkdir()
    for name, words in (
        ('weights.pth', 'cephalometric export'),
        ('folder', r'holds no model\.json'),
        ('no', 'no such'),
    ):
        with pytest.raises(InputError, match=words):
            find_model_folder(tmp_path / name)
