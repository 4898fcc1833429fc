"""Frames of DICOM files, the compressed ones unpacked in a process of their own.

GDCM, which unpacks them, ends the process that it runs in on some damaged files. Only that file is to be lost.
"""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from pydicom.pixels import pixel_array
from pydicom.uid import UID, RLELossless

LONGEST_S = 120


def decode_frame(path: Path, syntax: UID, index: int) -> np.ndarray:
    """A frame of a DICOM file, colours as RGB.

    Args:
        path: The file.
        syntax: Its transfer syntax.
        index: The number of the frame, from 0.

    Raises:
        Exception: Of any kind, if the frame cannot be decoded.
    """
    if not syntax.is_compressed or syntax == RLELossless:
        return pixel_array(path, index=index, transfer_syntax_uid=syntax)
    done = subprocess.run(
        [sys.executable, '-m', __name__, str(path), syntax, str(index)],
        capture_output=True,
        timeout=LONGEST_S,
        env=os.environ | {'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode:
        said = ' '.join(done.stderr.decode(errors='replace').split())[-120:]
        raise ValueError(f'{syntax.name}: {said or "the decoder broke down"}')
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def main() -> None:
    """Write a frame to stdout as .npy. What the decoders print goes to stderr."""
    output = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)
    path, syntax, index = sys.argv[1:]
    buffer = io.BytesIO()
    np.save(buffer, pixel_array(path, index=int(index), transfer_syntax_uid=UID(syntax)))
    with output:
        output.write(buffer.getbuffer())


if __name__ == '__main__':
    main()
