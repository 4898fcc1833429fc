"""Steps 3 to 5 as a user calls them: what they print and write, and one clear line for each mistake."""

import csv
import json
import shutil

import cv2
import jsonschema
import numpy as np
import pytest
from conftest import ROOT, TINY_RECIPE, other_epoch, run_python

from cephalometric.annotations.coco import load_coco
from cephalometric.prediction.model_folder import read_description
from cephalometric.results.evaluation import read_results

STEP3, STEP4, STEP5 = (next(ROOT.glob(f'step{number}_*.py')).name for number in (3, 4, 5))


def test_step4_scores_tables_and_pictures(trained, data_root, tmp_path):
    done = run_python(
        STEP4,
        TINY_RECIPE,
        trained / 'best_model_weight.pth',
        *('--data-root', data_root, '--show-dir', tmp_path / 'pictures', '--interval', 2),
        *('--out', tmp_path / 'scores.json', '--dump', tmp_path / 'all.json', '--csv', tmp_path / 'table.csv'),
        *('--report', tmp_path / 'report'),
    )
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert list(scores) == ['MRE', 'SDR 2.0mm', 'SDR 2.5mm', 'SDR 3.0mm', 'SDR 4.0mm']
    assert f'MRE = {scores["MRE"]:.3f} ±' in done.stdout
    rows = list(csv.DictReader((tmp_path / 'table.csv').open(encoding='utf-8')))
    assert float(rows[-1]['MRE mm']) == pytest.approx(scores['MRE'], abs=1e-3)
    assert 'posterior nasal spine' in done.stdout
    assert len(json.loads((tmp_path / 'all.json').read_text())['images']) == 3
    assert (tmp_path / 'all.json').read_bytes() == (tmp_path / 'report' / 'results.json').read_bytes()
    page = (tmp_path / 'report' / 'report.html').read_text(encoding='utf-8')
    assert f'{scores["MRE"]:.2f} mm' in page and 'Is it well calibrated?' in page
    pictures = sorted((tmp_path / 'pictures').glob('*.png'))
    assert len(pictures) == 2 and pictures[0].name > '1_MRE-'
    assert cv2.imread(str(pictures[0])) is not None


def test_step4_scores_an_ensemble_on_the_part_that_the_config_names(trained, data_root, tmp_path):
    members = [trained / 'best_model_weight.pth', other_epoch(trained)]
    done = run_python(
        *(STEP4, TINY_RECIPE, *members, '--data-root', data_root),
        *('--csv', tmp_path / 'table.csv', '--report', tmp_path / 'report'),
        *('--cfg-options', 'test_dataloader.dataset.ann_file=valid.json'),
    )
    assert 'MRE = ' in done.stdout and 'over 2 images' in done.stdout
    evaluation = read_results(tmp_path / 'report' / 'results.json')
    assert evaluation.spread_mm.max() > 0 and evaluation.expected_errors_mm is None
    assert list(evaluation.provenance.weights_sha256) == [str(path) for path in members]


def test_step3_ends_with_a_calibration_and_a_report_of_the_validation_images(trained, data_root):
    evaluation = read_results(trained / 'report_valid' / 'results.json')
    assert len(evaluation.images) == 2 and (trained / 'model' / 'calibration.json').is_file()
    provenance = evaluation.provenance
    assert list(provenance.weights_sha256) == [str(trained / 'model')]
    about = read_description(trained / 'model')
    assert about.provenance['images'] == {'train': 6, 'validation': 2}
    assert about.provenance['scores'] == evaluation.overall().as_metrics()
    assert 'step3_train_and_evaluation.py' in provenance.command and 'landmark_set' in provenance.config_text
    assert [row['epoch'] for row in provenance.training_curves] == [1, 2, 3]
    page = (trained / 'report_valid' / 'report.html').read_text(encoding='utf-8')
    assert 'data:image/jpeg;base64' in page and 'How training went' in page


def test_step4_takes_a_model_folder_and_asks_where_an_ensemble_may_write(trained, other_model, data_root, tmp_path):
    flags = ('--data-root', data_root, '--ann-file', 'valid.json')
    done = run_python(STEP4, '--model', trained, *flags, '--report', tmp_path / 'report')
    by_folder = read_results(tmp_path / 'report' / 'results.json')
    np.testing.assert_allclose(
        by_folder.points_px, read_results(trained / 'report_valid' / 'results.json').points_px, atol=0.1
    )
    assert by_folder.expected_errors_mm is not None and str(tmp_path / 'report') in done.stdout
    before = sorted(path.name for path in other_model.iterdir())
    done = run_python(STEP4, '--model', trained, other_model, *flags, check=2)
    assert '--report DIR' in done.stderr
    run_python(STEP4, '--model', trained, other_model, *flags, '--report', tmp_path / 'ensemble')
    assert read_results(tmp_path / 'ensemble' / 'results.json').spread_mm.max() > 0
    assert sorted(path.name for path in other_model.iterdir()) == before


