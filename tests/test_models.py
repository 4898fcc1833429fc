"""The command models by real command lines."""

from command_lines import call

from cephalometric.landmarks import load_landmark_set


def test_a_model_says_where_its_landmarks_lie():
    status, stdout, _ = call('models', 'isbi2015', '--landmarks')
    assert status == 0
    landmarks = load_landmark_set('isbi2015')
    lines = stdout.splitlines()[-len(landmarks) :]
    for k, line in enumerate(lines):
        number, short, text = line.split(maxsplit=2)
        assert (int(number), short) == (k + 1, landmarks.abbreviations[k])
        assert text == f'{landmarks.names[k]}: {landmarks.definition(k)}'
    assert lines[0] not in call('models', 'isbi2015')[1]
