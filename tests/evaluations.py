"""Evaluations with known errors, on small X-rays that lie on disk."""

import json
from pathlib import Path

import cv2
import numpy as np

from cephalometric.annotations.coco import LabelledImage
from cephalometric.landmarks import load_landmark_set
from cephalometric.results.evaluation import Evaluation, Provenance

LANDMARKS = load_landmark_set('isbi2015')
SIZES = ((240, 300), (200, 250))
SPACINGS_MM = (0.8, 1.0)


def make_provenance(**changes: object) -> Provenance:
    """A provenance with texts that would break a page that does not escape them."""
    values = {
        'created': '2026-01-02T03:04:05+00:00',
        'command': 'python step4.py <config> & "weights"',
        'config_name': 'configs/some_recipe.py',
        'config_text': "model = dict(type='A<b>')",
        'weights_sha256': {'work/best.pth': 'ab' * 32},
        'annotation_file': 'data/test.json',
        'image_counts': {'data/train.json': 60, 'data/test.json': 8},
        'versions': {'Python': '3.11'},
        'device': 'cpu',
        'training_curves': [{'epoch': 1.0, 'loss': 2.0}, {'epoch': 2.0, 'loss': 1.0, 'MRE': 3.0, 'SDR 2.0mm': 50.0}],
    }
    return Provenance(**values | changes)


def make_evaluation(
    folder: Path, count: int = 8, seed: int = 0, noise_mm: float = 1.0, shift_mm: tuple[float, float] = (0.0, 0.0)
) -> Evaluation:
    """Predictions whose first landmark is also shifted, for X-rays of two sources; one landmark lacks its truth.

    The truth depends on ``count`` alone, so that evaluations of different seeds can be compared.
    """
    truth, random = np.random.default_rng(count), np.random.default_rng(seed)
    images, points_px = [], []
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (width, height), spacing_mm = SIZES[n % 2], SPACINGS_MM[n % 2]
        true_px = truth.uniform((20, 20), (width - 20, height - 20), (len(LANDMARKS), 2))
        name = f'images/{n + 1}.png'
        cv2.imwrite(str(folder / name), truth.integers(40, 200, (height, width), dtype=np.uint8))
        predicted_px = true_px + random.normal(0, noise_mm / spacing_mm, true_px.shape)
        predicted_px[0] += np.array(shift_mm) / spacing_mm
        if n == 1:
            true_px[5] = np.nan
        images.append(LabelledImage(n + 1, name, width, height, spacing_mm, true_px))
        points_px.append(predicted_px)
    listed = [{'file_name': image.file_name} for image in images]
    (folder / 'test.json').write_text(json.dumps({'images': listed}))  # As a data set has it; reports insist on it.
    return Evaluation(
        landmarks=LANDMARKS,
        images=tuple(images),
        points_px=np.stack(points_px),
        landmark_scores=random.uniform(0.2, 1, (count, len(LANDMARKS))),
        expected_errors_mm=random.uniform(0.5, 2, (count, len(LANDMARKS))),
        image_folder=folder,
        provenance=make_provenance(),
    )
