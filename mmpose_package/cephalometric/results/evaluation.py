"""One evaluated run as one JSON file: all that a report needs, so that nothing has to be predicted again."""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from cephalometric.annotations.coco import LabelledImage
from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json, write_json
from cephalometric.geometry import radial_error_mm
from cephalometric.landmarks import LandmarkSet, landmark_set_from
from cephalometric.names import inside
from cephalometric.scores import Scores, score, score_per_landmark

FORMAT = 'cephalometric results 1'


@dataclass(frozen=True)
class Provenance:
    """What was run, for the reader of a report.

    Attributes:
        created: Date and time in ISO form.
        command: The command line.
        config_name: The config file.
        config_text: The whole config, with all that it inherits.
        weights_sha256: The checksum of each checkpoint, by its path.
        annotation_file: The COCO file that the predictions were scored on.
        image_counts: How many images the training, validation and tested files hold, by the file's path.
        versions: Of Python and the libraries.
        device: What predicted.
        training_curves: One mapping an epoch, with the columns of ``curves.csv``; empty when that file is not there.
    """

    created: str
    command: str
    config_name: str
    config_text: str
    weights_sha256: Mapping[str, str]
    annotation_file: str
    image_counts: Mapping[str, int]
    versions: Mapping[str, str]
    device: str
    training_curves: Sequence[Mapping[str, float]] = ()


@dataclass(frozen=True)
class Evaluation:
    """Predictions for N labelled X-rays with K landmarks.

    Attributes:
        landmarks: Names the K landmarks.
        images: The ground truth, N entries.
        points_px: The predictions, shape (N, K, 2) as x, y, in pixels of each image.
        landmark_scores: Shape (N, K), 0 to 1: how sure the model is.
        expected_errors_mm: Shape (N, K): the error that the model's confidence stands for; None without calibration.
        spread_mm: Shape (N, K): how far the models of an ensemble lie from their mean (RMS); None for one model.
        image_folder: The folder that the images' file names are relative to.
        provenance: What was run; None when nobody noted it.
        read_from: The folder of the file that it was read from, which somebody else may have made; None for one that
            was made in this process.
    """

    landmarks: LandmarkSet
    images: tuple[LabelledImage, ...]
    points_px: np.ndarray
    landmark_scores: np.ndarray
    expected_errors_mm: np.ndarray | None = None
    spread_mm: np.ndarray | None = None
    image_folder: Path = field(default_factory=Path)
    provenance: Provenance | None = None
    read_from: Path | None = None

    @cached_property
    def true_px(self) -> np.ndarray:
        """The ground truth, shape (N, K, 2) as x, y, in pixels; NaN where a landmark is not labelled."""
        return np.stack([image.points_px for image in self.images])

    @cached_property
    def spacings_mm(self) -> np.ndarray:
        """Millimetres per pixel, shape (N,)."""
        return np.array([image.spacing_mm for image in self.images])

    @cached_property
    def errors_mm(self) -> np.ndarray:
        """Radial errors, shape (N, K); NaN where there is no ground truth."""
        return radial_error_mm(self.points_px, self.true_px, self.spacings_mm[:, None])

    @cached_property
    def differences_mm(self) -> np.ndarray:
        """Prediction minus ground truth, shape (N, K, 2) as dx to the right and dy downwards; NaN without truth."""
        return (self.points_px - self.true_px) * self.spacings_mm[:, None, None]

    @property
    def visible(self) -> np.ndarray:
        """Shape (N, K): where there is ground truth."""
        return np.isfinite(self.errors_mm)

    def overall(self) -> Scores:
        """The scores over all landmarks of all images."""
        return score(self.errors_mm, self.visible)

    def per_landmark(self) -> list[Scores]:
        """K scores, each over all images."""
        return score_per_landmark(self.errors_mm, self.visible)

    def per_image(self) -> list[Scores]:
        """N scores, each over all landmarks."""
        return self._image_scores

    @cached_property
    def _image_scores(self) -> list[Scores]:
        return score_per_landmark(self.errors_mm.T, self.visible.T)

    def worst_first(self) -> list[int]:
        """The positions of the images, by falling mean radial error; images without ground truth come last."""
        means = [scores.mre_mm for scores in self.per_image()]
        return sorted(range(len(means)), key=lambda n: (np.isnan(means[n]), -np.nan_to_num(means[n])))

    def select(self, positions: Sequence[int]) -> 'Evaluation':
        """The same of some of the images, in the order of ``positions``."""
        chosen = list(positions)
        arrays = {
            name: getattr(self, name)[chosen] for name in ('points_px', 'landmark_scores', *_optional_arrays(self))
        }
        return replace(self, images=tuple(self.images[n] for n in chosen), **arrays)

    @cached_property
    def listed(self) -> frozenset[str]:
        """The images that are listed by the COCO file in their folder which the predictions were scored on.

        By any COCO file there, if it is not known which.
        """
        known = self.provenance and re.split(r'[/\\]', self.provenance.annotation_file)[-1]
        names: set[str] = set()
        for path in [self.image_folder / known] if known else sorted(self.image_folder.glob('*.json')):
            with contextlib.suppress(InputError, AttributeError, KeyError, TypeError):
                names |= {str(image['file_name']) for image in read_json(path)['images']}
        return frozenset(names)


