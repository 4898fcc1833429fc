"""The public API: a model, an X-ray, and what the model says of it.

``import cephalometric`` gives all names of this module; it is loaded when the first of them is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cephalometric.errors import InputError
from cephalometric.geometry import Orientation
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import (
    AssessedAnalysis,
    Measurement,
    Person,
    analyses_for,
    check_norm_name,
    errors_of_xray,
    flagged_measurements,
    load_analyses,
    load_measurements,
    measure,
    measurements_for,
)
from cephalometric.parallel import map_by_threads, usable_cores
from cephalometric.prediction.model_folder import DEFAULT, find_model_folder
from cephalometric.prediction.trained_model import Answer, TrainedModel
from cephalometric.results.measured_xrays import assess_xray
from cephalometric.results.predictions import PredictedXray, image_entry
from cephalometric.xrays.reading import Xray, as_xray, read_xrays

__all__ = [
    'InputError',
    'Model',
    'Orientation',
    'Result',
    'Xray',
    'load_analyses',
    'load_measurements',
    'load_model',
    'read_xrays',
]

FLAG_MM = 3.0
"""A landmark whose expected error is beyond this is flagged, unless the caller says otherwise."""


@dataclass(frozen=True)
class Result(PredictedXray):
    """What a model says of one X-ray.

    Coordinates are pixels of the X-ray as it lies in its file, x to the right, y down, pixel centres at integers.
    ``expected_error_mm`` and ``flagged`` are None where the model has no calibration.

    Attributes:
        landmark_set: Names the K landmarks, in the order of all arrays.
        image: The X-ray, uint8, shape (H, W), or (H, W, 3) in RGB order; None after :meth:`without_image`.
        The others are those of :class:`~cephalometric.results.predictions.PredictedXray`.
    """

    landmark_set: LandmarkSet = field(kw_only=True, repr=False)
    image: np.ndarray | None = field(kw_only=True, repr=False, compare=False)

    @cached_property
    def landmarks(self) -> Mapping[str, np.ndarray]:
        """By abbreviation, shape (2,) as x, y, in pixels of the file."""
        return MappingProxyType(dict(zip(self.landmark_set.abbreviations, self.points_px, strict=True)))

    @cached_property
    def landmarks_mm(self) -> Mapping[str, np.ndarray] | None:
        """The same in millimetres from the centre of the first pixel; None where the spacing is not known."""
        if self.spacing_mm is None:
            return None
        return MappingProxyType({name: point * self.spacing_mm for name, point in self.landmarks.items()})

    def without_image(self) -> 'Result':
        """The same without the pixels, so that many results take little memory; it cannot be drawn."""
        return replace(self, image=None)

    def draw(self, path: str | Path) -> Path:
        """Draw the landmarks on the X-ray, doubts and flags so that nobody overlooks them.

        Args:
            path: A file that ends in .jpg, .jpeg or .png; replaced whole.

        Raises:
            InputError: It ends otherwise, or cannot be written.
        """
        # Not above: drawing is not needed to predict.
        from cephalometric.reporting.drawing import draw_prediction, save_picture
        from cephalometric.reporting.marks import to_bgr

        save_picture(draw_prediction(to_bgr(self.image), self.landmark_set, self), Path(path))
        return Path(path)

    def analysis(
        self,
        name: str = 'steiner',
        *,
        sex: str | None = None,
        age: float | None = None,
        norms: str | None = None,
        measurements: str | Path | None = None,
    ) -> AssessedAnalysis:
        """The measurements of an analysis with their norms, deviations and classes, in its groups and order.

        Args:
            name: Such as 'steiner'; ``load_analyses()`` has all.
            sex: 'female' or 'male'; without it, norms for both sexes alone are used.
            age: In years; without it, norms for adults are used.
            norms: The name of a population whose norms come before others.
            measurements: A JSON table with analyses, measurements and norms of one's own.

        Raises:
            InputError: There is no such analysis or no norm of that name, the landmarks do not allow the analysis, or
                sex or age are impossible.
        """
        analyses = load_analyses(measurements)
        check_norm_name(analyses, norms)
        possible = analyses_for(self.landmark_set, analyses)
        if name not in possible:
            raise InputError(f'analysis {name!r}: the landmarks allow {", ".join(possible) or "none"}')
        try:
            person = Person(sex, age)
        except ValueError as error:
            raise InputError(str(error)) from None
        return assess_xray(self, self.landmark_set, possible[name], person, norms)

    def page(
        self,
        path: str | Path,
        analysis: str = 'steiner',
        *,
        sex: str | None = None,
        age: float | None = None,
        norms: str | None = None,
        measurements: str | Path | None = None,
        paper: str = 'A4',
    ) -> Path:
        """Write a page: the tracing of an analysis, and a table of its values against the norms.

        Args:
            path: Ends in .pdf or .png; replaced whole.
            analysis, sex, age, norms, measurements: As for :meth:`analysis`.
            paper: 'A4' or 'Letter'.

        Raises:
            InputError: As for :meth:`analysis`; or the page cannot be written.
        """
        # Not above: drawing is not needed to predict.
        from cephalometric.reporting.tracing_page import PageFacts, write_tracing_page

        facts = PageFacts('found by a model', date.today(), Person(sex, age), paper)
        assessed = self.analysis(analysis, sex=sex, age=age, norms=norms, measurements=measurements)
        write_tracing_page(path, (self, self.image, assessed), self.landmark_set, facts)
        return Path(path)

    def to_json(self) -> dict:
        """The result of plain types, as the entry of an image in ``predictions.json``."""
        return image_entry(self, self.landmark_set)


class Model(TrainedModel):
    """A trained model, or an ensemble; :func:`load_model` opens it.

    Attributes:
        landmarks: The landmark set.
        calibration: None where there is none; expected errors are then not known.
        measurements: What is measured; the measurements of the package that the landmarks allow.
    """

    @cached_property
    def measurements(self) -> tuple[Measurement, ...]:
        return tuple(measurements_for(self.landmarks))

    def predict(
        self,
        xray: str | Path | np.ndarray | Xray,
        spacing_mm: float | None = None,
        *,
        upright: bool = False,
        flag_mm: float = FLAG_MM,
    ) -> Result:
        """Find the landmarks of one X-ray.

        Args:
            xray: A file with one X-ray; an array, uint8, shape (H, W), or (H, W, 3) in RGB order; or what
                :func:`read_xrays` yields.
            spacing_mm: Millimetres per pixel; used before what the file says.
            upright: Trust that it is not mirrored, turned or inverted.
            flag_mm: Landmarks whose expected error is beyond this are flagged.

        Raises:
            InputError: The file cannot be read or holds several X-rays, the spacing is impossible, or the weights of
                the model are damaged.
            TypeError: The array has another shape or type.
        """
        return self.predict_batch([as_xray(xray, spacing_mm)], upright=upright, flag_mm=flag_mm)[0]

    def predict_batch(
        self, xrays: Iterable[np.ndarray | Xray], *, upright: bool = False, flag_mm: float = FLAG_MM
    ) -> list[Result]:
        """Find the landmarks of several X-rays in one pass of the networks; see :meth:`predict`."""
        if not flag_mm > 0:
            raise InputError(f'flag_mm {flag_mm:g}: give a number of millimetres above 0')
        xrays = [as_xray(xray, None) for xray in xrays]
        images, spacings_mm = [xray.image for xray in xrays], [xray.spacing_mm for xray in xrays]
        answers = self.answers(images, spacings_mm, upright)
        return [self._result(xray, answer, flag_mm) for xray, answer in zip(xrays, answers, strict=True)]

    def predict_many(
        self,
        xrays: Iterable[str | Path | np.ndarray | Xray],
        *,
        workers: int | None = None,
        upright: bool = False,
        flag_mm: float = FLAG_MM,
    ) -> Iterator[Result]:
        """Yield what :meth:`predict` says of any number of X-rays, in their order, with a few of them in memory.

        Args:
            xrays, upright, flag_mm: As for :meth:`predict`; errors, too.
            workers: How many at once; by default as many as there are cores.
        """
        work = partial(self.predict, upright=upright, flag_mm=flag_mm)
        return map_by_threads(work, xrays, workers or usable_cores())

    def _result(self, xray: Xray, answer: Answer, flag_mm: float) -> Result:
        flagged = None if answer.expected_error_mm is None else answer.expected_error_mm > flag_mm
        if answer.doubts:
            flagged = np.ones(len(self.landmarks), bool)
        return Result(
            name=xray.name,
            file=str(xray.path),
            slice=xray.slice,
            width=xray.image.shape[1],
            height=xray.image.shape[0],
            spacing_mm=xray.spacing_mm,
            orientation=answer.orientation,
            points_px=answer.points_px,
            scores=answer.scores,
            expected_error_mm=answer.expected_error_mm,
            flagged=flagged,
            warnings=(*answer.doubts, *xray.warnings, *answer.remarks),
            doubtful=bool(answer.doubts),
            measurements=measure(answer.points_px, self.landmarks, xray.spacing_mm, self.measurements),
            measurement_errors=errors_of_xray(
                answer.points_px, answer.expected_error_mm, self.landmarks, xray.spacing_mm, self.measurements
            ),
            flagged_measurements=flagged_measurements(self.measurements, self.landmarks, flagged),
            landmark_set=self.landmarks,
            image=xray.image,
        )

    def about(self) -> dict:
        """What predicts, of plain types, for files of results."""
        # Not above: it reads the metadata of the installation.
        from cephalometric import __version__

        return {
            'names': [folder.name if folder.name != 'model' else folder.parent.name for folder in self.folders],
            'weights_ids': list(self.weights_ids),
            'cephalometric': __version__,
        }


def load_model(
    *models: str | Path,
    calibration: str | Path | bool | None = None,
    backend: str = 'auto',
    device: str = 'cpu',
    threads: int | None = None,
) -> Model:
    """Open a trained model.

    Args:
        *models: Each the name of a model that ships, a model folder, or the work dir of a training. Several are an
            ensemble: a landmark is where they find it in the mean. None is the model that ships.
        calibration: A file of ``cephalometric calibrate``; by default the one in the folder of a single model. False
            goes without.
        backend: ``'onnxruntime'``, ``'torch'``, or ``'auto'``: PyTorch for a GPU and for networks that have no ONNX
            graph, otherwise ONNX Runtime.
        device: ``'cpu'``, or such as ``'cuda:0'``.
        threads: Of each network on a CPU; by default one for each core. For :meth:`Model.predict_many` take 1.

    Raises:
        InputError: A folder is missing, damaged, incomplete or newer than this package; the models have other
            landmarks; the calibration is of other models; or what computes is not installed.
    """
    folders = [find_model_folder(name) for name in models or (DEFAULT,)]
    return Model(folders, calibration, backend, device, threads=threads)
