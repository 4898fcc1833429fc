"""Fine-tuning: weights of another model, rows of landmarks by their abbreviations."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from baseline_data import baseline_content
from conftest import ROOT, TINY_COARSE_TO_FINE, TINY_RECIPE
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator
from mmpose.registry import DATASETS
from safetensors.torch import save_file

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.files import write_json
from cephalometric.landmarks import load_landmark_set
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.recipe import load_config
from cephalometric.training.transfer import TrainedWeights, open_trained_weights, starting_point

RTMPOSE = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'
SMALL = {'codec.input_size': (64, 64), 'model.backbone.widen_factor': 0.125, 'model.head.in_channels': 128}
RECIPES = {
    'heatmaps': (TINY_RECIPE, {}, ['head.final_layer.weight', 'head.final_layer.bias']),
    'coarse to fine': (
        TINY_COARSE_TO_FINE,
        {},
        [
            'mean_layout_mm',
            'head.final_layer.weight',
            'head.final_layer.bias',
            *(f'refiners.{n}.{part}' for n in (0, 1) for part in ('backbone.embedding.weight', 'head.weight.weight')),
        ],
    ),
    'RTMPose': (RTMPOSE, SMALL, ['head.final_layer.weight', 'head.final_layer.bias']),
}
OLD, NEW = load_landmark_set('isbi2015'), load_landmark_set('cldetection2023')


def built(recipe, landmark_set, seed, options=()):
    torch.manual_seed(seed)
    config = load_config(recipe, 'data', landmark_set, dict(options))
    config.model.backbone.init_cfg = None
    return config, build_pose_estimator(config.model)


def as_source(model, landmarks, name='old.pth'):
    return TrainedWeights(name, model.state_dict(), landmarks)


@pytest.mark.parametrize('name', RECIPES)
@pytest.mark.parametrize(('of', 'to'), [(OLD, NEW), (NEW, OLD)], ids=['19 to 38', '38 to 19'])
def test_rows_are_those_of_the_landmarks_and_all_else_is_as_it_was(name, of, to):
    recipe, options, with_rows = RECIPES[name]
    _, other = built(recipe, of.name, 1, options)
    config, model = built(recipe, to.name, 2, options)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    start = starting_point(config, model, as_source(other, of.abbreviations))
    given = other.state_dict()
    common = [each for each in to.abbreviations if each in of.abbreviations]
    assert start.landmarks == tuple(common) and start.tensors == len(before)
    assert start.with_rows == (len(with_rows), len(with_rows))
    assert f'19 of its {len(to)} landmarks and {len(before)} of its {len(before)} tensors' in str(start)
    assert start.new == tuple(each for each in to.abbreviations if each not in common)
    for key, value in start.weights.items():
        if key in with_rows:
            for row, abbreviation in enumerate(to.abbreviations):
                known = abbreviation in common
                expected = given[key][of.abbreviations.index(abbreviation)] if known else before[key][row]
                assert torch.equal(value[row], expected), (key, abbreviation)
        else:
            assert torch.equal(value, given[key]), key
    model.load_state_dict(start.weights)


def write_set(path, abbreviations):
    write_json(path, {'landmarks': [{'abbreviation': each, 'name': each} for each in abbreviations]})
    return str(path)


def test_rows_follow_the_names_also_where_the_number_of_landmarks_is_the_same(tmp_path):
    # 24 is also a number of channels in the tiny refiners.
    names = list(NEW.abbreviations[:24])
    turned = [name.replace("'", '’') for name in [*names[5:][::-1], *names[:4], 'mine']]
    one, other = (write_set(tmp_path / f'{k}.json', each) for k, each in enumerate((names, turned)))
    _, old = built(TINY_COARSE_TO_FINE, one, 1)
    config, model = built(TINY_COARSE_TO_FINE, other, 2)
    start = starting_point(config, model, as_source(old, tuple(names)))
    assert len(start.landmarks) == 23 and start.new == ('mine',)
    rows, given = (weights['refiners.1.head.weight.weight'] for weights in (start.weights, old.state_dict()))
    assert torch.equal(rows[:19], given[5:].flip(0)) and torch.equal(rows[19:23], given[:4])
    assert torch.equal(start.weights['refiners.0.backbone.down.2.0.weight'], old.refiners[0].backbone.down[2][0].weight)


def test_nothing_to_take_over_is_an_error(tmp_path):
    config, model = built(TINY_RECIPE, NEW.name, 2)
    p_names = load_landmark_set('cldetection2024')
    _, stranger = built(TINY_RECIPE, p_names.name, 1)
    with pytest.raises(InputError, match=r'old.pth: none of its 53 landmarks \(p1, .*is in the landmark set'):
        starting_point(config, model, as_source(stranger, p_names.abbreviations))
    backbone_alone = {key: value for key, value in model.state_dict().items() if key.startswith('backbone.')}
    with pytest.raises(InputError, match=r'no weights of a landmark fit .*for its backbone alone say init_cfg'):
        starting_point(config, model, TrainedWeights('old.pth', backbone_alone, NEW.abbreviations))
    with pytest.raises(InputError, match='no weights of a landmark fit'):
        starting_point(config, model, TrainedWeights('old.pth', {'a': torch.ones(1)}, None))


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a tiny model of 19 landmarks with what a checkpoint says besides; returns its path."""
    _, model = built(TINY_RECIPE, OLD.name, 1)

    def write(meta, name='old.pth'):
        torch.save({'state_dict': model.state_dict(), 'meta': meta}, tmp_path / name)
        return tmp_path / name

    return write


