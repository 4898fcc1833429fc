#!/usr/bin/env python3
"""Does the toolkit notice that a picture is no lateral cephalogram, and does it leave the real ones alone?

python benchmarks/wrong_pictures.py IMAGES [--model MODEL ...] [--out-of-fold RESULTS.json ... [--real-only]]
    [--save FOLDER]

IMAGES is a folder of lateral cephalograms that face right. Halves, small parts and covered ones of them are among the
wrong pictures. Others are photographs and medical images that come with Python packages (scikit-image, scikit-learn,
matplotlib, pydicom, nilearn: "pip install --no-deps --target FOLDER ..." and PYTHONPATH=FOLDER do), and drawings. All
are the same each time.

Printed are how many wrong pictures are warned about, which ones are not, and with --out-of-fold (the results.json of a
cross-validation, one for each fold, in the order of the models) how many of the real ones are, each by the model that
has not seen it.
"""

import argparse
import gzip
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm
from wrong_drawings import drawings

PICTURES = ('.png', '.jpg', '.jpeg', '.tif', '.gif')
PACKAGES = {
    'skimage': 'data', 'sklearn': 'datasets/images', 'matplotlib': 'mpl-data/sample_data', 'nilearn': 'datasets/data',
    'pydicom': 'data/test_files',
}  # fmt: skip
SLICES = {0: (45, 70, 90, 98, 110, 130, 150), 1: (60, 100, 115, 140, 180), 2: (30, 70, 110)}
"""Along which axis of the MNI brain, and where: 0 sees the head from the side."""
FILMS = 10


def wrong_pictures(images: Path) -> Iterator[tuple[str, np.ndarray]]:
    """All wrong pictures, each with a name that starts with its kind."""
    yield from drawings()
    yield from packaged()
    yield from phantom_parts()
    films = sorted(path for path in images.iterdir() if path.suffix.lower() in (*PICTURES, '.bmp'))
    if not films:
        raise SystemExit(f'{images} holds no picture: give the folder of lateral cephalograms')
    chosen = [films[place] for place in np.linspace(0, len(films) - 1, min(FILMS, len(films))).astype(int)]
    for path in chosen:
        for name, part in parts(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)):
            yield f'{name} of {path.stem}', part
    pages = [cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (480, 600)) for path in chosen]
    for first in range(0, len(pages) - 3, 3):
        four = pages[first : first + 4]
        yield f'collage {first}', np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])


