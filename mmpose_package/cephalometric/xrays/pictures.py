"""X-rays as image files: PNG, JPEG, TIFF, BMP and WebP."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from cephalometric.errors import InputError
from cephalometric.xrays import png_chunks, tiff_pages
from cephalometric.xrays.frames import Frame, check_size, decoding, grey_levels

FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP', 'WEBP')
TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
SIGNATURES = (png_chunks.SIGNATURE[:4], b'\xff\xd8\xff', *TIFF, b'BM')
TURNED, SIDEWAYS = range(2, 9), range(5, 9)
TURNS = {
    **{2: np.fliplr, 3: lambda image: np.rot90(image, 2), 4: np.flipud, 5: lambda image: image.swapaxes(0, 1)},
    **{6: lambda image: np.rot90(image, -1), 7: lambda image: np.rot90(image, 2).swapaxes(0, 1), 8: np.rot90},
}
SEE_THROUGH = 'its transparent parts are shown black'


def is_picture(head: bytes) -> bool:
    """Whether a file that begins with these bytes (12 or more) is one of these formats."""
    return head.startswith(SIGNATURES) or (head[:4] == b'RIFF' and head[8:12] == b'WEBP')


def read_picture(path: str | Path) -> Iterator[Frame]:
    """The image of a PNG, JPEG, TIFF, BMP or WebP file, or each page of a TIFF file, one in memory at a time.

    The image is as viewers show it: turned upright as its EXIF orientation says, white where a TIFF says that white
    is zero, colours as RGB whether they were a palette or CMYK, and transparent parts on black, which is what surrounds
    an X-ray. 8 bits stay as they are; values of more bits, grey or in colours, are mapped to 8 as
    :func:`~cephalometric.xrays.frames.grey_levels` says. Dots per inch are no spacing: they say how a picture is to be
    printed. Texts and colour profiles are not read, and thumbnails and masks among the pages of a TIFF are left out.

    Raises:
        InputError: The file is missing, damaged, incomplete, too large, or of a kind that is not an X-ray.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        with decoding(path):
            file = stack.enter_context(open(path, 'rb'))
            head = file.read(12)
        if head.startswith(TIFF):
            yield from _read_tiff(path, file)
        elif head.startswith(png_chunks.SIGNATURE):
            with decoding(path):
                frame = _png_frame(path, file)
            yield frame
        else:
            with decoding(path):
                picture = _open(file, path)
                frame = _jpeg_frame(file, picture) if picture.format == 'JPEG' else None
                frame = frame or _frame(path, picture)
            yield frame


def _open(file: BinaryIO, path: Path) -> Image.Image:
    file.seek(0)
    try:
        # Given the path, Pillow would map the file into memory, and muddle up uncompressed TIFF files to be turned.
        picture = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise InputError(
            f'{path}: not a PNG, JPEG, TIFF, BMP or WebP file, or its header is damaged; copy it again'
        ) from None
    depth = {'I;16': 2, 'I;16B': 2, 'I': 4, 'F': 4}.get(picture.mode, len(picture.getbands()))
    check_size(path, picture.height, picture.width, bytes_per_pixel=depth)
    return picture


def _turned(orientation: int, image: np.ndarray) -> tuple[str, ...]:
    if orientation not in TURNED:
        return ()
    return (
        f'turned upright, as its EXIF orientation {orientation} says: coordinates are those of the picture as '
        f'displayed, {image.shape[1]} x {image.shape[0]} pixels',
    )


def _frame(path: Path, picture: Image.Image, key: tuple[int, ...] = (), scale: int = 1) -> Frame:
    """A picture of 8 bits, or of grey without alpha, by Pillow.

    Args:
        key: The grey value or colour that is transparent.
        scale: What the values of a lesser depth are multiplied by.
    """
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    picture.load()  # This alone turns a TIFF upright.
    turn = orientation in TURNED and picture.format != 'TIFF'
    upright = ImageOps.exif_transpose(picture) if turn else picture
    see_through = False
    if upright.has_transparency_data:
        image, see_through = _on_black(upright)
    elif upright.mode in ('1', 'L'):
        image = np.array(upright if upright.mode == 'L' else upright.convert('L'))
    elif upright.mode == 'F' or upright.mode.startswith('I'):
        image = np.asarray(upright)
    elif upright.mode in ('P', 'RGB', 'CMYK', 'YCbCr'):
        image = np.array(upright if upright.mode == 'RGB' else upright.convert('RGB'))
    else:
        raise InputError(f'{path}: its colours are {upright.mode}: save it in grey or RGB first')
    hidden = _equal(image, tuple(value * scale for value in key)) if key else None
    if image.dtype != np.uint8:
        image = grey_levels(image, None if hidden is None else ~hidden)
    if hidden is not None and hidden.any():
        image[hidden], see_through = 0, True
    warnings = _turned(orientation, image)
    return Frame(image, warnings=(*warnings, SEE_THROUGH) if see_through else warnings)


def _jpeg_frame(file: BinaryIO, picture: Image.Image) -> Frame | None:
    """A usual JPEG by OpenCV, which takes a third of the time of Pillow for the same pixels; None for any other.

    Both decode by libjpeg-turbo, but Pillow alone says of a file that it is cut off, which one that ends as it should
    is not.
    """
    if picture.mode not in ('L', 'RGB') or picture.getexif().get(ExifTags.Base.Orientation, 1) in TURNED:
        return None
    file.seek(0)
    content = file.read()
    if not content.rstrip(b'\0\r\n ').endswith(b'\xff\xd9'):
        return None
    import cv2  # Not above: not all runs have a JPEG.

    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.shape != (picture.height, picture.width, 3)[: 2 if picture.mode == 'L' else 3]:
        return None
    return Frame(image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image))


