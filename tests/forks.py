"""Python programs started from a process that has loaded PyTorch and MMPose once.

A fork begins in milliseconds where a new Python takes five seconds or more to import them, and runs a script as
``python script arguments`` does: with its own arguments, folder, environment, streams and exit status. The process that
forks has imported the modules and computed nothing, so that it has no threads and a fork is like new. Where a system
has no fork, a new Python is started instead.
"""

import atexit
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[1]
# On both cores tests run; the threads of a network would only wait for each other.
ENVIRONMENT = {'OMP_NUM_THREADS': '1'}


class Server:
    """The process that forks, started at the first program.

    Its stdin takes one JSON object a line for each program, its stdout gives the number of the new process and, when
    that has ended, its exit status.
    """

    def __init__(self) -> None:
        self.process, self.ended = None, {}

    def start(self, request: dict) -> int:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | ENVIRONMENT,
            )
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()
        while True:
            answer = json.loads(self.process.stdout.readline())
            if 'started' in answer:
                return answer['started']
            self.ended[answer['ended']] = answer['status']

    def status(self, process: int, timeout: float) -> int | None:
        """The exit status of a program, or None if it has not ended after so many seconds."""
        stream = self.process.stdout
        while process not in self.ended:
            if not select.select([stream], [], [], timeout)[0]:
                return None
            answer = json.loads(stream.readline())
            self.ended[answer['ended']] = answer['status']
        return self.ended[process]


SERVER = Server()


class Program:
    """A script that runs in a process and session of its own, as ``python ARGUMENTS`` would.

    Args:
        arguments: What stands behind ``python``: a script and its flags, ``-m`` and a module, or ``-c`` and a program.
        stdout, stderr: Files that take its output, opened for appending.
        environment: What differs from the environment of this process.
        folder: Its working folder.
    """

    def __init__(
        self,
        arguments: list[object],
        stdout: Path,
        stderr: Path,
        environment: dict | None = None,
        folder: Path = ROOT,
    ) -> None:
        self.process = SERVER.start(
            {
                'arguments': [str(argument) for argument in arguments],
                'stdout': str(stdout),
                'stderr': str(stderr),
                'folder': str(folder),
                'environment': dict(os.environ) | ENVIRONMENT | (environment or {}),
            }
        )

    def poll(self) -> int | None:
        return SERVER.status(self.process, 0)

    def wait(self, timeout: float = 300) -> int:
        status = SERVER.status(self.process, timeout)
        if status is None:
            self.kill()
            raise TimeoutError(f'process {self.process} ran for more than {timeout} s')
        return status

    def kill(self) -> None:
        """End it at once, with all processes that it has started."""
        os.killpg(self.process, signal.SIGKILL)


def say(**answer: int) -> None:
    os.write(1, (json.dumps(answer) + '\n').encode())


def serve() -> None:
    """Fork for each line of stdin until it is closed."""
    import_all()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    asked = b''
    while True:
        ready = select.select([0, reading], [], [])[0]
        if reading in ready:
            os.read(reading, 4096)
            while (child := next_ended()) is not None:
                say(ended=child[0], status=os.waitstatus_to_exitcode(child[1]))
        if 0 in ready:
            part = os.read(0, 1 << 20)
            if not part:
                return
            *lines, asked = (asked + part).split(b'\n')
            for line in lines:
                process = os.fork()
                if not process:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    run(json.loads(line))
                say(started=process)


def next_ended() -> tuple[int, int] | None:
    try:
        child = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return child if child[0] else None


def import_all() -> None:
    """What the scripts import, so that a fork need not; nothing is computed."""
    import importlib
    import pkgutil

    import cephalometric

    sys.path.insert(0, str(ROOT))
    # Command lines load what they need when they need it: all of it is loaded here, whatever they name.
    for module in pkgutil.walk_packages(cephalometric.__path__, 'cephalometric.'):
        if module.name != 'cephalometric.__main__':
            importlib.import_module(module.name)
    for name in ('matplotlib.pyplot', 'mmpose.apis', 'torch.distributed.elastic', 'onnx', 'onnxruntime', 'scipy.stats'):
        importlib.import_module(name)


def run(request: dict) -> None:
    """Become the program that is asked for; never returns."""
    status = 1
    try:
        os.setsid()
        for stream, path in ((1, request['stdout']), (2, request['stderr'])):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOCTTY, 0o644)
            os.dup2(file, stream)
            os.close(file)
        # As a new Python makes them: those of the forking process remember what kind of file it had.
        sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
        sys.stderr = open(2, 'w', errors='backslashreplace', closefd=False)  # noqa: SIM115
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.chdir(request['folder'])
        os.environ.clear()
        os.environ.update(request['environment'])
        sys.path[1:1] = os.environ.get('PYTHONPATH', '').split(os.pathsep)
        status = outcome_of(request['arguments'])
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def outcome_of(arguments: list[str]) -> int:
    """Run what stands behind ``python``; returns the exit status that Python would end with."""
    try:
        match arguments:
            case ['-c', program, *rest]:
                sys.argv = ['-c', *rest]
                exec(compile(program, '<string>', 'exec'), {'__name__': '__main__'})
            case ['-m', module, *rest]:
                sys.argv = [module, *rest]
                runpy.run_module(module, run_name='__main__', alter_sys=True)
            case [script, *rest]:
                sys.argv = [script, *rest]
                sys.path[0] = str(Path(script).resolve().parent)
                runpy.run_path(script, run_name='__main__')
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == '__main__':
    serve()
