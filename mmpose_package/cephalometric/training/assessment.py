"""A model against labelled X-rays, in one process or several, with all that a report has to know about the run."""

import json
import shlex
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mmengine.dist import barrier, collect_results, get_rank, get_world_size

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.installation import versions
from cephalometric.prediction.evaluating import answer_labelled, evaluation_of
from cephalometric.prediction.model_folder import CONFIG
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.reporting.training_curves import read_curves
from cephalometric.results.evaluation import Evaluation, Provenance


def assess(model: TrainedModel, annotation_file: str | Path, device: str = 'cpu') -> Evaluation | None:
    """Predict the images of a COCO file and note what was run.

    Args:
        model: The model, or an ensemble.
        annotation_file: The COCO file.
        device: What predicts, for the report.

    Returns:
        The evaluation, in the order of the file; None in all processes but the first of a distributed run.

    Raises:
        InputError: As :func:`cephalometric.prediction.evaluating.evaluate`.
    """
    labelled = load_coco(annotation_file)
    share = answer_labelled(model, labelled, get_rank(), get_world_size())
    answers = collect_results(share, len(labelled), device='cpu')
    barrier()
    if answers is None:
        return None
    evaluation = evaluation_of(model, labelled, answers)
    return replace(evaluation, provenance=_provenance(model, labelled, device))


def _provenance(model: TrainedModel, labelled: LabelledImages, device: str) -> Provenance:
    first = model.descriptions[0].provenance
    counts = {**first.get('images', {}), str(labelled.path): len(labelled)}
    return Provenance(
        created=datetime.now().astimezone().isoformat(timespec='seconds'),
        command=shlex.join(['python', *sys.argv]),
        config_name=str(first.get('recipe', model.folders[0].name)),
        config_text=_config_text(model.folders[0]),
        weights_sha256=dict(zip(model.names, model.weights_ids, strict=True)),
        annotation_file=str(labelled.path),
        image_counts=counts,
        versions={name: version for name, version in versions() if version != 'not installed'},
        device=device,
        # Those of the first member, where its folder lies in its work dir.
        training_curves=read_curves(model.folders[0].parent / 'curves.csv'),
    )


def _config_text(folder: Path) -> str:
    return json.dumps(json.loads((folder / CONFIG).read_text(encoding='utf-8')), indent=1)
