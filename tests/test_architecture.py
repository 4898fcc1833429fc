"""The house rules that imports can break: layers, no cycles, PyTorch in two rooms alone, and sizes."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'mmpose_package' / 'cephalometric'
OUTSIDE = {path.stem for path in ROOT.glob('*.py')} | {'cldetection_configs', 'step6_docker_and_upload'}
UPSTAIRS = {'training', 'models'}
HEAVY = {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmpose'}
GROUND_FLOOR = {
    'errors',
    'files',
    'csv_files',
    'landmarks',
    'geometry',
    'orientation',
    'scores',
    'checks',
    'measurements',
}


def modules():
    for path in PACKAGE.rglob('*.py'):
        if 'zoo' in path.parts:  # Models: data, and the file for other programs that every model folder has.
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
        yield '.'.join(parts[:-1] if parts[-1] == '__init__' else parts), path


def imports(path):
    """What a module imports, also within functions; names of functions and classes are left on."""
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


def inner_imports(name):
    for imported in IMPORTS[name]:
        parts = imported.split('.')
        while parts and '.'.join(parts) not in MODULES:
            parts.pop()
        if len(parts) > 1 and '.'.join(parts) != name:
            yield '.'.join(parts)


def all_reached(name):
    """All modules of the package that are loaded with one, through others too, and with the packages they lie in."""
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in seen and current in MODULES:
            seen.add(current)
            waiting.extend([*inner_imports(current), current.rpartition('.')[0]])
    return seen


def test_the_package_imports_no_step_and_no_config():
    assert {
        name: found for name, every in IMPORTS.items() if (found := {i.split('.')[0] for i in every} & OUTSIDE)
    } == {}


def test_only_training_and_models_load_pytorch_also_through_others():
    loads = {name for name, every in IMPORTS.items() if {i.split('.')[0] for i in every} & HEAVY}
    assert loads and {room(name) for name in loads} <= UPSTAIRS
    for name in MODULES:
        if room(name) not in UPSTAIRS:
            assert not all_reached(name) & loads, name


def test_the_ground_floor_needs_numpy_alone():
    for name, every in IMPORTS.items():
        if room(name) in GROUND_FLOOR:
            assert not {i.split('.')[0] for i in every} & {'cv2', 'SimpleITK', 'scipy', 'matplotlib', *HEAVY}, name


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


def test_no_module_is_long_and_no_name_stands_twice():
    lengths = {name: len(path.read_text(encoding='utf-8').splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    names = Counter(path.stem for path in MODULES.values() if path.stem not in ('__init__', '__main__'))
    assert [name for name, count in names.items() if count > 1] == []