def picture_path(evaluation: Evaluation, image: LabelledImage) -> Path | None:
    """Where the picture of an image lies.

    A file of results names a folder and files in it, which may be anything that its author wants to see in a report:
    only pictures below the file's own folder are meant, or those of a data set which lists them.

    Returns:
        The path, or None if no such picture is meant.
    """
    folder, home = evaluation.image_folder, evaluation.read_from
    if home is None:
        return folder / image.file_name
    # A file may list its images as they are called in the folder beside it in which they lie.
    if image.file_name in evaluation.listed or image.file_name.partition('/')[2] in evaluation.listed:
        return inside(folder, image.file_name, links=True)
    return inside(home, os.path.relpath(folder / image.file_name, home))


def _optional_arrays(evaluation: Evaluation) -> list[str]:
    return [name for name in ('expected_errors_mm', 'spread_mm') if getattr(evaluation, name) is not None]


def join_evaluations(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Several evaluations as one, such as those of the folds of a cross-validation; without provenance.

    Raises:
        InputError: They are not about the same landmarks.
    """
    first = evaluations[0]
    for other in evaluations:
        if other.landmarks.abbreviations != first.landmarks.abbreviations:
            raise InputError(
                f'results of the landmarks of {first.landmarks.name!r} and of {other.landmarks.name!r} cannot be joined'
            )

    def joined(name: str) -> np.ndarray | None:
        parts = [getattr(evaluation, name) for evaluation in evaluations]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return Evaluation(
        first.landmarks,
        tuple(image for evaluation in evaluations for image in evaluation.images),
        joined('points_px'),
        joined('landmark_scores'),
        joined('expected_errors_mm'),
        joined('spread_mm'),
    )


def write_results(path: str | Path, evaluation: Evaluation) -> None:
    """Write an evaluation: landmark set, provenance, and for each image truth, prediction and errors.

    Units are in the names; ``errors_mm`` and ``true_px`` hold null where a landmark is not labelled.

    Raises:
        InputError: The file cannot be written there.
    """
    provenance = evaluation.provenance
    content = {
        'format': FORMAT,
        'landmark_set': asdict(evaluation.landmarks),
        'provenance': None if provenance is None else asdict(provenance),
        'image_folder': str(evaluation.image_folder),
        'images': [_image_entry(evaluation, n) for n in range(len(evaluation.images))],
    }
    write_json(path, content)


def _image_entry(evaluation: Evaluation, n: int) -> dict:
    image = evaluation.images[n]
    return {
        'id': image.id,
        'file_name': image.file_name,
        'width': image.width,
        'height': image.height,
        'original_file': image.original_file,
        'spacing_mm': image.spacing_mm,
        'true_px': [point if np.isfinite(point).all() else None for point in image.points_px.tolist()],
        'points_px': evaluation.points_px[n].tolist(),
        'scores': evaluation.landmark_scores[n].tolist(),
        'errors_mm': [float(error) if np.isfinite(error) else None for error in evaluation.errors_mm[n]],
        **{name: getattr(evaluation, name)[n].tolist() for name in _optional_arrays(evaluation)},
    }


def read_results(path: str | Path) -> Evaluation:
    """Read what :func:`write_results` wrote; the errors are computed anew from truth and prediction.

    Raises:
        InputError: The file is missing, is not JSON, or is not such a file.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise InputError(
            f'{path}: not a results file of this version ("format": "{FORMAT}"): make it anew with '
            'step4_test_and_visualize.py --dump'
        )
    try:
        return replace(_parse(content), read_from=Path(path).parent.absolute())
    except MALFORMED as error:
        raise InputError(
            f'{path}: a damaged results file ({type(error).__name__}: {error}); make it anew with '
            'step4_test_and_visualize.py --dump'
        ) from None


def _parse(content: dict) -> Evaluation:
    landmarks = landmark_set_from(content['landmark_set'])
    entries = content['images']
    if not entries:
        raise ValueError('it holds no images')
    shape = (len(entries), len(landmarks))
    provenance = content['provenance']

    def array(name: str, *last: int) -> np.ndarray:
        return np.array([entry[name] for entry in entries], float).reshape(*shape, *last)

    return Evaluation(
        landmarks=landmarks,
        images=tuple(_labelled_image(entry, len(landmarks)) for entry in entries),
        points_px=array('points_px', 2),
        landmark_scores=array('scores'),
        **{name: array(name) for name in ('expected_errors_mm', 'spread_mm') if name in entries[0]},
        image_folder=Path(content['image_folder']),
        provenance=None if provenance is None else Provenance(**provenance),
    )


def _labelled_image(entry: dict, landmarks: int) -> LabelledImage:
    points_px = [(np.nan, np.nan) if point is None else point for point in entry['true_px']]
    return LabelledImage(
        id=entry['id'],
        file_name=entry['file_name'],
        width=entry['width'],
        height=entry['height'],
        spacing_mm=float(entry['spacing_mm']),
        points_px=np.array(points_px, float).reshape(landmarks, 2),
        original_file=entry['original_file'],
    )
