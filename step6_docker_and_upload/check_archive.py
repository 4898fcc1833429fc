#!/usr/bin/env python3
"""Check an exported image as Grand Challenge does on upload: one image, for amd64, with a user other than root."""

import gzip
import json
import lzma
import re
import sys
import tarfile
import zlib

# Manifests and configs are far smaller, layers are of no interest.
LARGEST_JSON = 1 << 22
CHUNK = 1 << 20


def small_files(path: str) -> dict[str, bytes]:
    unpack = lzma.open if path.endswith('.xz') else gzip.open
    with unpack(path) as stream, tarfile.open(fileobj=stream, mode='r|') as archive:
        files = {
            member.name: archive.extractfile(member).read()
            for member in archive
            if member.isfile() and member.size <= LARGEST_JSON
        }
        while stream.read(CHUNK):  # To the end, where the checksum is compared.
            pass
    return files


def problem(files: dict[str, bytes]) -> str | None:
    if 'manifest.json' not in files:
        return 'there is no manifest.json in it: it was not made by "docker save"'
    manifest = json.loads(files['manifest.json'])
    if len(manifest) != 1:
        return f'it holds {len(manifest)} images, and one is needed'
    config = json.loads(files[manifest[0]['Config']])
    if config['architecture'] != 'amd64':
        return f'it is built for {config["architecture"]}, and amd64 is needed: build it with --platform linux/amd64'
    user = config['config'].get('User', '')
    if user.split(':')[0] in ('', '0', 'root') or not re.fullmatch('[0-9a-zA-Z]+(:[0-9a-zA-Z]+)?', user):
        return f'its user is {user!r}, and one of letters and digits is needed that is not root'
    return None


def main() -> None:
    path = sys.argv[1]
    try:
        found = problem(small_files(path))
    except (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, KeyError, ValueError) as error:
        found = f'not a readable image archive ({error})'
    if found:
        sys.exit(f'error: {path}: {found}')
    print('The archive holds one image, for amd64, whose user is not root.')


if __name__ == '__main__':
    main()