def _equal(image: np.ndarray, key: tuple[int, ...]) -> np.ndarray:
    return (image == key).all(axis=2) if image.ndim == 3 else image == key[0]


def _on_black(picture: Image.Image) -> tuple[np.ndarray, bool]:
    """RGB, and whether there was anything to see through."""
    picture = picture.convert('RGBA')
    see_through = picture.getextrema()[3][0] < 255
    black = Image.new('RGBA', picture.size, (0, 0, 0, 255))
    return np.array(Image.alpha_composite(black, picture).convert('RGB')), see_through


def _png_frame(path: Path, file: BinaryIO) -> Frame:
    png = png_chunks.read_chunks(path, file)
    try:
        picture = _open(io.BytesIO(png.content), path)
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except InputError:
        raise
    except Exception:  # Whatever a damaged orientation leads Pillow to.
        picture = _open(io.BytesIO(png.plain), path)
        orientation = 1
    if png.depth == 16 and png.colours != png_chunks.GREY:
        values = _by_opencv(png.plain)
        alpha = values[..., 3] if png.colours != png_chunks.RGB else None
        hidden = _equal(values, png.key) if png.key else None
        return _deep_frame(values[..., :3], alpha, hidden, orientation)
    return _frame(path, picture, png.key, 255 // (2**png.depth - 1) if png.depth < 8 else 1)


def _by_opencv(content: bytes | np.ndarray) -> np.ndarray:
    """The values of a picture, its colours as RGB.

    Raises:
        ValueError: They cannot be decoded.
    """
    import cv2  # Not above: most runs have no such picture.

    level = cv2.getLogLevel()
    cv2.setLogLevel(0)  # It prints a line of its own for each damaged strip.
    try:
        values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.setLogLevel(level)
    if values is None:
        raise ValueError('its pixels are damaged or incomplete')
    return values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]


def _deep_frame(
    values: np.ndarray,
    alpha: np.ndarray | None,
    hidden: np.ndarray | None,
    orientation: int,
    inverted: bool = False,
    premultiplied: bool = False,
) -> Frame:
    """Of values of more than 8 bits, (H, W) or (H, W, 3), as they are stored."""
    if values.ndim == 3 and (values[..., 0] == values[..., 1]).all() and (values[..., 0] == values[..., 2]).all():
        values = values[..., 0]
    see_through = alpha is not None and bool((alpha != _opaque(alpha)).any())
    if see_through:
        hidden = alpha == 0
    elif hidden is not None:
        see_through = bool(hidden.any())
    image = grey_levels(values, ~hidden if see_through else None)
    if inverted:
        image = 255 - image
    if see_through:
        if alpha is not None and not premultiplied:
            share = np.clip(alpha / _opaque(alpha), 0, 1).astype(np.float32)
            image = np.rint(image * (share if image.ndim == 2 else share[..., None])).astype(np.uint8)
        image[hidden] = 0
    image = np.ascontiguousarray(TURNS[orientation](image)) if orientation in TURNS else image
    warnings = _turned(orientation, image)
    return Frame(image, warnings=(*warnings, SEE_THROUGH) if see_through else warnings)


def _opaque(alpha: np.ndarray) -> float:
    return np.iinfo(alpha.dtype).max if np.issubdtype(alpha.dtype, np.integer) else 1.0


def _read_tiff(path: Path, file: BinaryIO) -> Iterator[Frame]:
    pages = tiff_pages.tiff_pages(path, file)
    for page in pages:
        with decoding(path):
            frame = _tiff_frame(path, file, page)
        yield Frame(frame.image, len(pages), warnings=frame.warnings)


def _tiff_frame(path: Path, file: BinaryIO, page: tiff_pages.TiffPage) -> Frame:
    if not page.by_pillow:
        # OpenCV turns a TIFF upright, too.
        values = _by_opencv(tiff_pages.with_first_page(path, page))
        upright = (page.columns, page.rows) if page.orientation in SIDEWAYS else (page.rows, page.columns)
        if values.shape[:2] != upright or values.itemsize * 8 != page.bits:
            raise ValueError('its pixels are not those of its header')
        colours = values[..., :3] if values.ndim == 3 else values
        alpha = values[..., 3] if page.alpha else None
        premultiplied = page.alpha == tiff_pages.PREMULTIPLIED
        frame = _deep_frame(colours, alpha, None, 1, page.inverted, premultiplied)
        return Frame(frame.image, warnings=_turned(page.orientation, frame.image) + frame.warnings)
    try:
        picture = _open(file, path)
        picture.seek(page.index)
    except (InputError, SyntaxError):  # What Pillow says of kinds that it does not know.
        raise tiff_pages.unsupported(path, page.kind) from None
    if not page.deep:
        return _frame(path, picture)
    picture.load()  # This turns it upright.
    values = np.asarray(picture)
    if (page.bits, page.form) == (32, tiff_pages.UNSIGNED):
        values = values.view(np.uint32)
    frame = _deep_frame(values, None, None, 1, page.inverted)
    return Frame(frame.image, warnings=_turned(page.orientation, frame.image))
