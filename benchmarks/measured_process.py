"""What a program takes as a whole process: seconds, processor time and the peak of its memory."""

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence

# Linux never says less for the peak of a process than for that of the one that started it: this one is small.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
print(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6]))
process.returncode = os.waitstatus_to_exitcode(status)
sys.exit(abs(process.returncode))
"""


def measured_process(command: Sequence[object], environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Run a program to its end, which ends this one too where it fails.

    Returns:
        Seconds, seconds of processor time, and the peak of its memory in MB.
    """
    words = list(map(str, command))
    done = subprocess.run(
        [sys.executable, '-I', '-c', LAUNCHER, *words], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(f'{done.stderr}{shlex.join(words)} ended with status {done.returncode}')
    return tuple(json.loads(done.stdout))
