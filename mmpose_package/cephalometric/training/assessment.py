"""The end of a training: its model folder, how good it is on labelled X-rays, its calibration, and a report."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier, collect_results, get_rank, get_world_size, is_main_process

from cephalometric.annotations.coco import LabelledImages, load_coco, read_image
from cephalometric.api import Model
from cephalometric.prediction.calibration import calibrate, save_calibration
from cephalometric.prediction.data_sets import answer_labelled, evaluation_of, provenance_of
from cephalometric.prediction.model_folder import CALIBRATION
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.reporting.report_page import report_evaluation
from cephalometric.reporting.training_curves import read_curves
from cephalometric.results.evaluation import Evaluation
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.dataset_parts import labelled_images
from cephalometric.training.model_writing import amend_description, write_model
from cephalometric.training.run import choose_device


def assess(model: TrainedModel, labelled: str | Path | LabelledImages, device: str = 'cpu') -> Evaluation | None:
    """Predict the images of a COCO file and note what was run.

    Args:
        model: The model, or an ensemble.
        labelled: The COCO file, or what it holds.
        device: What predicts, for the report.

    Returns:
        The evaluation, in the order of the file; None in all processes but the first of a distributed run.

    Raises:
        InputError: As :func:`cephalometric.prediction.data_sets.evaluate`.
    """
    labelled = labelled if isinstance(labelled, LabelledImages) else load_coco(labelled, model.landmarks)
    share = answer_labelled(model, labelled, get_rank(), get_world_size())
    answers = collect_results(share, len(labelled), device='cpu')
    barrier()
    if answers is None:
        return None
    evaluation = evaluation_of(model, labelled, answers)
    return replace(
        evaluation,
        provenance=provenance_of(model, labelled, device, read_curves(model.folders[0].parent / 'curves.csv')),
    )


CHECKED = 3  # X-rays on which the ONNX graphs are compared with PyTorch.


def finish(config: Config, weights: Path) -> Iterator[str]:
    """Make the folder ``model/`` beside the best weights and, where there are validation images, judge it by them.

    Args:
        config: As it was trained.
        weights: The best weights.

    Yields:
        A line about each thing that was made; in a distributed run, in its first process alone.

    Raises:
        InputError: The folder cannot be written, or an image cannot be read.
    """
    folder, parts = weights.parent / 'model', _parts(config)
    if is_main_process():
        labelled = parts['train']
        description = write_model(
            config,
            load_from_checked_file(str(weights), map_location='cpu'),
            folder,
            name=str(weights),
            provenance={'images': {part: len(each) for part, each in parts.items()}},
            check_on=[read_image(labelled, image) for image in labelled.images[:CHECKED]],
        )
        yield f'Model:        {folder}'
        if not description.networks:
            yield f'              its networks run by PyTorch alone: {description.why_no_networks}'
    barrier()
    if 'validation' not in parts:
        return
    device = choose_device()
    evaluation = assess(Model([folder], backend='torch', device=device), parts['validation'], device)
    if evaluation is None:  # The other processes of a distributed run have done their share.
        return
    save_calibration(calibrate(evaluation), folder / CALIBRATION, [description.weights_id])
    amend_description(folder, {'scores': evaluation.overall().as_metrics()})
    yield f'Calibration:  {folder / CALIBRATION}'
    yield f'Report:       {report_evaluation(evaluation, weights.parent / "report_valid")}'


def _parts(config: Config) -> dict[str, LabelledImages]:
    found = {part: labelled_images(config, loader) for part, loader in (('train', 'train'), ('validation', 'val'))}
    return {part: labelled for part, labelled in found.items() if labelled is not None}
