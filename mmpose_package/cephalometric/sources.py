"""Where X-rays with annotations come from.

Preparation sees one thing, whatever the files are: X-rays in an order, and what is annotated in each. A source checks
its files when it is opened, and gives the pixels one X-ray at a time.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from cephalometric.checks import Problems
from cephalometric.formats.annotations import Annotation, Place
from cephalometric.formats.challenge_json import read_annotations
from cephalometric.formats.mha import open_stack
from cephalometric.landmarks import LandmarkSet


@dataclass(frozen=True)
class Entry:
    """One X-ray of a source.

    Attributes:
        place: How reports call it: its slice's number from 1, or its file's name.
        annotation: What is annotated in it; None if nothing is.
        original_file: The name of its file; None for a slice of a stack.
    """

    place: Place
    annotation: Annotation | None
    original_file: str | None = None


@dataclass(frozen=True)
class Reading:
    """The pixels of one X-ray.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order; None if it cannot be read.
        spacing_mm: Millimetres per pixel; NaN if unknown.
        problems: What is wrong with it, and what else is worth a remark.
    """

    image: np.ndarray | None
    spacing_mm: float
    problems: Problems


@dataclass(frozen=True)
class LabelledXrays:
    """An opened source.

    Attributes:
        entries: Its X-rays, in order.
        read: Gives the pixels of each entry, one in memory at a time. An ``InputError`` ends it where the file of all
            X-rays is damaged.
        noun: What one X-ray is called in reports.
        padded: Whether zeros at the right and at the bottom are padding.
    """

    entries: Sequence[Entry]
    read: Callable[[], Iterator[Reading]]
    noun: str
    padded: bool


class Source(Protocol):
    """Files with X-rays and their annotations. As a text: what a report calls them."""

    def open(self, landmark_set: LandmarkSet, problems: Problems) -> LabelledXrays | None:
        """Check the files and list their X-rays; None if they cannot be used at all, which is among the problems."""


@dataclass(frozen=True)
class ChallengeSource:
    """A stack and its annotation file in the form of CL-Detection 2023."""

    stack_path: str | Path
    annotation_path: str | Path

    def __str__(self) -> str:
        return f'{self.annotation_path} and {self.stack_path}'

    def open(self, landmark_set: LandmarkSet, problems: Problems) -> LabelledXrays | None:
        """See :class:`Source`."""
        stack = problems.attempt(open_stack, self.stack_path)
        annotations = problems.attempt(read_annotations, self.annotation_path, landmark_set, problems)
        if stack is None or annotations is None:
            return None
        numbers = range(1, len(stack) + 1)
        for number in sorted(set(annotations) - set(numbers)):
            problems.add(f'annotations for slices that do not exist (the stack has {len(stack)})', number)
        entries = [Entry(number, annotations.get(number)) for number in numbers]

        def read() -> Iterator[Reading]:
            # The stack comes first: its iterator is then taken to its end, where it checks that its data end well.
            for image, entry in zip(stack, entries, strict=True):
                yield Reading(image, entry.annotation.spacing_mm if entry.annotation else math.nan, Problems())

        return LabelledXrays(entries, read, noun='slice', padded=True)
