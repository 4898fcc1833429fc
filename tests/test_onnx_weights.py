"""Weights of ONNX graphs, as the package onnx reads them: finite ones pass, others are named, damage is said."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from cephalometric.errors import InputError
from cephalometric.prediction.networks import OnnxNetworks
from cephalometric.prediction.onnx_weights import not_finite_weights

ORIGINS = ('raw', 'listed', 'constant', 'outside', 'in a branch')


def graph_with(path, values, origin):
    """A graph y = x + weights, or one that takes y from a branch; the weights are kept in one of several ways."""
    weights = numpy_helper.from_array(values, 'weights')
    if origin == 'listed':
        weights = helper.make_tensor('weights', weights.data_type, values.shape, values.ravel().tolist())
    if origin == 'outside':
        (path.parent / 'weights.bin').write_bytes(b'head' + values.tobytes())
        weights.ClearField('raw_data')
        weights.data_location = TensorProto.EXTERNAL
        for key, value in (('location', 'weights.bin'), ('offset', 4), ('length', values.nbytes)):
            weights.external_data.add(key=key, value=str(value))
    kind = weights.data_type
    inputs = [helper.make_tensor_value_info('x', kind, values.shape)]
    outputs = [helper.make_tensor_value_info('y', kind, values.shape)]
    add, initializers = helper.make_node('Add', ['x', 'weights'], ['y']), [weights]
    nodes = [add]
    if origin == 'constant':
        nodes, initializers = [helper.make_node('Constant', [], ['weights'], value=weights), add], []
    if origin == 'in a branch':
        inner = helper.make_graph([add], 'branch', [], outputs, initializers)
        condition = numpy_helper.from_array(np.array(True), 'condition')
        nodes = [helper.make_node('If', ['condition'], ['y'], then_branch=inner, else_branch=inner)]
        initializers = [condition]
    model = helper.make_model(helper.make_graph(nodes, 'test', inputs, outputs, initializers))
    onnx.save(model, path)
    return path


@given(
    st.sampled_from(ORIGINS),
    st.sampled_from(['float32', 'float64', 'float16']),
    st.integers(0, 11),
    st.sampled_from([None, np.nan, np.inf, -np.inf]),
)
def test_weights_that_are_not_finite_are_named_wherever_they_are_kept(tmp_path_factory, origin, kind, place, spoilt):
    if origin == 'listed' and kind == 'float16':
        kind = 'float32'  # onnx lists these as whole numbers; no exporter does.
    values = np.linspace(-1, 1, 12).astype(kind).reshape(3, 4)
    if spoilt is not None:
        values.flat[place] = spoilt
    path = graph_with(tmp_path_factory.mktemp('graph') / 'graph.onnx', values, origin)
    assert not_finite_weights(path) == (None if spoilt is None else 'weights')


def test_such_a_graph_is_refused_before_it_is_run_though_its_outputs_were_finite(tmp_path):
    # Minus infinity is 0 behind a ReLU: what the network puts out tells nothing.
    weights = numpy_helper.from_array(np.full(4, -np.inf, np.float32), 'bias')
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in 'xy']
    nodes = [helper.make_node('Add', ['x', 'bias'], ['sum']), helper.make_node('Relu', ['sum'], ['y'])]
    path = tmp_path / 'search.onnx'
    onnx.save(helper.make_model(helper.make_graph(nodes, 'test', value[:1], value[1:], [weights])), path)
    with pytest.raises(InputError, match=r'search\.onnx: the weights bias are not finite: the training diverged'):
        OnnxNetworks(path)


def test_the_graphs_of_a_trained_model_pass(model_folder):
    graphs = list(model_folder.glob('*.onnx'))
    assert graphs and all(not_finite_weights(path) is None for path in graphs)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_graph_is_read_or_named(tmp_path_factory, place, junk):
    path = graph_with(tmp_path_factory.mktemp('graph') / 'graph.onnx', np.ones((3, 4), np.float32), 'constant')
    content = path.read_bytes()
    place = min(place, len(content))
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    try:
        found = not_finite_weights(path)
    except InputError as error:  # Any other exception fails.
        assert str(path) in str(error)
    else:
        assert found is None or isinstance(found, str)


def test_weights_elsewhere_than_in_its_folder_are_not_read(tmp_path):
    (tmp_path / 'sub').mkdir()
    path = graph_with(tmp_path / 'sub' / 'graph.onnx', np.ones(4, np.float32), 'outside')
    path.write_bytes(path.read_bytes().replace(b'weights.bin', b'../weigh.bi'))
    with pytest.raises(InputError, match='takes weights from'):
        not_finite_weights(path)
