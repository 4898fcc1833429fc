"""ONNX Runtime takes the cores that this process may use, and no others."""

import os

import pytest

from cephalometric.errors import InputError
from cephalometric.prediction.networks import OnnxNetworks, onnxruntime_gpus


@pytest.mark.skipif(not hasattr(os, 'sched_setaffinity') or os.cpu_count() < 2, reason='needs two cores on Linux')
def test_where_some_cores_are_kept_from_the_process_there_is_a_thread_for_each_other_one(model_folder):
    def threads(networks):
        return networks.coarse_session.get_session_options().intra_op_num_threads

    usable = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(usable)})
        assert threads(OnnxNetworks(model_folder / 'search.onnx')) == 1
        assert threads(OnnxNetworks(model_folder / 'search.onnx', threads=2)) == 2
    finally:
        os.sched_setaffinity(0, usable)


def test_a_gpu_is_refused_where_onnx_runtime_computes_on_cpus_alone(model_folder):
    assert onnxruntime_gpus() == 0
    with pytest.raises(
        InputError, match='cuda:0: this ONNX Runtime computes on CPUs alone: pip install onnxruntime-gpu'
    ):
        OnnxNetworks(model_folder / 'search.onnx', device='cuda:0')
