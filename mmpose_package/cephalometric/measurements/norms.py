"""What is usual, of whom, and who said so: norms and classes, and which norm is meant for a person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cephalometric.measurements.formulas import parse_formula
from cephalometric.measurements.primitives import Formula

ADULT_AGE = 18.0
SEXES = ('female', 'male')
NOT_TRACED = 'not traced: commonly quoted'
CONFIDENCES = (
    'primary source',
    'textbook',
    'several secondary sources that agree',
    'one secondary source',
    NOT_TRACED,
    'not stated',
)
_NORM_KEYS = ('mean', 'sd', 'range', 'growth', 'note')
POPULATION_KEYS = ('name', 'sex', 'ages', 'origin', 'n', 'source', 'confidence')


@dataclass(frozen=True)
class Person:
    """Whom a norm is chosen for.

    Attributes:
        sex: 'female' or 'male'; None where it is not known.
        age: In years; None where it is not known, and then taken for an adult.
    """

    sex: str | None = None
    age: float | None = None

    def __post_init__(self):
        if self.sex is not None and self.sex not in SEXES:
            raise ValueError(f'sex {self.sex!r}: write female or male')
        if self.age is not None and not 0 < self.age < 130:
            raise ValueError(f'age {self.age:g}: give years between 0 and 130')


@dataclass(frozen=True)
class Growth:
    """How a mean changes with age: it holds at one age and changes evenly per year, up to another age."""

    at_age: float
    per_year: float
    until: float

    def change(self, age: float | None) -> float:
        """What to add to the mean at an age; for an adult without one."""
        years = min(self.until if age is None else age, self.until) - self.at_age
        return self.per_year * years


@dataclass(frozen=True)
class Norm:
    """What is usual, in the unit of the measurement.

    Attributes:
        name: The population, such as 'Riedel 1952 adults'; ``--norms`` chooses by it.
        mean: None where the author gives a range alone, or a formula.
        formula: The mean as a function of other measurements (individualised norms); None for most.
        sd: The standard deviation, or the author's clinical deviation; None where there is none.
        range: The lowest and the highest value that the author calls normal; None where there is none.
        sex: 'female', 'male' or 'both'.
        ages: The lowest and the highest age, in years, that it is meant for; each None where the author sets no border.
        origin: Who was measured, in words.
        n: How many; None where it is not known.
        source: Author, journal or book, year; page or table where they were seen.
        confidence: One of ``CONFIDENCES``: how the mean, or the range, was checked for this table; ``note`` says where
            the deviation was not.
        growth: How the mean changes with age; None where it does not.
        note: What to know besides, such as numbers that others give.
    """

    name: str
    mean: float | None
    formula: Formula | None
    sd: float | None
    range: tuple[float, float] | None
    sex: str
    ages: tuple[float | None, float | None]
    origin: str
    n: int | None
    source: str
    confidence: str
    growth: Growth | None = None
    note: str = ''

    @property
    def is_traced(self) -> bool:
        """Whether a source was seen that gives the number; what a user states counts as such."""
        return self.confidence != NOT_TRACED

    @property
    def centre(self) -> float | None:
        """The mean, or the middle of the range; None for a formula."""
        if self.mean is not None or self.range is None:
            return self.mean
        return sum(self.range) / 2

    def is_for(self, person: Person) -> bool:
        """Whether it is meant for a person; without a sex for both sexes alone, without an age for adults."""
        low, high = self.ages
        if person.age is None:
            fits_age = high is None or high >= ADULT_AGE
        else:
            fits_age = (low is None or person.age >= low) and (high is None or person.age < high + 1)
        return fits_age and self.sex in ('both', person.sex)

    def at_age(self, age: float | None) -> 'Norm':
        """The same with the mean of an age, of adults without one."""
        if self.growth is None or self.mean is None:
            return self
        return replace(self, mean=self.mean + self.growth.change(age), growth=None)


@dataclass(frozen=True)
class MeasurementClass:
    """A named range of values: those below one border, or above another, or with neither all that remain."""

    name: str
    below: float | None = None
    above: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return (self.below is None or value < self.below) and (self.above is None or value > self.above)

    @property
    def borders(self) -> tuple[float, ...]:
        """Its borders, none to two."""
        return tuple(border for border in (self.below, self.above) if border is not None)

    @property
    def is_normal(self) -> bool:
        """Whether it is what remains: the normal class."""
        return not self.borders


def choose_norm(norms: Sequence[Norm], person: Person, name: str | None = None) -> Norm | None:
    """The norm for a person, its mean at the person's age.

    Norms of that name come before others. Among those that are meant for the person, a norm of the person's own sex
    comes before one for both, and one with age borders before one without if the age is known; then the order of the
    table counts.

    Returns:
        None where no norm is meant for such a person: none for both sexes, for instance, and the sex is not known.
    """
    named = [norm for norm in norms if name is not None and norm.name.casefold() == name.casefold()]
    fitting = [norm for norm in named or norms if norm.is_for(person)]
    if not fitting:
        return None

    def rank(norm: Norm) -> tuple[bool, bool]:
        return norm.sex == 'both', person.age is not None and norm.ages == (None, None)

    return min(fitting, key=rank).at_age(person.age)


def parse_norm(content: object, populations: Mapping[str, Mapping], known: Mapping[str, Formula]) -> Norm:
    """Read a norm.

    Args:
        content: What stands in the JSON table.
        populations: The populations that its ``population`` may name; a single one need not be named.
        known: The formulas of all measurements, by name, for a mean that is a formula.

    Raises:
        ValueError: It is not a norm; the message says why.
    """
    if not isinstance(content, dict):
        raise ValueError(f'a norm is a JSON object, not {content!r}')
    allowed = ('population', *POPULATION_KEYS, *_NORM_KEYS)
    if unknown := sorted(content.keys() - set(allowed)):
        raise ValueError(f'{unknown[0]!r} is not known in a norm: use {", ".join(allowed)}')
    whose = {**_population(content, populations), **{key: content[key] for key in POPULATION_KEYS if key in content}}
    _check_population(whose)
    mean, sd, limits = content.get('mean'), content.get('sd'), content.get('range')
    formula = None
    if mean is not None and not is_number(mean):
        formula, mean = parse_formula(mean, known), None
    if sd is not None and not (is_number(sd) and sd > 0):
        raise ValueError(f'"sd" of a norm is a positive number or null, not {sd!r}')
    if limits is not None and not (_is_pair(limits) and all(map(is_number, limits)) and limits[0] < limits[1]):
        raise ValueError(f'"range" of a norm is a low and a high number, not {limits!r}')
    if mean is None and formula is None and limits is None:
        raise ValueError('a norm needs a number or a formula "mean", or a "range"')
    if mean is not None and limits is not None and not limits[0] <= mean <= limits[1]:
        raise ValueError(f'the "mean" {mean:g} of a norm lies outside its "range" {limits!r}')
    if content.get('growth') is not None and (mean is None or limits is not None):
        raise ValueError('"growth" moves a number "mean", and no "range"')
    if not isinstance(content.get('note', ''), str):
        raise ValueError(f'"note" of a norm is a text, not {content["note"]!r}')
    return Norm(
        name=whose.get('name', whose['source']),
        mean=None if mean is None else float(mean),
        formula=formula,
        sd=None if sd is None else float(sd),
        range=None if limits is None else (float(limits[0]), float(limits[1])),
        sex=whose.get('sex', 'both'),
        ages=tuple(whose.get('ages') or (None, None)),
        origin=whose.get('origin', ''),
        n=whose.get('n'),
        source=whose['source'],
        confidence=whose.get('confidence', 'not stated'),
        growth=_growth(content.get('growth')),
        note=content.get('note', ''),
    )


def _population(content: Mapping, populations: Mapping[str, Mapping]) -> Mapping:
    name = content.get('population')
    if name is None:
        return next(iter(populations.values())) if len(populations) == 1 and 'source' not in content else {}
    if not isinstance(name, str) or name not in populations:
        raise ValueError(f'there is no population {name!r}: the table has {", ".join(populations) or "none"}')
    return populations[name]


def _check_population(whose: Mapping) -> None:
    if not isinstance(whose.get('source'), str) or not whose['source']:
        raise ValueError('a norm needs a "source", in words')
    for key in ('name', 'origin'):
        if not isinstance(whose.get(key, 'x'), str):
            raise ValueError(f'"{key}" of a norm is a text, not {whose[key]!r}')
    if whose.get('sex', 'both') not in ('both', *SEXES):
        raise ValueError(f'"sex" of a norm is female, male or both, not {whose["sex"]!r}')
    ages = whose.get('ages')
    if ages is not None and not (_is_pair(ages) and all(age is None or is_number(age) for age in ages)):
        raise ValueError(f'"ages" of a norm are a lowest and a highest age, each may be null, not {ages!r}')
    if ages is not None and None not in ages and ages[0] > ages[1]:
        raise ValueError(f'"ages" of a norm start with the lowest, not {ages!r}')
    n = whose.get('n')
    if n is not None and not (isinstance(n, int) and not isinstance(n, bool) and n > 0):
        raise ValueError(f'"n" of a norm is a number of people or null, not {n!r}')
    if whose.get('confidence', CONFIDENCES[0]) not in CONFIDENCES:
        raise ValueError(f'"confidence" is {whose["confidence"]!r}: use one of {", ".join(CONFIDENCES)}')


def _growth(content: object) -> Growth | None:
    if content is None:
        return None
    keys = ('at_age', 'per_year', 'until')
    if not isinstance(content, dict) or content.keys() != set(keys) or not all(map(is_number, content.values())):
        raise ValueError(f'"growth" needs the numbers at_age, per_year and until, not {content!r}')
    return Growth(**content)


def parse_classes(content: object) -> tuple[MeasurementClass, ...]:
    """Read the classes of an author: the last has no border and is the normal one.

    Raises:
        ValueError: They are no classes; the message says why.
    """
    if not isinstance(content, list):
        raise ValueError(f'"classes" must be a list, not {content!r}')
    classes = tuple(map(_class, content))
    if classes and [part.is_normal for part in classes] != [False] * (len(classes) - 1) + [True]:
        raise ValueError('of "classes" the last alone has no border: it is the normal one')
    return classes


def _class(content: object) -> MeasurementClass:
    if (
        not isinstance(content, dict)
        or not isinstance(content.get('name'), str)
        or content.keys() - {'name', 'below', 'above'}
        or not all(is_number(content[key]) for key in content.keys() - {'name'})
    ):
        raise ValueError(f'a class has a "name" and, as numbers, "below" or "above" or neither: {content!r}')
    return MeasurementClass(**content)


def _is_pair(content: object) -> bool:
    return isinstance(content, list) and len(content) == 2


def is_number(content: object) -> bool:
    """Whether JSON content is a finite number."""
    return isinstance(content, int | float) and not isinstance(content, bool) and abs(content) < float('inf')


def norm_names(norms: Iterable[Norm]) -> tuple[str, ...]:
    """The names of norms, each once."""
    return tuple(dict.fromkeys(norm.name for norm in norms))