def parts(film: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What is no whole head of a film that shows one."""
    height, width = film.shape
    yield 'upper half', film[: height // 2].copy()
    yield 'lower half', film[height // 2 :].copy()
    yield 'left half', film[:, : width // 2].copy()
    yield 'right half', film[:, width // 2 :].copy()
    yield 'middle', film[height * 3 // 10 : height * 6 // 10, width * 3 // 10 : width * 6 // 10].copy()
    yield 'quarter turn', np.rot90(film).copy()
    covered = film.copy()
    covered[height // 3 :, width // 3 :] = 20
    yield 'covered face', covered
    covered = film.copy()
    covered[:, : width * 6 // 10] = 128
    yield 'covered skull', covered


def phantom_parts() -> Iterator[tuple[str, np.ndarray]]:
    """Parts of synthetic cephalograms."""
    from cephalometric.phantom.rendering import make_phantom

    for seed in (1, 2):
        film = make_phantom(seed).image
        for name, part in parts(film):
            yield f'phantom {name} {seed}', part


def packaged() -> Iterator[tuple[str, np.ndarray]]:
    """Photographs and medical images of installed packages; says which packages are missing."""
    for package, inside in PACKAGES.items():
        spec = find_spec(package)
        if spec is None:
            print(f'{package} is not installed: its pictures are left out')
            continue
        folder, seen = Path(spec.submodule_search_locations[0], inside), set()
        for path in sorted(folder.rglob('*')):
            for number, picture in enumerate(_pictures_of(path)):
                # Test files often show one picture in many encodings.
                content = (cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA) // 64).tobytes()
                if min(picture.shape[:2]) >= 16 and np.ptp(picture) > 20 and content not in seen:
                    seen.add(content)
                    yield f'{package} {path.stem} {number + 1}', picture


def _pictures_of(path: Path) -> Iterator[np.ndarray]:
    if path.suffix.lower() in PICTURES:
        yield from _photographs(path)
    elif path.suffix == '.dcm':
        yield from _dicom(path)
    elif path.name == 'lfw_subset.npy':
        for face in np.load(path)[:100:9]:
            yield cv2.resize((255 * face).astype(np.uint8), (1000, 1000), interpolation=cv2.INTER_CUBIC)
    elif path.name == 's1045.ima.gz':
        yield _grey(np.frombuffer(gzip.decompress(path.read_bytes()), np.uint16).reshape(256, 256).astype(float))
    elif path.name in ('topobathy.npz', 'jacksboro_fault_dem.npz'):
        with np.load(path) as content:
            yield _grey(content['topo' if 'topo' in content else 'elevation'].astype(float))
    elif path.name.startswith('mni_icbm152_') and path.name.endswith('.nii.gz'):
        yield from _slices(path)


def _photographs(path: Path) -> Iterator[np.ndarray]:
    """A picture in its colours, and its middle as a large grey one in the shape of a film."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        return
    yield cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    high, wide = min(height, width * 5 // 4), min(width, height * 4 // 5)
    top, left = (height - high) // 2, (width - wide) // 2
    yield cv2.resize(grey[top : top + high, left : left + wide], (1600, 2000), interpolation=cv2.INTER_LINEAR)


def _dicom(path: Path) -> Iterator[np.ndarray]:
    import pydicom

    try:
        pixels = np.asarray(pydicom.dcmread(path).pixel_array)
    except Exception:  # Many of these files are made to be unreadable, and all sorts of errors say so.
        return
    while pixels.ndim > 3 or (pixels.ndim == 3 and pixels.shape[2] != 3):
        pixels = pixels[len(pixels) // 2]
    yield _grey(pixels.astype(float))


def _slices(path: Path) -> Iterator[np.ndarray]:
    """Slices of an MR volume in the NIfTI-1 format, byte per voxel."""
    content = gzip.decompress(path.read_bytes())
    shape, (kind,) = np.frombuffer(content, '<i2', 3, 42), np.frombuffer(content, '<i2', 1, 70)
    start = int(np.frombuffer(content, '<f4', 1, 108)[0])
    dtype = {2: 'u1', 4: '<i2', 16: '<f4', 64: '<f8', 256: 'i1', 512: '<u2'}[int(kind)]
    volume = np.frombuffer(content, dtype, int(np.prod(shape, dtype=np.int64)), start).reshape(shape, order='F')
    for axis, places in SLICES.items():
        for place in places:
            # Upright, and from the side facing right.
            plane = np.take(volume, min(place, shape[axis] - 1), axis).T[::-1]
            yield cv2.resize(_grey(plane.astype(float)), None, fx=6, fy=6, interpolation=cv2.INTER_LINEAR)


def _grey(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, (0.5, 99.5))
    return np.clip(1 + 254 * (values - low) / max(high - low, 1e-9), 1, 255).astype(np.uint8)


def main() -> None:
    args = parse_args()
    import cephalometric as ceph

    models = [ceph.load_model(name) for name in args.model]
    for name, model in () if args.real_only else zip(args.model, models, strict=True):
        unwarned, kinds = [], Counter()
        for picture_name, picture in tqdm(wrong_pictures(args.images), unit='picture'):
            if args.save:
                save(picture, args.save / f'{picture_name}.jpg')
            kinds[picture_name.split()[0]] += 1
            result = model.predict(picture)
            if not result.doubtful:
                unwarned.append(f'{picture_name}: mean score {result.scores.mean():.3f}')
        total = sum(kinds.values())
        print(f'{name}: {total - len(unwarned)} of {total} wrong pictures warned about')
        print('not warned about:', *unwarned or ['none'], sep='\n  ')
        args.save = None
    if args.out_of_fold:
        real_ones(models, args)


def real_ones(models: list, args: argparse.Namespace) -> None:
    """Print how many real X-rays are warned about, each by the model of the fold that left it out."""
    from cephalometric.files import read_json

    warned, count = [], 0
    for model, results in zip(models, args.out_of_fold, strict=True):
        for entry in tqdm(read_json(results)['images'], unit='X-ray'):
            path = args.images / Path(entry['file_name']).name
            result = model.predict(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), spacing_mm=entry['spacing_mm'])
            count += 1
            if result.doubtful:
                warned.append(f'{path.name}: {"; ".join(result.warnings)}')
    print(f'{count - len(warned)} of {count} real X-rays not warned about')
    print('warned about:', *warned or ['none'], sep='\n  ')


def save(picture: np.ndarray, path: Path) -> None:
    """Write a picture for a person to look at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('images', type=Path, metavar='IMAGES', help='folder of lateral cephalograms')
    parser.add_argument('--model', nargs='+', default=['isbi2015'], help='each is asked alone (default: %(default)s)')
    parser.add_argument('--out-of-fold', nargs='+', metavar='RESULTS.json', help='one for each model, in their order')
    parser.add_argument('--real-only', action='store_true', help='with --out-of-fold: no wrong pictures')
    parser.add_argument('--save', type=Path, metavar='FOLDER', help='also write the wrong pictures there')
    return parser.parse_args()


if __name__ == '__main__':
    main()
