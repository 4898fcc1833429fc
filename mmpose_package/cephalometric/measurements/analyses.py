"""Analyses: which measurements an author takes, in which order and groups, with the author's own norms and classes.

The same measurement stands in several analyses, each time with other norms.
"""

from dataclasses import dataclass, replace

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.norms import MeasurementClass, Norm, Person, choose_norm

ANYBODY = Person()
WITHIN_RANGE = "within the norm's range"
WITHIN_SD = 'within one standard deviation of the norm'


@dataclass(frozen=True)
class AnalysisEntry:
    """A measurement in an analysis.

    Attributes:
        measurement: What is measured.
        norms: What the author calls usual, of whom; perhaps several, perhaps none.
        classes: The classes that the author names; the first that holds counts, and the last, without a border, is the
            normal one. Empty where the author names none: then the norm's range or standard deviation is the border.
        classes_source: Who named them; empty without classes.
    """

    measurement: Measurement
    norms: tuple[Norm, ...] = ()
    classes: tuple[MeasurementClass, ...] = ()
    classes_source: str = ''

    @property
    def name(self) -> str:
        """The name of the measurement."""
        return self.measurement.name

    def norm_for(self, person: Person = ANYBODY, name: str | None = None) -> Norm | None:
        """The norm for a person; see :func:`~cephalometric.measurements.norms.choose_norm`."""
        return choose_norm(self.norms, person, name)

    def classes_at(self, norm: Norm | None) -> tuple[tuple[MeasurementClass, ...], bool, str]:
        """The classes when a norm is used.

        Returns:
            The classes; whether their borders are for the value minus the norm's mean, and not for the value; and who
            set them. No classes where neither the author nor the norm has borders.
        """
        if self.classes:
            return self.classes, False, self.classes_source
        low, normal, high = self.measurement.words
        if norm is None or (norm.range is None and norm.sd is None):
            return (), False, ''
        if norm.range is not None:
            below, above, relative = *norm.range, False
        else:
            below, above, relative = -norm.sd, norm.sd, True
        classes = MeasurementClass(low, below=below), MeasurementClass(high, above=above), MeasurementClass(normal)
        return classes, relative, WITHIN_SD if relative else WITHIN_RANGE


@dataclass(frozen=True)
class Group:
    """Measurements that stand together in an analysis, under a title."""

    title: str
    entries: tuple[AnalysisEntry, ...]


@dataclass(frozen=True)
class Analysis:
    """An author's analysis.

    Attributes:
        name: What files and ``--analysis`` call it, unique.
        title: What people call it.
        source: Where it was published.
        note: What to know of it.
        groups: Its measurements, in the author's order.
    """

    name: str
    title: str
    source: str
    note: str
    groups: tuple[Group, ...]

    @property
    def entries(self) -> tuple[AnalysisEntry, ...]:
        """Its measurements with their norms and classes, in order."""
        return tuple(entry for group in self.groups for entry in group.entries)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Its measurements, in order."""
        return tuple(entry.measurement for entry in self.entries)

    def available(self, landmark_set: LandmarkSet) -> 'Analysis':
        """What of it a landmark set can measure; groups that would be empty are left out."""
        groups = [
            replace(group, entries=tuple(e for e in group.entries if not e.measurement.missing_landmarks(landmark_set)))
            for group in self.groups
        ]
        return replace(self, groups=tuple(group for group in groups if group.entries))
