"""README.zh-CN.md is the same front door as README.md: the same commands, headings, links and figures."""

import re

import pytest
from conftest import ROOT

BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
REMEDY = 'README.md has changed: change README.zh-CN.md as well (commands and what they print are the same in both)'


@pytest.fixture(scope='module')
def pages():
    return [(ROOT / name).read_text(encoding='utf-8') for name in ('README.md', 'README.zh-CN.md')]


def test_both_show_the_same_commands_and_what_they_print(pages):
    english, chinese = map(BLOCK.findall, pages)
    for number, (one, other) in enumerate(zip(english, chinese, strict=False), start=1):
        assert one == other, f'block {number}: {REMEDY}'
    assert len(english) == len(chinese), REMEDY


def test_both_have_the_same_sections(pages):
    english, chinese = (re.findall(r'^#+(?= )', BLOCK.sub('', page), re.MULTILINE) for page in pages)
    assert english == chinese, f'headings: {REMEDY}'


@pytest.mark.parametrize(
    ('what', 'pattern'),
    [
        ('links', r'\]\(([^)\s]+)\)'),
        ('code in the text', r'`([^`\n]+)`'),
        ('figures', r'(?<![\w.])\d+\.\d+(?![\w.])'),
    ],
)
def test_the_chinese_one_leaves_nothing_out(pages, what, pattern):
    english, chinese = (set(re.findall(pattern, BLOCK.sub('', page))) for page in pages)
    missing = sorted(english - chinese - {'README.zh-CN.md'})
    assert not missing, f'{what} {missing}: {REMEDY}'
