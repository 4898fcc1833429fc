# How the learning rate goes: it rises for some steps, then falls with a cosine until the last epoch. A recipe says how
# many epochs there are, once, in train_cfg; a begin, end or milestone between 0 and 1 is a part of them.
param_scheduler = dict(
    LinearLR=dict(begin=0, end=100, start_factor=0.04, by_epoch=False),
    CosineAnnealingLR=dict(begin=0, eta_min_ratio=0.0005, by_epoch=True, convert_to_iter_based=True),
)
