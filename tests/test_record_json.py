"""The JSON of a record says for other programs what was done; the way back is tried in test_review_record.py."""

import json

from test_review_record import LANDMARKS, after, begin, move

from cephalometric.reviewing.record_json import parse_record, record_content, rows_of_marks


def test_the_rows_are_in_the_order_of_the_set_and_plain():
    record = after(begin(), move('N', 1.23456, 2))
    content = json.loads(json.dumps(record_content(record), allow_nan=False))
    assert [row['landmark'] for row in content['landmarks']] == list(LANDMARKS.abbreviations)
    assert content['landmarks'][1]['x_px'] == 1.235 and content['landmarks'][18]['x_px'] is None
    assert content['landmarks'] == rows_of_marks(record)
    assert content['begun_with']['found'][0]['x_px'] is None
    assert parse_record(content, LANDMARKS).spacing_mm == 0.1
