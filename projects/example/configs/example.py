# Purpose:  a backbone, a head and a loss of one's own, to copy and change: see docs/own_modules.md.
# Command:  python step3_train_and_evaluation.py projects/example/configs/example.py
_base_ = [
    '../../../cldetection_configs/_base_/runtime.py',
    '../../../cldetection_configs/_base_/data.py',
    '../../../cldetection_configs/_base_/models/topdown.py',
]
custom_imports = dict(imports=['cephalometric.training', 'cephalometric.models', 'projects.example'])

codec = dict(type='BoundedUDPHeatmap', input_size=(256, 320), heatmap_size=(64, 80), sigma=2)
model = dict(
    backbone=dict(type='ExampleBackbone', channels=32),
    head=dict(type='ExampleHead', loss=dict(type='ExampleLoss', near=20.0)),
)

train_cfg = dict(by_epoch=True, max_epochs=40, val_interval=5)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True)]
