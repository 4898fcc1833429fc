"""The house rules that imports can break: layers, no cycles, and torch only upstairs."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'mmpose_package' / 'cephalometric'
OUTSIDE = {path.stem for path in ROOT.glob('*.py')} | {'cldetection_configs', 'step6_docker_and_upload'}
UPSTAIRS = {'training', 'models', 'prediction'}
HEAVY = {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmpose'}
GROUND_FLOOR = {
    'errors',
    'landmarks',
    'layouts',
    'geometry',
    'measurements',
    'orientation',
    'scores',
    'checks',
    'splits',
}


def modules():
    for path in PACKAGE.rglob('*.py'):
        parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
        yield '.'.join(parts[:-1] if parts[-1] == '__init__' else parts), path


def imports(path):
    """What a module imports when it is loaded; names of functions and classes are left on."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


MODULES = dict(modules())
IMPORTS = {name: set(imports(path)) for name, path in MODULES.items()}


def room(name):
    parts = name.split('.')
    return parts[1] if len(parts) > 1 else ''


def test_the_package_imports_no_step_and_no_config():
    assert {
        name: found for name, every in IMPORTS.items() if (found := {i.split('.')[0] for i in every} & OUTSIDE)
    } == {}


def test_only_training_models_and_prediction_import_torch_or_mmpose():
    for name, every in IMPORTS.items():
        if {i.split('.')[0] for i in every} & HEAVY:
            assert room(name) in UPSTAIRS, name


def test_the_ground_floor_needs_numpy_alone():
    for name, every in IMPORTS.items():
        if room(name) in GROUND_FLOOR:
            assert not {i.split('.')[0] for i in every} & {'cv2', 'SimpleITK', 'scipy', 'matplotlib', *HEAVY}, name


def inner_imports(name):
    for imported in IMPORTS[name]:
        parts = imported.split('.')
        while parts and '.'.join(parts) not in MODULES:
            parts.pop()
        if len(parts) > 1 and '.'.join(parts) != name:
            yield '.'.join(parts)


def cycle(graph):
    """A node that can reach itself, or None."""
    for start in graph:
        seen, waiting = set(), list(graph[start])
        while waiting:
            node = waiting.pop()
            if node == start:
                return start
            if node not in seen:
                seen.add(node)
                waiting.extend(graph.get(node, ()))
    return None


def test_there_are_no_import_cycles_between_modules():
    assert cycle({name: set(inner_imports(name)) for name in MODULES}) is None


def test_there_are_no_import_cycles_between_rooms():
    rooms = {}
    for name in MODULES:
        rooms.setdefault(room(name), set()).update(room(other) for other in inner_imports(name))
    assert cycle({name: others - {name} for name, others in rooms.items() if name}) is None


def test_the_check_for_cycles_finds_one():
    assert cycle({'a': {'b'}, 'b': {'c'}, 'c': {'a'}}) and not cycle({'a': {'b'}, 'b': {'c'}})
