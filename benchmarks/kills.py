"""What is left when a program is killed at any moment or the disk is full, and does a second run complete?

Each program works on a tiny synthetic data set, in a folder in which a file of the user's and the results of an earlier
run lie. It is killed by SIGKILL or SIGTERM at a random moment, or its disk (a small tmpfs, which needs root) is full
at a random size. Then

- no file of the user's is changed or gone, inside the folder or beside it;
- no file is half written: JSON parses, tables end in a full line, pictures decode, weights and graphs open, and what a
  record names is there. Files whose name begins with a dot are a program's own and may be in any state;
- a full disk is said in one line, without a traceback;
- a second run succeeds, and its files are those of a run that nothing disturbed: the same names and, where two such
  runs agree to the byte, the same bytes. Nothing that begins with a dot is left but a lock and the record of what was
  made.

Printed is a table; the exit status is 1 if anything was found. All programs run in forks of this process, which has
loaded PyTorch and MMPose once and never computed with them.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import random
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = """example:
  python benchmarks/kills.py --count 200 --programs predict measure
"""
USERS_FILE, USERS_TEXT = 'precious.txt', 'not to be touched\n'
# What a program keeps for the next run: its lock, and the record of what it has made.
KEPT = ('.cephalometric.lock', '.cephalometric.json')
# What is written line by line while a training runs, and the pictures of its curves.
LOGS = ('vis_data',)


@dataclass(frozen=True)
class Program:
    """A program that is run in a folder.

    Attributes:
        name: What the table calls it.
        arguments: Its command line, from the folder ``given`` (inputs, read alone) and the folder ``out``.
        again: What a second run is given besides.
        earlier: Whether the results of an earlier run lie in the folder at the start.
        in_a_row: How often it is stopped, each time going on, before a run may complete; more than once for what takes
            long.
    """

    name: str
    arguments: Callable[[Path, Path], list[object]]
    again: tuple[str, ...] = ()
    earlier: bool = True
    in_a_row: int = 1


def script(name: str) -> str:
    return str(ROOT / name)


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            'step 2',
            lambda given, out: [
                script('step2_prepare_coco_dataset.py'),
                *('--mha_file_path', given / 'stack' / 'train_stack.mha'),
                *('--train_gt_path', given / 'stack' / 'train-gt.json'),
                *('--image_save_dir', out / 'images', '--overwrite'),
            ],
        ),
        Program(
            'step 3',
            lambda given, out: [
                script('step3_train_and_evaluation.py'),
                *(given / 'recipe.py', '--data-root', given / 'data', '--work-dir', out, '--seed', 1),
            ],
            again=('--resume',),
            earlier=False,
            in_a_row=8,
        ),
        Program(
            'step 4',
            lambda given, out: [
                script('step4_test_and_visualize.py'),
                *('--model', given / 'run', '--data-root', given / 'data', '--report', out / 'report'),
                *('--show-dir', out / 'pictures', '--out', out / 'scores.json', '--dump', out / 'dump.json'),
            ],
            in_a_row=4,
        ),
        Program(
            'step 5',
            lambda given, out: [
                script('step5_predict_expected_output.py'),
                *('--model', given / 'run', '--load_mha_path', given / 'stack' / 'train_stack.mha'),
                *('--save_json_path', out / 'expected_output.json'),
            ],
        ),
        Program(
            'predict',
            lambda given, out: [
                *('cephalometric', 'predict', given / 'data' / 'images' / '1.png', given / 'data' / 'images' / '2.png'),
                *('--model', given / 'run', '--out', out, '--overwrite'),
            ],
        ),
        Program(
            'measure',
            lambda given, out: [
                *('cephalometric', 'measure', given / 'predicted' / 'predictions.json', '--out', out, '--overwrite'),
                *('--analysis', 'steiner'),
            ],
        ),
        Program(
            'export',
            lambda given, out: [
                *('cephalometric', 'export', given / 'run' / 'best_model_weight.pth', '--out', out / 'model'),
                *('--check', given / 'data' / 'images' / '1.png'),
            ],
            earlier=False,
        ),
        Program(
            'container',
            lambda given, out: [
                script('step6_docker_and_upload/process.py'),
                *('--model', given / 'run' / 'model', '--input', given / 'stack'),
                *('--output', out / 'orthodontic-landmarks.json'),
            ],
        ),
    )
}


def main() -> int:
    args = parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Also in the background: what was seen is printed.
    load_everything()
    unknown = [name for name in args.programs if name not in PROGRAMS]
    if unknown:
        sys.exit(f'error: --programs {unknown[0]}: there are {", ".join(PROGRAMS)}')
    chance = random.Random(args.seed)
    found = 0
    print('| program | seconds | SIGKILL | SIGTERM | full disk | ended before | faults |')
    print('|---|---:|---:|---:|---:|---:|---:|')
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        given = Path(name) / 'given'
        prepare_inputs(given)
        unchanged = checksums(given)
        for program in map(PROGRAMS.get, args.programs):
            trial = Trials(program, given, Path(name) / 'trial', chance)
            interrupted = False
            try:
                trial.run(args.count)
            except KeyboardInterrupt:
                interrupted = True
            if checksums(given) != unchanged:
                trial.fault('inputs were changed')
            print(trial.row(), flush=True)
            found += len(trial.faults)
            for fault in trial.faults[:10]:
                print(f'  {fault}', file=sys.stderr, flush=True)
            if interrupted:
                break
    return 1 if found else 0


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--programs', nargs='+', default=list(PROGRAMS), metavar='NAME', help='default: all')
    parser.add_argument('--count', type=int, default=200, help='trials of each program (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the moments and sizes (default: %(default)s)')
    parser.add_argument('--folder', help='where to work (default: the folder for temporary files)')
    return parser.parse_args()


def load_everything() -> None:
    """Load what the programs import, so that a fork begins at once. Nothing is computed: a fork has no threads."""
    import cv2
    import torch

    import cephalometric.api
    import cephalometric.commands.export
    import cephalometric.commands.measure
    import cephalometric.commands.predict
    import cephalometric.prediction.networks
    import cephalometric.reporting.report_page
    import cephalometric.training.assessment
    import cephalometric.training.checkpoint_models
    import cephalometric.training.run  # noqa: F401

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT))
    sys.path.insert(0, str(ROOT / 'step6_docker_and_upload'))


RECIPE = f"""_base_ = {str(ROOT / 'tests' / 'tiny_recipe.py')!r}
train_cfg = dict(max_epochs=2, val_interval=1)
train_dataloader = dict(num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
"""


def prepare_inputs(given: Path) -> None:
    """A stack, prepared images, a trained model, predictions."""
    given.mkdir()
    (given / 'recipe.py').write_text(RECIPE)
    log = given.parent / 'log.txt'
    for arguments in (
        ['cephalometric', 'phantom', given / 'stack', '--count', 8, '--size-scale', 0.2],
        [
            script('step2_prepare_coco_dataset.py'),
            *('--mha_file_path', given / 'stack' / 'train_stack.mha', '--train_gt_path'),
            *(given / 'stack' / 'train-gt.json', '--image_save_dir', given / 'data' / 'images', '--split', 4, 2, 2),
        ],
        PROGRAMS['step 3'].arguments(given, given / 'run'),
        PROGRAMS['predict'].arguments(given, given / 'predicted'),
    ):
        process = start(arguments, log)
        if finished(process) != 0:
            sys.exit(f'error: {" ".join(map(str, arguments))} failed:\n{log.read_text(errors="replace")[-2000:]}')


@dataclass
class Trials:
    """The trials of one program and what they found."""

    program: Program
    given: Path
    folder: Path
    chance: random.Random
    seconds: float = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(('SIGKILL', 'SIGTERM', 'full disk'), 0))
    ended_before: int = 0
    faults: list[str] = field(default_factory=list)
    label: str = ''

    @property
    def out(self) -> Path:
        return self.folder / 'out'

    def fault(self, text: str) -> None:
        self.faults.append(f'{self.program.name}, {self.label}: {text}')

    def row(self) -> str:
        counts = ' | '.join(map(str, self.counts.values()))
        return f'| {self.program.name} | {self.seconds:.1f} | {counts} | {self.ended_before} | {len(self.faults)} |'

    def run(self, count: int) -> None:
        reference = self.undisturbed()
        kinds = ['SIGKILL', 'SIGTERM', *(['full disk'] if os.geteuid() == 0 else [])]
        for first in range(0, count, self.program.in_a_row):
            kind = kinds[first // self.program.in_a_row % len(kinds)]
            with self.place(on_small_disk=kind == 'full disk') as full_size:
                for number in range(first, min(first + self.program.in_a_row, count)):
                    self.label = f'trial {number} ({kind})'
                    self.counts[kind] += 1
                    before = checksums(self.out)
                    again = self.program.again if number > first else ()
                    if kind == 'full disk':
                        self.fill_up(full_size, again)
                    else:
                        self.kill(getattr(signal, kind), again)
                    self.check(before)
                self.complete(reference)

    def undisturbed(self) -> dict[str, str | None]:
        """Checksums of what is made when nothing happens, twice; None for what differs from run to run."""
        found = []
        for _ in range(2):
            with self.place():
                begin = time.perf_counter()
                process = start(self.arguments(), self.log)
                if finished(process) != 0:
                    sys.exit(
                        f'error: {self.program.name} fails by itself:\n{self.log.read_text(errors="replace")[-3000:]}'
                    )
                self.seconds = time.perf_counter() - begin
                self.size = sum(path.stat().st_size for path in self.out.rglob('*') if path.is_file())
                found.append(checksums(self.out))
        return {name: value if found[1].get(name) == value else None for name, value in found[0].items()}

    def arguments(self) -> list[object]:
        return self.program.arguments(self.given, self.out)

    @property
    def log(self) -> Path:
        return self.folder.parent / 'log.txt'

    @contextmanager
    def place(self, on_small_disk: bool = False) -> Iterator[int]:
        """The folder with a file of the user's in it, and an earlier run's results where the program replaces such."""
        self.folder.mkdir()
        full_size = 0
        if on_small_disk:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', self.folder], check=True)
        try:
            self.out.mkdir()
            (self.out / USERS_FILE).write_text(USERS_TEXT)
            (self.folder / USERS_FILE).write_text(USERS_TEXT)
            if self.program.earlier:
                finished(start(self.arguments(), self.log))
            if on_small_disk:
                used = shutil.disk_usage(self.folder).used
                full_size = used + self.chance.randrange(max(1, int(1.2 * self.size)))
                subprocess.run(['mount', '-o', f'remount,size={max(full_size, 1)}', self.folder], check=True)
            yield full_size
        finally:
            if on_small_disk:
                subprocess.run(['umount', self.folder], check=True)
            shutil.rmtree(self.folder)

    def kill(self, with_signal: signal.Signals, again: Sequence[str]) -> None:
        process = start([*self.arguments(), *again], self.log)
        time.sleep(self.chance.random() * 1.05 * self.seconds)
        if os.waitpid(process, os.WNOHANG) != (0, 0):
            self.ended_before += 1
            return
        stop(process, with_signal)
        begin = time.monotonic()
        while os.waitpid(process, os.WNOHANG) == (0, 0):
            if time.monotonic() - begin > 30:
                self.fault('it did not end within 30 s')
                stop(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return
            time.sleep(0.01)

    def fill_up(self, full_size: int, again: Sequence[str]) -> None:
        subprocess.run(['mount', '-o', f'remount,size={max(full_size, 1)}', self.folder], check=True)
        status = finished(start([*self.arguments(), *again], self.log))
        text = self.log.read_text(errors='replace')
        if status == 0:
            self.ended_before += 1
        elif 'Traceback' in text or 'error: ' not in text:
            self.fault(f'a disk of {full_size} bytes: status {status}, {text[-1500:]}')
        subprocess.run(['mount', '-o', 'remount,size=512m', self.folder], check=True)

    def check(self, before: dict[str, str]) -> None:
        for place in (self.folder, self.out):
            file = place / USERS_FILE
            if not file.is_file() or file.read_text() != USERS_TEXT:
                self.fault(f'{file.relative_to(self.folder)} is not as it was')
        for fault in half_written(self.out):
            self.fault(fault)

    def complete(self, reference: dict[str, str | None]) -> None:
        arguments = [*self.arguments(), *self.program.again]
        if self.program.name == 'export' and (self.out / 'model').is_dir():
            # A model that is there is complete, or check has said so; export replaces none.
            return
        if finished(start(arguments, self.log)) != 0:
            self.fault(f'the second run failed: {self.log.read_text(errors="replace")[-1500:]}')
            return
        after = checksums(self.out)
        if missing := sorted(reference.keys() - after.keys()):
            self.fault(f'the second run lacks {missing[:5]}')
        if more := sorted(after.keys() - reference.keys()):
            self.fault(f'after the second run there are also {more[:5]}')
        if other := sorted(name for name, value in reference.items() if value and after.get(name, value) != value):
            self.fault(f'after the second run these differ: {other[:5]}')
        hidden = [path.name for path in self.folder.rglob('.*') if path.name not in KEPT]
        if hidden:
            self.fault(f'left behind: {hidden[:5]}')


def start(arguments: list[object], log: Path) -> int:
    """Run a program in a fork of this process, in a process group of its own; returns its number."""
    words = list(map(str, arguments))
    sys.stdout.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setpgid(0, 0)
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(target, stream)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, 'wb', 0), write_through=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, 'wb', 0), write_through=True)
        sys.argv = words
        try:
            if words[0] == 'cephalometric':
                from cephalometric.__main__ import main_or_exit

                status = main_or_exit() or 0
            else:
                runpy.run_path(words[0], run_name='__main__')
                status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def stop(process: int, with_signal: signal.Signals) -> None:
    """Send a signal to a program and all that it has started."""
    try:
        os.killpg(process, with_signal)
    except ProcessLookupError:  # It has not come to have a group of its own yet.
        os.kill(process, with_signal)


def finished(process: int) -> int:
    """The exit status of a program, once it has ended."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def visible(folder: Path) -> Iterator[Path]:
    """The files of a folder, without hidden ones, those of hidden folders, and logs."""
    for path in sorted(folder.rglob('*')):
        parts = path.relative_to(folder).parts
        logged = any((folder / Path(*parts[: depth + 1]) / log).is_dir() for depth in range(len(parts)) for log in LOGS)
        if path.is_file() and not logged and path.suffix != '.log' and not any(part.startswith('.') for part in parts):
            yield path


def checksums(folder: Path) -> dict[str, str]:
    """The checksum of each visible file by its name below the folder."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in visible(folder)}


def half_written(folder: Path) -> Iterator[str]:
    """What is wrong with the visible files of a folder, one text for each."""
    for path in visible(folder):
        try:
            if check := CHECKS.get(path.suffix):
                check(path)
        except Exception as error:  # Whatever a reader of such a file says.
            yield f'{path.relative_to(folder)} ({path.stat().st_size} bytes) is half written: {error!r}'


def check_json(path: Path) -> None:
    content = json.loads(path.read_text(encoding='utf-8'))
    if isinstance(content, dict) and 'annotations' in content and 'images' in content:
        absent = [image['file_name'] for image in content['images'] if not named_image(path, image).is_file()]
        if absent:
            raise ValueError(f'names images that are not there: {absent[:3]}')


def named_image(annotations: Path, image: dict) -> Path:
    return annotations.parent / image['file_name']


def check_csv(path: Path) -> None:
    text = path.read_text(encoding='utf-8')
    if not text.endswith('\n') or len({len(row) for row in csv.reader(io.StringIO(text))}) != 1:
        raise ValueError('the last line is cut off')


def check_picture(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as picture:
        picture.load()


def check_weights(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f'{damaged} is damaged')


def check_graph(path: Path) -> None:
    import onnx

    onnx.checker.check_model(onnx.load(path))


def check_page(path: Path) -> None:
    if not path.read_text(encoding='utf-8').rstrip().endswith('</html>'):
        raise ValueError('the page is cut off')


CHECKS = {
    '.json': check_json,
    '.csv': check_csv,
    '.png': check_picture,
    '.jpg': check_picture,
    '.pth': check_weights,
    '.onnx': check_graph,
    '.html': check_page,
    '.py': lambda path: compile(path.read_text(encoding='utf-8'), path, 'exec'),
}


if __name__ == '__main__':
    sys.exit(main())
