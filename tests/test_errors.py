"""How programs end: one line and status 2 for a user's mistake, a traceback for a defect."""

import pytest

from cephalometric.errors import InputError, run_step


def ending(error):
    def main():
        raise error

    with pytest.raises(SystemExit) as end:
        run_step(main)
    return end.value.code


def test_a_users_mistake_is_one_line_and_status_2(capsys):
    assert ending(InputError('stack.mha: truncated; copy it again')) == 2
    assert capsys.readouterr().err == 'error: stack.mha: truncated; copy it again\n'


def test_an_interruption_has_the_shells_status():
    assert ending(KeyboardInterrupt()) == 130


def test_a_defect_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_step(main)
