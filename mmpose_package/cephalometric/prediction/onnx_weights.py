"""The weights of an ONNX graph, for a look at them without the package onnx.

A graph is a Protocol Buffers message (https://protobuf.dev/programming-guides/encoding): fields, each a number with its
kind and a value. Of these, only what leads to tensors is followed; the numbers are those of onnx.proto.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
# Which fields of a message lead to others: model, graph, node, attribute.
GRAPH_OF_MODEL, INITIALIZER, NODE, ATTRIBUTE = 7, 5, 1, 5
TENSORS, GRAPHS = (5, 10), (6, 11)  # Of an attribute: one, and many.
TYPE, FLOATS, NAME, RAW, DOUBLES, EXTERNAL = 2, 4, 8, 9, 10, 13
FLOAT_TYPES = {1: '<f4', 10: '<f2', 11: '<f8'}


def not_finite_weights(path: Path) -> str | None:
    """The name of the first weights of a graph that hold NaN or infinity; None where all are finite.

    Args:
        path: The graph; weights outside of it are read from its folder.

    Raises:
        InputError: It is no ONNX graph, or takes weights from elsewhere.
    """
    try:
        content = memoryview(path.read_bytes())
        tensors = (
            found
            for number, graph in _fields(content)
            if number == GRAPH_OF_MODEL
            for found in _tensors_of_graph(graph)
        )
        return next((name for name, values in _named(tensors, path.parent) if not np.isfinite(values).all()), None)
    except (IndexError, ValueError, TypeError, OSError, RecursionError) as error:
        raise InputError(
            f'{path}: not an ONNX graph, or a damaged one ({error}): make the model folder again'
        ) from None


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers and values; numbers of fixed length as their bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == LENGTH:
            length, place = _varint(message, place)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f'field of the kind {kind}')
        if place + length > len(message):
            raise ValueError('it is cut off')
        yield key >> 3, message[place : place + length]
        place += length


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _tensors_of_graph(graph: memoryview) -> Iterator[memoryview]:
    for number, value in _fields(graph):
        if number == INITIALIZER:
            yield value
        elif number == NODE:
            for _, attribute in (field for field in _fields(value) if field[0] == ATTRIBUTE):
                for part, content in _fields(attribute):
                    if part in TENSORS and isinstance(content, memoryview):
                        yield content
                    elif part in GRAPHS and isinstance(content, memoryview):
                        yield from _tensors_of_graph(content)


def _named(tensors: Iterator[memoryview], folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    for tensor in tensors:
        fields = list(_fields(tensor))
        single = dict(fields)
        kind = FLOAT_TYPES.get(single.get(TYPE))
        if kind is None:
            continue
        name = _text(single.get(NAME, b''))
        places = dict(_entry(value) for number, value in fields if number == EXTERNAL)
        raw = _outside(places, folder) if places else single.get(RAW, b'')
        yield name, np.frombuffer(raw, kind)
        for number, of_kind in ((FLOATS, '<f4'), (DOUBLES, '<f8')):
            for value in (value for found, value in fields if found == number):
                yield name, np.frombuffer(value, of_kind)


def _entry(message: memoryview) -> tuple[str, str]:
    fields = dict(_fields(message))
    return _text(fields.get(1, b'')), _text(fields.get(2, b''))


def _text(value: memoryview | bytes | int) -> str:
    if isinstance(value, int):
        raise ValueError('a number stands where a text is')
    return bytes(value).decode('utf-8', 'replace')


def _outside(places: dict[str, str], folder: Path) -> bytes:
    location = places.get('location', '')
    if not location or Path(location).name != location:
        raise ValueError(f'it takes weights from {location!r}')
    offset, length = int(places.get('offset', 0)), int(places.get('length', -1))
    with (folder / location).open('rb') as file:
        file.seek(offset)
        return file.read(length)
