"""From a stack to the landmarks of each of its slices."""

import sys
import warnings
from collections.abc import Iterator

from tqdm import tqdm

from cephalometric.prediction.predictor import CephalometricPredictor, Prediction
from cephalometric.xrays.mha import Stack


def predict_stack(predictor: CephalometricPredictor, stack: Stack) -> Iterator[Prediction]:
    """Predict slice by slice, with one slice in memory at a time and a progress bar.

    A blank slice never costs the others: it is answered with the image centre for every landmark, and a warning.

    Yields:
        One prediction a slice, in the order of the stack.
    """
    # On stdout, because the challenge's platform shows whatever is on stderr as a warning.
    progress = tqdm(stack, desc='Predicting', unit='slice', file=sys.stdout, **_style(sys.stdout.isatty()))
    for number, image in enumerate(progress, start=1):
        prediction = predictor.predict(image)
        if prediction.blank:
            warnings.warn(f'{stack.path}: slice {number} is blank: its landmarks are put at its centre', stacklevel=2)
        yield prediction


def _style(terminal: bool) -> dict:
    """In a log, a bar that redraws its line would show nothing until the end: a line now and then does."""
    line = '{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}]\n'
    return {} if terminal else {'mininterval': 10, 'bar_format': line}
