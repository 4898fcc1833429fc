"""Valid files changed in their structure: what has been through other software, a bad disk, or someone's hands."""

import copy
import json
import random
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

DEEP: list = []
for _ in range(3000):
    DEEP = [DEEP]

SEEDS = st.integers(0, 2**32 - 1)
ODD_TEXTS = (
    *(
        '',
        ' ',
        '\0',
        'a\nb',
        '1,5',
        '0x10',
        '1_0',
        'nan',
        '-inf',
        '１２',
        'é',
        'e\u0301',
        '\ud800',
        '\u202e',
        '$x$',
        '<b>',
    ),
    *('../precious.txt', '/precious.txt', 'C:\\x', '=1+1', '@x', '%s', '{0}', 'A' * 300, 'A' * 70000),
)
ODD_NUMBERS = (0, -1, 1, 2, 3, 7, 255, 65536, 2**31, 2**63, 10**30, -(10**400), 0.5, -0.0, 1e-300, 1e300)
ODD_VALUES = (
    *ODD_TEXTS,
    *ODD_NUMBERS,
    *(
        float('nan'),
        float('inf'),
        None,
        True,
        False,
        [],
        {},
        [[]],
        [None],
        {'x': 1},
        [1, 2],
        [[1, 2], [3, 4]],
        [0] * 999,
    ),
)


def chances(seeds: st.SearchStrategy = SEEDS) -> st.SearchStrategy[random.Random]:
    """Sources of chance that hypothesis can repeat and shrink to a number."""
    return seeds.map(random.Random)


def paths(document: Any, here: tuple = ()) -> Iterator[tuple]:
    """Where the values of a JSON document are."""
    yield here
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inner:
        yield from paths(value, (*here, key))


def change_document(document: Any, chance: random.Random) -> Any:
    """A JSON document with one to three changes: something goes, comes twice, or is another value, key or order."""
    document = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = [path for path in paths(document) if path]
        if not places:
            return document
        # Values near the root are few and matter most.
        depth = chance.randint(1, max(map(len, places)))
        *way, key = chance.choice([path for path in places if len(path) <= depth])
        parent = document
        for step in way:
            parent = parent[step]
        _change(parent, key, chance)
    return document


def _change(parent: Any, key: Any, chance: random.Random) -> None:
    kind = chance.choice(('value', 'value', 'value', 'gone', 'twice', 'key', 'wrapped', 'number', 'text'))
    value = parent[key]
    if kind == 'gone':
        del parent[key]
    elif kind == 'twice' and isinstance(parent, list):
        parent.insert(chance.randrange(len(parent) + 1), copy.deepcopy(value))
    elif kind == 'key' and isinstance(parent, dict):
        parent[chance.choice((str(key).upper(), f' {key}', f'{key}2', ''))] = parent.pop(key)
    elif kind == 'wrapped':
        parent[key] = chance.choice(([value], {'x': value}, str(value)))
    elif kind == 'number' and isinstance(value, (int, float)):
        parent[key] = chance.choice((-value, value * 1000, value / 1000, value + 1, str(value), [value, value]))
    elif kind == 'text' and isinstance(value, str):
        parent[key] = change_text(value, chance)
    else:
        parent[key] = copy.deepcopy(chance.choice(ODD_VALUES))


def change_text(text: str, chance: random.Random) -> str:
    """A text with something put in, taken out or repeated."""
    begin, end = sorted(chance.randint(0, len(text)) for _ in range(2))
    return chance.choice(
        (
            text[:begin] + chance.choice(ODD_TEXTS) + text[begin:],
            text[:begin] + text[end:],
            text[:end] + text[begin:],
            text.swapcase(),
            text[::-1],
        )
    )


