"""What the platform checks when an image is uploaded."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / 'step6_docker_and_upload' / 'check_archive.py'


def write_archive(path, architecture='amd64', user='algorithm', images=1, config_name='blobs/sha256/1234'):
    files = {
        # In the order of "docker save": the manifest last.
        'layer.tar': bytes(10),
        config_name: json.dumps({'architecture': architecture, 'config': {'User': user}}).encode(),
        'manifest.json': json.dumps([{'Config': config_name}] * images).encode(),
    }
    with tarfile.open(path, 'w:xz' if path.suffix == '.xz' else 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def check(path):
    return subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True)


@pytest.mark.parametrize('user', ['algorithm', '1000', 'algorithm:algorithm', '1000:1000'])
@pytest.mark.parametrize('config_name', ['blobs/sha256/1234', '1234.json'])
def test_a_good_image_passes(tmp_path, user, config_name):
    write_archive(tmp_path / 'image.tar.gz', user=user, config_name=config_name)
    assert check(tmp_path / 'image.tar.gz').returncode == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'architecture': 'arm64'}, 'built for arm64'),
        ({'user': ''}, "user is ''"),
        ({'user': 'root'}, "user is 'root'"),
        ({'user': '0:0'}, "user is '0:0'"),
        ({'user': 'al_gorithm'}, "user is 'al_gorithm'"),
        ({'images': 2}, 'holds 2 images'),
        ({'images': 0}, 'holds 0 images'),
    ],
)
def test_others_are_refused_in_one_line(tmp_path, options, message):
    write_archive(tmp_path / 'image.tar.gz', **options)
    result = check(tmp_path / 'image.tar.gz')
    assert result.returncode == 1
    assert message in result.stderr and result.stderr.count('\n') == 1


def test_an_archive_of_xz_is_read_as_one_of_gzip(tmp_path):
    path = tmp_path / 'image.tar.xz'
    write_archive(path)
    assert check(path).returncode == 0
    write_archive(path, user='root')
    assert "user is 'root'" in check(path).stderr


@pytest.mark.parametrize('name', ['image.tar.gz', 'image.tar.xz'])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, name):
    path = tmp_path / name
    write_archive(path)
    path.write_bytes(path.read_bytes()[:-40])
    result = check(path)
    assert result.returncode == 1
    assert 'not a readable image archive' in result.stderr and result.stderr.count('\n') == 1


def test_an_archive_without_a_manifest_is_refused(tmp_path):
    with tarfile.open(tmp_path / 'image.tar.gz', 'w:gz') as archive:
        archive.add(SCRIPT, 'something')
    assert 'no manifest.json' in check(tmp_path / 'image.tar.gz').stderr
