"""What programs print: closed, full and narrow streams are no reason for a traceback or a wrong status."""

import os
import subprocess
import sys

import pytest

PRINTS = 'from cephalometric.errors import run_step\nrun_step(lambda: [print("x" * 100) for _ in range(10000)])'
WARNS = (
    'import sys, warnings\nfrom cephalometric.errors import InputError, run_step\n'
    'def main():\n'
    '    from tqdm import tqdm\n'
    '    for _ in tqdm(range(3)):\n'
    '        warnings.warn("w"); print("said", file=sys.stderr); tqdm.write("x", file=sys.stderr)\n'
    '    print("done")\n'
    '    if len(sys.argv) > 1: raise InputError("bad")\n'
    'run_step(main)'
)


def shell(command, script, *arguments, **more):
    """Run a Python script as "$PY" in a shell's command line."""
    environment = {**os.environ, 'PY': sys.executable, 'SCRIPT': script, **more}
    return subprocess.run(['bash', '-c', command, 'bash', *arguments], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize('unbuffered', ['', '1'])
def test_a_reader_that_goes_ends_it_quietly(unbuffered):
    done = shell('"$PY" -c "$SCRIPT" | head -n 1; exit ${PIPESTATUS[0]}', PRINTS, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (141, '')
    done = shell('"$PY" -m cephalometric --help | true; exit ${PIPESTATUS[0]}', '')
    assert done.returncode in (0, 141) and done.stderr == ''


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no full device')
@pytest.mark.parametrize('unbuffered', ['', '1'])
@pytest.mark.parametrize('script', [PRINTS, 'from cephalometric.errors import run_step\nrun_step(lambda: print("x"))'])
def test_a_full_disk_below_the_output_is_one_line(script, unbuffered):
    done = shell('"$PY" -c "$SCRIPT" > /dev/full', script, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (2, 'error: the output cannot be written: No space left on device\n')


@pytest.mark.parametrize('redirection', ['2>&-', '2>/dev/full', '<&- 2>&-', '<&-'])
def test_without_a_stderr_it_goes_on(redirection):
    done = shell(f'"$PY" -c "$SCRIPT" {redirection}', WARNS)
    assert (done.returncode, done.stdout) == (0, 'done\n')
    done = shell(f'"$PY" -c "$SCRIPT" mistake {redirection}', WARNS)
    assert (done.returncode, done.stdout) == (2, 'done\n') and 'Traceback' not in done.stderr


def test_without_any_stream_a_file_does_not_take_its_place(tmp_path):
    script = (
        'import sys\nfrom cephalometric.errors import run_step\n'
        'def main():\n    with open("file", "w") as file:\n        print("printed"); sys.stdout.flush()\n'
        '        file.write("content")\nrun_step(main)'
    )
    done = shell(f'cd {tmp_path} && "$PY" -c "$SCRIPT" <&- >&- 2>&-', script)
    assert done.returncode == 0 and (tmp_path / 'file').read_text() == 'content'


@pytest.mark.parametrize('encoding', ['cp1252', 'ascii', 'utf-8'])
def test_letters_that_a_console_lacks_are_written_otherwise(encoding):
    script = 'from cephalometric.errors import run_step\nrun_step(lambda: print("MRE \\u2212 ± \\udce9 \\u6b6f."))'
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, env={**os.environ, 'PYTHONIOENCODING': encoding}
    )
    assert done.returncode == 0 and done.stderr == b''
    assert done.stdout.startswith(b'MRE ') and b'\\udce9' in done.stdout


def test_an_error_is_one_line_whatever_name_is_in_it():
    script = (
        'from cephalometric.errors import InputError, run_step\n'
        'def main(): raise InputError("a\\x1b[2J\\rb\\udce9.png: damaged")\nrun_step(main)'
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True)
    assert done.returncode == 2 and done.stderr == b'error: a%1B[2J%0Db%E9.png: damaged\n'


def test_a_defect_keeps_its_traceback_also_one_of_the_file_system():
    script = 'from cephalometric.errors import run_step\nrun_step(lambda: open("/nowhere/at/all"))'
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    assert done.returncode == 1 and 'FileNotFoundError' in done.stderr


@pytest.mark.parametrize('backend', ['module://matplotlib_inline.backend_inline', 'inline', 'nonsense', 'qtagg', 'Agg'])
def test_figures_are_drawn_whatever_backend_a_notebook_wants(backend):
    script = (
        'from cephalometric.reporting.figures import as_png, new_axes\n'
        'from cephalometric.errors import run_step\n'
        'def main():\n    import matplotlib.pyplot\n'
        '    print(len(as_png(new_axes(2, 2)[0])), matplotlib.get_backend())\n'
        'run_step(main)'
    )
    environment = {**os.environ, 'MPLBACKEND': backend}
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1].lower() == 'agg'