ENCODINGS = ('utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'latin-1', 'gb18030', 'cp1252', 'utf-32')


def json_bytes(document: Any, chance: random.Random) -> bytes:
    """A JSON document as some program might write it, or as a bad disk returns it."""
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 2)))
    if chance.random() < 0.05:
        text = chance.choice(('', '[' * 100000, '{"a":' * 50000, 'null', '[]', text[: len(text) // 2], text + text))
    data = text.encode(chance.choice(ENCODINGS) if chance.random() < 0.2 else 'utf-8', 'replace')
    return change_bytes(data, chance) if chance.random() < 0.1 else data


def changed_json(document: Any, chance: random.Random) -> bytes:
    """A changed JSON document as bytes."""
    return json_bytes(change_document(document, chance), chance)


def changed_table(rows: list[list[Any]], chance: random.Random) -> bytes:
    """A changed CSV table as bytes, in a dialect of chance."""
    rows = change_document([[str(cell) for cell in row] for row in rows], chance)
    rows = [[str(cell) for cell in row] if isinstance(row, list) else [str(row)] for row in rows]
    separator = chance.choice(',,,,;\t|')
    if separator == ';' and chance.random() < 0.5:
        rows = [[cell.replace('.', ',') for cell in row] for row in rows]
    quote = chance.choice(('', '', '"'))
    lines = [separator.join(f'{quote}{cell}{quote}' for cell in row) for row in rows]
    if chance.random() < 0.1:
        lines.insert(0, f'sep={separator}')
    data = chance.choice(('\n', '\r\n', '\r')).join([*lines, ''])
    encoded = data.encode(chance.choice(ENCODINGS) if chance.random() < 0.2 else 'utf-8', 'replace')
    return change_bytes(encoded, chance) if chance.random() < 0.1 else encoded


def change_bytes(data: bytes, chance: random.Random) -> bytes:
    """Bytes flipped, cut off, taken out, repeated or overwritten."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        if not changed:
            break
        # Headers, where the structure is, more often than pixels.
        begin = chance.randrange(len(changed) if chance.random() < 0.5 else min(len(changed), 512))
        length = chance.choice((1, 2, 4, 8, 100))
        kind = chance.choice(('bit', 'bit', 'byte', 'cut', 'out', 'again', 'ones'))
        if kind == 'bit':
            changed[begin] ^= 1 << chance.randrange(8)
        elif kind == 'byte':
            changed[begin] = chance.randrange(256)
        elif kind == 'cut':
            del changed[begin:]
        elif kind == 'out':
            del changed[begin : begin + length]
        elif kind == 'again':
            changed[begin:begin] = changed[begin : begin + length]
        else:
            changed[begin : begin + length] = b'\xff' * length
    return bytes(changed)


def change_png(data: bytes, chance: random.Random) -> bytes:
    """A PNG whose chunks are changed, with checksums that are right."""
    chunks, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from('>I', data, place)
        chunks.append([data[place + 4 : place + 8], data[place + 8 : place + 8 + length]])
        place += 12 + length
    for _ in range(chance.choice((1, 1, 2))):
        index = chance.randrange(len(chunks))
        name, content = chunks[index]
        kind = chance.choice(('header', 'header', 'content', 'gone', 'twice', 'text', 'tRNS', 'pixels', 'iCCP', 'name'))
        if kind == 'header':
            header = bytearray(chunks[0][1].ljust(13, b'\0'))
            header[chance.randrange(13)] = chance.choice((0, 1, 2, 3, 4, 6, 8, 16, 32, 127, 255))
            chunks[0][1] = bytes(header)
        elif kind == 'content':
            chunks[index][1] = change_bytes(content, chance)
        elif kind == 'gone':
            del chunks[index]
        elif kind == 'twice':
            chunks.insert(index, [name, content])
        elif kind == 'text':
            text = b'Comment\0' + b'x' * chance.choice((0, 100, 3_000_000))
            chunks.insert(1, [chance.choice((b'tEXt', b'zTXt', b'iTXt', b'eXIf')), text])
        elif kind == 'tRNS':
            chunks.insert(1, [b'tRNS', bytes(chance.choice((1, 2, 6, 256)))])
        elif kind == 'pixels':
            pixels = zlib.compress(bytes(chance.choice((0, 10, 100_000, 30_000_000))))
            chunks[min(index + 1, len(chunks) - 1)] = [b'IDAT', pixels]
        elif kind == 'iCCP':
            chunks.insert(1, [b'iCCP', b'x\0\0' + zlib.compress(bytes(1000))])
        else:
            chunks[index][0] = chance.choice((b'IEND', b'PLTE', b'gAMA', b'abcd', b'\xff\xff\xff\xff'))
        if not chunks:
            break
    body = b''.join(
        struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))
        for name, content in chunks
    )
    return data[:8] + body


def change_tiff(data: bytes, chance: random.Random) -> bytes:
    """A little-endian classic TIFF whose tags are changed."""
    changed = bytearray(data)
    (directory,) = struct.unpack_from('<I', changed, 4)
    (count,) = struct.unpack_from('<H', changed, directory)
    for _ in range(chance.choice((1, 1, 2, 3))):
        place = directory + 2 + 12 * chance.randrange(count)
        kind = chance.choice(('tag', 'type', 'count', 'value', 'value', 'value', 'next', 'size'))
        value = chance.choice((0, 1, 2, 3, 5, 7, 8, 16, 32, 64, 32773, 34712, 65535, 2**31 - 1, 2**32 - 1, directory))
        if kind == 'tag':
            struct.pack_into('<H', changed, place, chance.choice((254, 256, 258, 259, 262, 277, 284, 320, 338, 339)))
        elif kind == 'type':
            struct.pack_into('<H', changed, place + 2, chance.choice((0, 1, 2, 3, 4, 5, 11, 12, 13, 16, 99)))
        elif kind == 'count':
            struct.pack_into('<I', changed, place + 4, value)
        elif kind == 'value':
            struct.pack_into('<I', changed, place + 8, value)
        elif kind == 'next':
            struct.pack_into('<I', changed, directory + 2 + 12 * count, value)
        else:
            struct.pack_into('<H', changed, directory, chance.choice((0, 1, count - 1, count + 1, 65535)))
    return bytes(changed)


def change_jpeg(data: bytes, chance: random.Random) -> bytes:
    """A JPEG whose segments are changed: gone, twice, in another order, of another size or content."""
    segments, place = [], 2
    while data[place + 1] != 0xDA:
        (length,) = struct.unpack_from('>H', data, place + 2)
        segments.append(bytearray(data[place : place + 2 + length]))
        place += 2 + length
    rest = data[place:]
    for _ in range(chance.choice((1, 1, 2))):
        if not segments:
            break
        index = chance.randrange(len(segments))
        kind = chance.choice(('content', 'content', 'gone', 'twice', 'order', 'length', 'rest', 'exif'))
        if kind == 'content' and len(segments[index]) > 4:
            segments[index][chance.randrange(4, len(segments[index]))] = chance.randrange(256)
        elif kind == 'gone':
            del segments[index]
        elif kind == 'twice':
            segments.insert(index, segments[index])
        elif kind == 'order':
            chance.shuffle(segments)
        elif kind == 'length':
            struct.pack_into('>H', segments[index], 2, chance.choice((0, 1, 2, 65535)))
        elif kind == 'rest':
            rest = change_bytes(rest, chance)
        else:
            exif = (
                b'Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0'
                + bytes([chance.randrange(256), 0, 0, 0])
                + bytes(4)
            )
            segments.insert(0, bytearray(b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif))
    return data[:2] + b''.join(segments) + rest


def change_lines(text: str, chance: random.Random) -> str:
    """A header of ``Name = value`` lines with lines changed, gone, repeated or moved."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 1, 2, 3))):
        index = chance.randrange(len(lines))
        name, separator, value = lines[index].partition('=')
        lines[index : index + 1] = chance.choice(
            (
                [],
                [lines[index]] * 2,
                ['', lines[index]],
                [f'{name}:{value}'],
                [f'{name.upper()}{separator}{value}'],
                [f'{name}{separator} {chance.choice(ODD_NUMBERS)}'],
                [f'{name}{separator} {value} {value}'],
                [f'{name}{separator} {chance.choice(ODD_TEXTS)}'],
                [f'{name}{separator}{change_text(value, chance)}'],
                [f'Comment = {"x" * 70000}', lines[index]],
            )
        )
        if not lines:
            return ''
    return '\n'.join([*lines, ''])