NUMBERED = {'keypoint_id2name': {number: str(number + 1) for number in range(19)}}


@pytest.mark.parametrize(
    'meta',
    [
        {'landmarks': list(OLD.abbreviations)},
        {'dataset_meta': {'keypoint_id2name': dict(enumerate(OLD.abbreviations))}},
        {'dataset_meta': NUMBERED, 'cfg': "landmark_set = 'isbi2015'\nmodel = dict(type='A')\n"},
        {'dataset_meta': NUMBERED, 'cfg': "model = dict(type='A')\nraise SystemExit\n"},
        {'dataset_meta': 3, 'cfg': 'no Python'},
        {},
        None,
    ],
)
def test_a_checkpoint_says_its_landmarks_or_they_follow_from_their_number(checkpoint, meta):
    source = open_trained_weights(checkpoint(meta, 'best_SDR 2.0mm_epoch_40.pth'))
    config, model = built(TINY_RECIPE, NEW.name, 2)
    assert starting_point(config, model, source).landmarks == OLD.abbreviations


def test_the_config_beside_a_checkpoint_says_its_landmarks(checkpoint, tmp_path):
    path = checkpoint({})
    write_set(tmp_path / 'mine.json', [f'{each}*' if each != 'S' else each for each in OLD.abbreviations])
    (tmp_path / 'recipe.py').write_text(f"_base_ = {str(TINY_RECIPE)!r}\nlandmark_set = 'mine.json'\n")
    assert open_trained_weights(path).landmarks[:2] == ('S', 'N*')


def test_weights_alone_are_a_source_in_any_form(checkpoint, tmp_path):
    weights = load_from_checked_file(str(checkpoint({})))['state_dict']
    save_file({f'module.{name}': value.contiguous() for name, value in weights.items()}, tmp_path / 'a b.safetensors')
    source = open_trained_weights(tmp_path / 'a b.safetensors')
    config, model = built(TINY_RECIPE, NEW.name, 2)
    assert starting_point(config, model, source).landmarks == OLD.abbreviations


def test_a_model_folder_needs_weights(tmp_path):
    assert open_trained_weights('isbi2015').landmarks == OLD.abbreviations
    folder = tmp_path / 'graphs'
    shutil.copytree(ROOT / 'mmpose_package' / 'cephalometric' / 'zoo' / 'isbi2015', folder)
    (folder / 'weights.pth').unlink()
    description = json.loads((folder / 'model.json').read_text())
    description['files'].pop('weights.pth')
    write_json(folder / 'model.json', description)
    with pytest.raises(InputError, match='holds ONNX graphs alone') as error:
        open_trained_weights(folder)
    assert '\n' not in str(error.value)
    with pytest.raises(InputError, match='there is no such model folder'):
        open_trained_weights(tmp_path / 'nowhere')


def test_a_model_that_starts_from_a_trained_one_is_better_than_a_new_one(data_root, tmp_path):
    # Other landmarks in another order: those of the model that ships, but for one, from behind, and one that it lacks.
    names = [*OLD.abbreviations[1:][::-1], 'Ba']
    landmarks = write_set(tmp_path / 'mine.json', names)
    for part in ('train', 'valid'):
        labelled = load_coco(data_root / f'{part}.json')
        places = [labelled.abbreviations.index(name) for name in names]
        images = [replace(image, points_px=image.points_px[places]) for image in labelled.images]
        content = baseline_content(replace(labelled, abbreviations=tuple(names), images=tuple(images)))
        content['categories'][0]['keypoints'] = names
        write_json(tmp_path / f'{part}.json', content)
        for image in images:
            (tmp_path / 'films').mkdir(exist_ok=True)
            shutil.copyfile(labelled.image_path(image), tmp_path / 'films' / f'{image.id}.png')
    config = load_config(ROOT / 'cldetection_configs' / 'cpu_coarse-to-fine_1xb4-40e.py', tmp_path, landmarks)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = pseudo_collate([dataset[n] for n in range(3)])

    def losses(model):
        found = model.eval().loss(**model.data_preprocessor(batch, training=True))
        return {name: float(value) for name, value in found.items() if name.startswith('loss')}

    torch.manual_seed(1)
    model = build_pose_estimator(config.model)
    new = losses(model)
    start = starting_point(config, model, open_trained_weights('isbi2015'))
    assert start.landmarks == tuple(names[:-1]) and start.new == ('Ba',)
    model.load_state_dict(start.weights)
    begun = losses(model)
    # The second refiner looks closer than these small X-rays are sharp.
    assert begun['loss_kpt'] < 0.8 * new['loss_kpt'] and begun['loss_patches_0'] < 0.9 * new['loss_patches_0']
    assert sum(begun.values()) < sum(new.values())