def test_a_checkpoint_alone_finds_the_config_beside_it(trained, phantom_stack, tmp_path):
    results = []
    for number, flags in enumerate((
        ('--load_weight_path', trained / 'best_model_weight.pth'),
        ('--load_weight_path', trained / 'best_model_weight.pth', '--config_file', TINY_RECIPE),
        ('--model', trained / 'model'),
    )):  # fmt: skip
        path = tmp_path / f'{number}.json'
        stack = ('--load_mha_path', phantom_stack / 'train_stack.mha')
        run_python(STEP5, *flags, *stack, '--save_json_path', path)
        results.append([point['point'][:2] for point in json.loads(path.read_text())['points']])
    np.testing.assert_allclose(results[1], results[0], atol=1e-6)
    # By ONNX Runtime; so young a model has heatmaps that are nearly flat in places.
    assert np.quantile(np.abs(np.subtract(results[2], results[0])), 0.99) < 0.1


def test_step5_answers_every_slice_by_the_schema(trained, phantom_stack, tmp_path):
    result = tmp_path / 'expected_output.json'
    done = run_python(
        STEP5,
        *('--config_file', TINY_RECIPE, '--load_weight_path', trained / 'best_model_weight.pth'),
        *('--load_mha_path', phantom_stack / 'train_stack.mha', '--save_json_path', result),
    )
    assert '11 slices' in done.stdout
    content = json.loads(result.read_text())
    jsonschema.validate(content, json.loads((ROOT / 'tests' / 'result_schema.json').read_text()))
    names = [str(number) for number in range(1, 39)]
    assert [(point['name'], point['point'][2]) for point in content['points']] == [
        (name, z) for z in range(1, 12) for name in names
    ]


def mistakes(trained, data_root, phantom_stack, tmp_path):
    """Name of the mistake, the call, and what the message must hold."""
    weights, stack = trained / 'best_model_weight.pth', phantom_stack / 'train_stack.mha'
    truncated = tmp_path / 'truncated.mha'
    truncated.write_bytes(stack.read_bytes()[:-1000])
    rubbish = tmp_path / 'rubbish.pth'
    rubbish.write_bytes(b'rubbish')

    def step5(config=TINY_RECIPE, checkpoint=weights, mha=stack, out=tmp_path / 'out.json'):
        return (
            *(STEP5, '--config_file', config, '--load_weight_path', checkpoint),
            *('--load_mha_path', mha, '--save_json_path', out),
        )

    other = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'
    yield 'truncated stack', step5(mha=truncated), ['truncated.mha', 'truncated']
    yield 'missing stack', step5(mha=tmp_path / 'gone.mha'), ['gone.mha']
    yield 'other config', step5(config=other), ['best_model_weight.pth', 'does not fit']
    yield 'no folder', step5(out=tmp_path / 'gone' / 'out.json'), [str(tmp_path / 'gone')]
    yield 'rubbish weights', step5(checkpoint=rubbish), ['rubbish.pth', 'not a checkpoint']
    yield 'missing config', step5(config='gone.py'), ['gone.py']
    yield 'test without data', (STEP4, TINY_RECIPE, weights, '--data-root', tmp_path), ['test.json', '--data-root']
    yield (
        'training without data',
        (STEP3, TINY_RECIPE, '--data-root', tmp_path, '--work-dir', tmp_path),
        ['train.json', '--data-root'],
    )
    damaged = tmp_path / 'damaged'
    shutil.copytree(data_root, damaged)
    (damaged / load_coco(damaged / 'valid.json').images[0].file_name).write_bytes(b'')
    training = (STEP3, TINY_RECIPE, '--work-dir', tmp_path / 'never')
    yield 'a damaged image', (*training, '--data-root', damaged), ['valid.json', 'not those that were labelled']
    yield (
        'training with other landmarks',
        (STEP3, TINY_RECIPE, '--data-root', data_root, '--work-dir', tmp_path, '--landmarks', 'isbi2015'),
        ['isbi2015', '--landmarks cldetection2023'],
    )


def test_mistakes_are_one_clear_line_and_status_2(trained, data_root, phantom_stack, tmp_path):
    for name, call, expected in mistakes(trained, data_root, phantom_stack, tmp_path):
        done = run_python(*call, check=2)
        errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
        assert len(errors) == 1 and 'Traceback' not in done.stderr, (name, done.stderr)
        assert all(text in errors[0] for text in expected), (name, errors)
        assert not (tmp_path / 'out.json').exists() and not (tmp_path / 'never').exists(), name
