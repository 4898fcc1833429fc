"""From a stack in the challenge's form to its result file."""

import itertools
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from cephalometric.annotations.challenge_json import write_result
from cephalometric.prediction.trained_model import Answer, TrainedModel
from cephalometric.xrays.mha import Stack, open_stack


def write_stack_prediction(
    model: TrainedModel, stack_path: str | Path, result_path: str | Path, with_scores: bool = False
) -> int:
    """Predict a stack, with one slice in memory at a time, and write the challenge's JSON, whole or not at all.

    Args:
        model: The model, or an ensemble.
        stack_path: A stack, .mha or .mhd.
        result_path: The file to write.
        with_scores: Write the score of each landmark as its probability.

    Returns:
        How many slices there are.

    Raises:
        InputError: The stack is not readable, or the file cannot be written.
    """
    stack = open_stack(stack_path)
    for_points, for_scores = itertools.tee(answer_stack(model, stack))
    scores = (answer.scores for answer in for_scores) if with_scores else None
    write_result(result_path, (answer.points_px for answer in for_points), scores)
    return len(stack)


def answer_stack(model: TrainedModel, stack: Stack) -> Iterator[Answer]:
    """Predict slice by slice, with a progress bar.

    A slice never costs the others: a blank one is answered with the image centre for every landmark. What a user should
    know about a slice is a warning.

    Yields:
        One answer a slice, in the order of the stack.
    """
    # On stdout, because the challenge's platform shows whatever is on stderr as a warning.
    progress = tqdm(stack, desc='Predicting', unit='slice', file=sys.stdout, **_style(sys.stdout.isatty()))
    for number, image in enumerate(progress, start=1):
        (answer,) = model.answers([image], [None])
        for sentence in (*answer.remarks, *answer.doubts):
            warnings.warn(f'{stack.path}: slice {number}: {sentence}', stacklevel=2)
        yield answer


def _style(terminal: bool) -> dict:
    """In a log, a bar that redraws its line would show nothing until the end: a line now and then does."""
    line = '{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}]\n'
    return {} if terminal else {'mininterval': 10, 'bar_format': line}
