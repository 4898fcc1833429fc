"""The wheel that pip builds of mmpose_package holds all that the package reads, and names all that it imports."""

import ast
import re
import subprocess
import sys
import zipfile
from email.parser import BytesParser

import pytest
from conftest import ROOT
from packaging.requirements import Requirement

import cephalometric

PROJECT = ROOT / 'mmpose_package'
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'gdcm': 'python-gdcm', 'mmcv': 'mmcv-lite'}
# MMPose is installed without its dependencies, which no extra can say.
NOT_DECLARED = {'cephalometric', 'mmpose'}


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, as pip has it built: by the build backend, in the folder itself."""
    before = set(PROJECT.iterdir())
    folder = tmp_path_factory.mktemp('wheel')
    build = 'import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])'
    done = subprocess.run([sys.executable, '-c', build, folder], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(PROJECT.iterdir()) == before
    (path,) = folder.glob('*.whl')
    with zipfile.ZipFile(path) as opened:
        yield opened


@pytest.fixture(scope='module')
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('.dist-info/METADATA'))
    return BytesParser().parsebytes(wheel.read(name))


def third_party_imports():
    """Every package that a module imports, also within a function."""
    for path in (PROJECT / 'cephalometric').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            yield from (name.split('.')[0] for name in names)


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel):
    package = PROJECT / 'cephalometric'
    files = {
        path.relative_to(PROJECT).as_posix()
        for path in package.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    packed = {name for name in wheel.namelist() if '.dist-info/' not in name}
    assert packed == files
    for folder in ('landmark_sets', 'measurements'):
        assert any(re.fullmatch(rf'cephalometric/{folder}/\w+\.json', name) for name in packed), folder
    assert {'cephalometric/reporting/page/report.html.jinja', 'cephalometric/reporting/page/report.css'} <= packed


def test_weights_are_packed_although_git_ignores_such_files_elsewhere(tmp_path):
    package = tmp_path / 'mmpose_package' / 'cephalometric'
    (package / 'zoo' / 'some_model').mkdir(parents=True)
    (package / '__init__.py').write_text("__version__ = '1.2.3'\n")
    (package / 'zoo' / 'some_model' / 'weights.pth').write_bytes(b'weights')
    for name in ('.gitignore', 'mmpose_package/pyproject.toml'):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(['git', 'init', '--quiet', tmp_path], check=True)
    build = 'from hatchling.build import build_wheel; print(build_wheel("."))'
    subprocess.run([sys.executable, '-c', build], cwd=package.parent, check=True, capture_output=True)
    with zipfile.ZipFile(package.parent / 'cephalometric-1.2.3-py3-none-any.whl') as wheel:
        assert wheel.read('cephalometric/zoo/some_model/weights.pth') == b'weights'
    known = ['git', 'status', '--porcelain', '--untracked-files=all']
    listed = subprocess.run(known, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert 'mmpose_package/cephalometric/zoo/some_model/weights.pth' in listed


def test_the_version_is_that_of_the_package(metadata):
    assert metadata['Name'] == 'cephalometric' and metadata['Version'] == cephalometric.__version__


def test_the_command_is_the_packages_main(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith('.dist-info/entry_points.txt'))
    assert 'cephalometric = cephalometric.__main__:main_or_exit' in wheel.read(name).decode()


def test_every_import_is_a_dependency_and_those_of_prediction_need_no_pytorch(metadata):
    wanted = [Requirement(line) for line in metadata.get_all('Requires-Dist')]
    base = {each.name.lower() for each in wanted if not each.marker}
    training = {each.name.lower() for each in wanted if each.marker and each.marker.evaluate({'extra': 'training'})}
    imported = set(third_party_imports()) - sys.stdlib_module_names - NOT_DECLARED
    optional = {'timm'}  # By an extra of that name.
    assert optional <= {extra.lower() for extra in metadata.get_all('Provides-Extra')}
    assert {DISTRIBUTIONS.get(name, name) for name in imported} <= base | training | optional
    assert not base & {'torch', 'torchvision', 'mmengine', 'mmcv-lite', 'mmcv', 'mmpose', 'opencv-python'}
    assert {'torch', 'torchvision', 'mmengine', 'mmcv-lite', 'onnx'} <= training


def test_what_the_toolkit_is_tested_with_is_what_the_package_takes(metadata):
    lines = (line.split('#')[0].strip() for line in (ROOT / 'requirements.txt').read_text().splitlines())
    tested = [Requirement(line) for line in lines if line]
    for python in ('3.10', '3.11', '3.12', '3.13'):
        machine = {'python_version': python, 'extra': 'training'}
        here = [each for each in tested if each.marker is None or each.marker.evaluate(machine)]
        pinned = {each.name.lower(): next(iter(each.specifier)).version for each in here}
        assert len(pinned) == len(here), 'each is pinned once'
        pinned['opencv-python-headless'] = pinned['opencv-python']
        for each in map(Requirement, metadata.get_all('Requires-Dist')):
            if each.name.lower() in pinned and (each.marker is None or each.marker.evaluate(machine)):
                assert each.specifier.contains(pinned[each.name.lower()]), each
