"""Is this machine ready? One check after another, each with its remedy.

Everything is imported by name while it is checked: a library that cannot be imported is a finding here, and must not
end the program that reports it.
"""

import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement

VERSIONS = (
    'torch',
    'torchvision',
    'mmengine',
    'mmcv',
    'mmcv-lite',
    'mmpose',
    'cephalometric',
    'numpy',
    'opencv-python',
    'SimpleITK',
    'xtcocotools',
    'pycocotools',
)
COMPONENTS = {
    'DATASETS': ('CephalometricDataset',),
    'METRICS': ('CephalometricMetric',),
    'MODELS': ('CephalometricCSPNeXt',),
    'TRANSFORMS': ('RandomCutout',),
    'HOOKS': ('ResumableCheckpointHook', 'EpochSeedHook', 'CurvesHook', 'ProgressBarHook', 'BestWeightsHook'),
}
REINSTALL = 'remove .venv and run make env, which installs the versions of requirements.txt'


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: What was checked.
        passed: Whether it is well.
        detail: What was seen.
        remedy: What to do when it is not well.
    """

    name: str
    passed: bool
    detail: str
    remedy: str


def versions() -> Iterator[tuple[str, str]]:
    """Names and versions of everything that matters; libraries that are not installed say so."""
    yield 'Python', platform.python_version()
    for name in VERSIONS:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, 'not installed'


def device() -> str:
    """The device that training and prediction will use."""
    try:
        cuda = import_module('torch').cuda
    except ImportError as error:
        return f'unknown: torch cannot be imported ({error})'
    if not cuda.is_available():
        return f'CPU ({platform.processor() or platform.machine()}); torch sees no GPU'
    return ', '.join(f'GPU {index}: {cuda.get_device_name(index)}' for index in range(cuda.device_count()))


def check_installation(config_folder: Path) -> Iterator[Check]:
    """Check libraries, components, every config of a folder, and checkpoints, in the order in which they build up."""
    yield _check('torch and torchvision match', _torch_and_torchvision, REINSTALL)
    yield _check('numpy and the COCO tools agree', _numpy_and_coco_tools, REINSTALL)
    yield _check("mmcv is within MMPose's range", _mmcv, 'install mmcv-lite 2.1.0 with MMPose 1.1.0')
    yield _check('our components are registered', _components, 'run pip install --no-deps -e mmpose_package')
    configs = sorted(config_folder.glob('*.py'))
    if not configs:
        found = 'it holds no *.py' if config_folder.is_dir() else 'no such folder'
        yield Check(f'{config_folder} holds configs', False, found, 'name the folder of the recipes with --configs')
    for path in configs:
        yield _check(
            f'{path.stem} builds, loads and predicts',
            lambda path=path: _config(path),
            f'see what changed in {path} and in the files that it inherits from',
        )
    yield _check('a checkpoint is saved, loaded and verified', _checkpoint, REINSTALL)


def _check(name: str, look: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, look(), remedy)
    except Exception as error:  # Whatever is wrong with a library is what this is to find out.
        reason = str(error).strip().splitlines() or ['no reason given']
        return Check(name, False, f'{type(error).__name__}: {reason[0]}', remedy)


def _torch_and_torchvision() -> str:
    torch, torchvision = import_module('torch'), import_module('torchvision')
    wanted = next(need for need in map(Requirement, metadata.requires('torchvision')) if need.name == 'torch')
    if not wanted.specifier.contains(torch.__version__, prereleases=True):
        raise RuntimeError(f'torchvision {torchvision.__version__} needs {wanted}, and torch is {torch.__version__}')
    # torchvision's compiled operators are what fails when the two do not match.
    torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([1.0]), 0.5)
    return f'{torch.__version__} and {torchvision.__version__}'


def _numpy_and_coco_tools() -> str:
    tools = import_module('cephalometric.models.coco_tools').find_coco_tools()
    import_module(f'{tools}.mask').encode(np.asfortranarray(np.ones((2, 2, 1), np.uint8)))
    return f'numpy {np.__version__}, {tools} {metadata.version(tools)}'


def _mmcv() -> str:
    import_module('mmpose')  # It raises AssertionError for versions that it does not accept.
    return f'mmcv {import_module("mmcv").__version__}, MMPose {import_module("mmpose").__version__}'


def _components() -> str:
    for room in ('training', 'models'):
        import_module(f'cephalometric.{room}')
    registries = import_module('mmpose.registry')
    for registry, names in COMPONENTS.items():
        missing = [name for name in names if getattr(registries, registry).get(name) is None]
        if missing:
            raise LookupError(f'{", ".join(missing)} missing in {registry}')
    return ', '.join(name for names in COMPONENTS.values() for name in names)


def _config(path: Path) -> str:
    torch = import_module('torch')
    config = import_module('cephalometric.training.recipe').load_config(path)
    model = import_module('cephalometric.training.torch_networks').build_model(config)
    with tempfile.TemporaryDirectory() as folder:
        weights, written = Path(folder, 'weights.pth'), Path(folder, 'model')
        torch.save({'state_dict': model.state_dict()}, weights)
        import_module('cephalometric.training.checkpoint_models').write_checkpoint_model(weights, written, path)
        opened = import_module('cephalometric.api').load_model(written)
    (answer,) = opened.answers([np.random.default_rng(0).integers(1, 255, (300, 240), np.uint8)], [None], upright=True)
    if answer.points_px.shape != (len(opened.landmarks), 2) or not np.isfinite(answer.points_px).all():
        raise RuntimeError(f'it gave {answer.points_px.shape} instead of {len(opened.landmarks)} finite points')
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    return f'{len(opened.landmarks)} landmarks, {millions:.1f} million parameters'


def _checkpoint() -> str:
    torch = import_module('torch')
    checkpoints = import_module('cephalometric.training.checkpoints')
    buffers = import_module('mmengine.logging').HistoryBuffer([0.5], [1])
    content = {'state_dict': {'weight': torch.arange(3.0)}, 'message_hub': {'log_scalars': {'loss': buffers}}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'checkpoint.pth'
        torch.save(content, path)
        loaded = checkpoints.load_from_checked_file(str(path))
    if not torch.equal(loaded['state_dict']['weight'], content['state_dict']['weight']):
        raise RuntimeError('the weights changed on the way')
    return 'without running code from the file'
