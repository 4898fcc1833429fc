"""Runs to be compared: read, matched image by image, and named."""

import dataclasses

import numpy as np
import pytest
from evaluations import make_evaluation

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.runs import image_sources, read_runs, short_names
from cephalometric.results.evaluation import write_results


def write(path, evaluation):
    path.parent.mkdir(exist_ok=True)
    write_results(path, evaluation)
    return path


def test_runs_are_matched_by_image_and_reduced_to_those_that_all_have(tmp_path):
    first, second = make_evaluation(tmp_path, seed=1), make_evaluation(tmp_path, seed=2)
    paths = [
        write(tmp_path / 'a' / 'results.json', first.select([0, 1, 2, 3])),
        write(tmp_path / 'b' / 'results.json', second.select([5, 3, 2, 0])),
    ]
    runs = read_runs(paths)
    assert [run.name for run in runs] == ['a', 'b']
    for run, whole in zip(runs, (first, second), strict=True):
        assert [image.id for image in run.evaluation.images] == [1, 3, 4]
        np.testing.assert_array_equal(run.evaluation.errors_mm, whole.errors_mm[[0, 2, 3]])


def test_one_run_is_called_by_its_config_and_keeps_all_images(tmp_path):
    (run,) = read_runs([write(tmp_path / 'results.json', make_evaluation(tmp_path))])
    assert run.name == 'some_recipe' and len(run.evaluation.images) == 8


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['runs/a/report/results.json', 'runs/b/report/results.json'], ['a', 'b']),
        (['old.json', 'new.json'], ['old', 'new']),
        (['x/one.json', 'y/two.json'], ['x/one', 'y/two']),
        (['a.json', 'a.json'], ['1: a', '2: a']),
        (['a.json', 'b/a.json'], ['a', 'b/a']),
        (['hrnet_1.json', 'hrnet_2.json'], ['hrnet_1', 'hrnet_2']),
    ],
)
def test_names_are_what_tells_the_paths_apart(paths, names):
    assert short_names(paths) == names


def other_landmarks(evaluation):
    return dataclasses.replace(
        evaluation,
        landmarks=load_landmark_set('cldetection2023'),
        images=tuple(dataclasses.replace(image, points_px=np.zeros((38, 2))) for image in evaluation.images),
        points_px=np.zeros((8, 38, 2)),
        landmark_scores=np.zeros((8, 38)),
        expected_errors_mm=None,
    )


def other_images(evaluation):
    return dataclasses.replace(
        evaluation, images=tuple(dataclasses.replace(image, id=image.id + 100) for image in evaluation.images)
    )


def other_truth(evaluation):
    images = [dataclasses.replace(image, points_px=image.points_px + 1) for image in evaluation.images]
    return dataclasses.replace(evaluation, images=tuple(images))


def other_spacing(evaluation):
    images = [dataclasses.replace(image, spacing_mm=image.spacing_mm * 1.1) for image in evaluation.images]
    return dataclasses.replace(evaluation, images=tuple(images))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (other_landmarks, 'same landmarks'),
        (other_images, 'no image is in all'),
        (other_truth, 'ground truth'),
        (other_spacing, 'ground truth'),
    ],
)
def test_runs_that_cannot_be_compared_are_refused_by_name(tmp_path, change, message):
    evaluation = make_evaluation(tmp_path)
    paths = [write(tmp_path / 'a.json', evaluation), write(tmp_path / 'b.json', change(evaluation))]
    with pytest.raises(InputError, match=message) as error:
        read_runs(paths)
    assert 'b.json' in str(error.value)


def test_too_many_sizes_are_grouped_by_spacing_alone(tmp_path):
    evaluation = make_evaluation(tmp_path, count=20)
    images = [dataclasses.replace(image, width=300 + n) for n, image in enumerate(evaluation.images)]
    sources = image_sources(dataclasses.replace(evaluation, images=tuple(images)))
    assert set(sources) == {'0.8 mm', '1 mm'}
    images = [dataclasses.replace(image, spacing_mm=0.1 + n / 100) for n, image in enumerate(evaluation.images)]
    sources = image_sources(dataclasses.replace(evaluation, images=tuple(images)))
    assert set(sources) == {'all images'}
