"""Packages of one's own in the image: stage_packages.py and what stage_model.py says of models that need one."""

import shutil
import sys
from pathlib import Path

import own_package
import pytest
from conftest import ROOT
from test_process import load_script, run

from cephalometric.api import load_model
from cephalometric.errors import InputError

stage_packages, stage_model = load_script('stage_packages'), load_script('stage_model')


@pytest.fixture
def package(tmp_path):
    return own_package.write_package(tmp_path)


@pytest.fixture(scope='module')
def own(tmp_path_factory):
    """A folder with a package and a model that needs it; the package is not on Python's path, as for build.sh."""
    folder = tmp_path_factory.mktemp('own')
    own_package.write_package(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(str(folder))
        own_package.write_own_model(folder)
    forget()
    return folder


def forget():
    for name in [name for name in sys.modules if name.partition('.')[0] == own_package.NAME]:
        del sys.modules[name]


def stage(monkeypatch, out, *folders):
    out.mkdir(exist_ok=True)
    run(monkeypatch, stage_packages, '--out', out, *folders)
    return sorted(path.relative_to(out).as_posix() for path in out.rglob('*') if path.is_file())


def test_a_package_from_elsewhere_keeps_its_name_and_leaves_caches_behind(monkeypatch, tmp_path, package):
    for name in ('__pycache__/backbone.pyc', '.git/config', 'part/__init__.py'):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).touch()
    found = stage(monkeypatch, tmp_path / 'image', package)
    assert found == [f'own_networks/{name}' for name in ('__init__.py', 'backbone.py', 'part/__init__.py')]


@pytest.mark.parametrize('marked', [True, False])
def test_a_package_of_the_repository_keeps_its_dotted_path(monkeypatch, tmp_path, marked):
    monkeypatch.setattr(stage_packages, 'ROOT', tmp_path / 'repository')
    above = tmp_path / 'repository' / 'projects'
    above.mkdir(parents=True)
    for name in stage_packages.REQUIREMENTS:
        shutil.copy(ROOT / name, tmp_path / 'repository')
    if marked:
        (above / '__init__.py').touch()
    (above / 'another').mkdir()
    package = own_package.write_package(above)
    monkeypatch.chdir(above)
    found = stage(monkeypatch, tmp_path / 'image', package.name)
    expected = [f'projects/own_networks/{name}' for name in ('__init__.py', 'backbone.py')]
    assert found == ['projects/__init__.py'] * marked + expected


def test_several_packages_lie_beside_each_other(monkeypatch, tmp_path, package):
    second = shutil.copytree(package, tmp_path / 'second')
    found = stage(monkeypatch, tmp_path / 'image', package, second)
    assert {name.split('/')[0] for name in found} == {'own_networks', 'second'}
    with pytest.raises(InputError, match='second: another module of the image is imported as second'):
        stage(monkeypatch, tmp_path / 'image', second)


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('nowhere', 'there is no such folder'),
        ('file.py', 'there is no such folder'),
        ('plain', 'no Python package, which holds __init__.py'),
        ('my-networks', "cannot import a folder that is called 'my-networks': rename it"),
        ('class', "called 'class'"),
        ('json', 'another module of the image is imported as json'),
        ('numpy', 'another module of the image is imported as numpy'),
        ('cv2', 'another module of the image is imported as cv2'),
        ('cephalometric', 'another module of the image is imported as cephalometric'),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(monkeypatch, tmp_path, name, message):
    folder = tmp_path / name
    if name == 'file.py':
        folder.touch()
    elif name != 'nowhere':
        folder.mkdir()
        if name != 'plain':
            (folder / '__init__.py').touch()
    (tmp_path / 'image' / 'cephalometric').mkdir(parents=True)
    with pytest.raises(InputError, match=message) as caught:
        stage(monkeypatch, tmp_path / 'image', folder)
    assert str(folder) in str(caught.value) and '\n' not in str(caught.value)
    assert [path.name for path in (tmp_path / 'image').iterdir()] == ['cephalometric']


def test_a_model_without_graphs_is_refused_for_onnxruntime_with_the_remedy(monkeypatch, tmp_path, own):
    with pytest.raises(InputError, match=r'own_model: ONNX Runtime cannot .*fft_rfft2.*--runtime torch') as caught:
        run(monkeypatch, stage_model, '--model', own / 'own_model', '--runtime', 'onnxruntime', '--out', tmp_path / 'm')
    assert '\n' not in str(caught.value)


def test_a_model_is_refused_without_its_package_and_opened_with_it(monkeypatch, tmp_path, own):
    arguments = '--model', own / 'own_model', '--out', tmp_path / 'model'
    with pytest.raises(InputError, match=r'imports own_networks .*add --with FOLDER'):
        run(monkeypatch, stage_model, *arguments)
    stage(monkeypatch, tmp_path / 'image', own / 'own_networks')
    monkeypatch.syspath_prepend(str(tmp_path / 'image'))
    shutil.rmtree(tmp_path / 'model')
    run(monkeypatch, stage_model, *arguments)
    assert Path(sys.modules['own_networks'].__file__).is_relative_to(tmp_path / 'image')
    assert len(load_model(tmp_path / 'model').landmarks) == 38
    forget()


def test_a_model_with_graphs_needs_no_pytorch(monkeypatch, tmp_path, model_folder):
    monkeypatch.setitem(sys.modules, 'torch', None)
    run(monkeypatch, stage_model, '--model', model_folder, '--runtime', 'onnxruntime', '--out', tmp_path / 'model')
    assert len(load_model(tmp_path / 'model', backend='onnxruntime').landmarks) == 38


def test_what_the_runtimes_install_is_named_once():
    lines = {
        path.name: {line for line in path.read_text().splitlines() if line and not line.startswith('#')}
        for path in (ROOT / 'step6_docker_and_upload' / 'packages').glob('*.txt')
    }
    names = [name for path, every in lines.items() for name in every]
    assert len(names) == len(set(names)) > 10
