"""``merge``: the parts of a prediction, made on several machines, as the results of one run."""

import argparse
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cephalometric.api import load_measurements
from cephalometric.commands import example
from cephalometric.commands.film_run import picture_of
from cephalometric.errors import InputError, in_words
from cephalometric.files import read_json
from cephalometric.measurements import measurements_for
from cephalometric.output_folder import RECORD, OutputFolder, output_folder
from cephalometric.reporting.result_files import OUTPUTS, PREDICTIONS, ResultFiles
from cephalometric.results.predictions import Predictions, entry_text, image_entry
from cephalometric.results.stored_xrays import StoredXrays, read_predictions

DESCRIPTION = """Join the results of parts, as "predict --shard" makes them, into those of one run: the same files as if
nobody had divided it. Results of other inputs are joined, too, if one model made them with the same flags and no X-ray
is in two of them. The parts stay as they are; drawings are linked where the file system can, and otherwise copied. For
research; not a medical device."""
EXAMPLE = """
  cephalometric predict archive --recursive --shard 1/2 --out part1
  cephalometric predict archive --recursive --shard 2/2 --out part2
  cephalometric merge part1 part2 --out results
"""
INPUTS = ('inputs', 'files', 'shard')
"""What parts may differ in; all else must be the same."""


@dataclass(frozen=True)
class Part:
    """The results of a part.

    Attributes:
        folder: Where they are.
        found: What they are.
    """

    folder: Path
    found: Predictions

    @property
    def shard(self) -> tuple[int, int] | None:
        """Which part it is, from 1, and of how many; None for a whole run."""
        said = self.found.run.get('shard')
        return (int(said[0]), int(said[1])) if said else None

    def texts(self) -> Iterator[str]:
        """The entries of its X-rays."""
        xrays = self.found.xrays
        if isinstance(xrays, StoredXrays):
            return xrays.texts()
        return (entry_text(image_entry(xray, self.found.landmarks)) for xray in xrays)


def add_merge_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'merge', help='join the parts of a prediction', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('parts', nargs='+', metavar='PART', help='a folder of results')
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in OUT')
    parser.add_argument(
        '--incomplete', action='store_true', help='join what is there, also if parts are missing or not complete'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Join and write; the exit status is 1 when a file could not be read."""
    parts = in_order([Part(Path(name), read_predictions(Path(name) / PREDICTIONS)) for name in args.parts])
    facts, missing = joined_facts(parts)
    lacking = [f'part {missing_words(missing)} is missing'] if missing else []
    lacking += [
        f'{part.folder} is not complete: "predict --resume" goes on' for part in parts if not part.found.complete
    ]
    if lacking and not args.incomplete:
        raise InputError(f'{"; ".join(lacking)}; --incomplete joins what is there')
    check_no_xray_twice(parts)
    with output_folder(args.out, OUTPUTS, args.overwrite) as output:
        return join(parts, facts, output, complete=not lacking)


def join(parts: Sequence[Part], facts: dict, output: OutputFolder, complete: bool) -> int:
    """Write the results of all parts as those of one run."""
    first = parts[0].found
    measurements = measurements_for(first.landmarks, load_measurements())
    page = not facts.get('--no-page')
    results = ResultFiles(output.stage, first.landmarks, measurements, first.model, facts, page)
    failed = {}
    for part in parts:
        for text in part.texts():
            results.add(text)
        failed |= part.found.failed
        _take_overlays(part.folder, output)
    results.finish(failed, complete, picture_of)
    output.publish(last=PREDICTIONS, complete=complete)
    print(f'{results.summary()}: {output.folder}')
    if failed:
        print(f'{len(failed)} files could not be read: see {PREDICTIONS}')
    return 1 if failed else 0


def in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts of one run by their numbers; others as they were given.

    Raises:
        InputError: They are of different models or options, of different divisions, or one is there twice.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.found.landmarks != first.found.landmarks:
            raise InputError(f'{part.folder} has other landmarks than {first.folder}: join results of one model')
        for kind in ('model', 'run'):
            ours, theirs = getattr(first.found, kind), getattr(part.found, kind)
            names = [name for name in {**ours, **theirs} if name not in INPUTS and ours.get(name) != theirs.get(name)]
            if names:
                raise InputError(
                    f'{part.folder} was made with another {", ".join(names)} than {first.folder}: join results of one '
                    'model and the same flags'
                )
    divided = [part for part in parts if part.shard]
    if not divided:
        return list(parts)
    for part in parts:
        if part.shard is None or part.shard[1] != divided[0].shard[1] or _inputs(part) != _inputs(divided[0]):
            raise InputError(
                f'{part.folder} is no part of the same division and inputs as {divided[0].folder}: predict all parts '
                'of the same files with the same number of parts'
            )
    ordered = sorted(parts, key=lambda part: part.shard)
    for one, other in itertools.pairwise(ordered):
        if one.shard == other.shard:
            raise InputError(f'{one.folder} and {other.folder} are both part {one.shard[0]}: name each part once')
    return ordered


def _inputs(part: Part) -> tuple:
    return part.found.run.get('inputs'), part.found.run.get('files')


def joined_facts(parts: Sequence[Part]) -> tuple[dict, list[str]]:
    """What was asked for, as the results of one run say it, and the parts that are missing, such as ``3/16``."""
    facts = dict(parts[0].found.run)
    if parts[0].shard is None:
        if len(parts) > 1:
            facts |= {'inputs': None, 'files': sum(part.found.run.get('files') or 0 for part in parts)}
        return facts, []
    count = parts[0].shard[1]
    there = {part.shard[0] for part in parts}
    return facts | {'shard': None}, [f'{n}/{count}' for n in range(1, count + 1) if n not in there]


def missing_words(missing: Sequence[str]) -> str:
    """The missing parts, in words."""
    return in_words(missing) if len(missing) <= 10 else f'{", ".join(missing[:10])} and {len(missing) - 10} more'


def check_no_xray_twice(parts: Sequence[Part]) -> None:
    """Raise an ``InputError`` if two X-rays are the same, or have the same name."""
    seen: dict[int, int] = {}  # Checksums, because there may be very many.
    for number, part in enumerate(parts):
        for xray in part.found.xrays:
            for key in (f'name {xray.name.casefold()}', f'file {xray.file} {xray.slice}'):
                digest = hashlib.blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=8).digest()
                earlier = seen.setdefault(int.from_bytes(digest, 'big'), number)
                if earlier != number:
                    raise InputError(
                        f'{xray.name} ({xray.file}) is in {parts[earlier].folder} and in {part.folder}: join results '
                        'of different X-rays with different names, such as the parts of one run'
                    )


def _take_overlays(folder: Path, output: OutputFolder) -> None:
    """Link or copy the drawings that a part has made, with what its record knows of them."""
    if not (folder / 'overlays').is_dir():
        return
    record = read_json(folder / RECORD) if (folder / RECORD).is_file() else {}
    files = record.get('files', {}) if isinstance(record, dict) else {}
    (output.stage / 'overlays').mkdir(exist_ok=True)
    for name, checksum in files.items():
        source = folder / name
        if Path(name).parent.as_posix() != 'overlays' or not source.is_file():
            continue
        target = output.stage / 'overlays' / source.name
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        output.checksums[name] = checksum
