"""By what a DICOM file is known, without the library that reads it."""

import re

HEAD = 1024
# What files without preamble begin with: an element of group 2 or 8, its type or a small length, also big-endian.
BARE = re.compile(rb'[\x02\x08]\x00.\x00([A-Z]{2}|..\x00\x00)|\x00[\x02\x08]\x00.[A-Z]{2}', re.DOTALL)


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these bytes (132 or more) is DICOM, with its preamble or without."""
    return head[128:132] == b'DICM' or bool(BARE.match(head))
