# Purpose:  the HRNet-W32 baseline with the adaptive wing loss (X. Wang et al., arXiv 1904.07399), which weighs small
#           errors near a landmark more than the mean squared error does.
# Command:  python step3_train_and_evaluation.py \
#               cldetection_configs/td-hm_hrnet-w32_udp-8xb64-250e-512x512_AdaptiveWingLoss.py
# Memory:   as the KeypointMSELoss recipe.
# Time:     as the KeypointMSELoss recipe.
# Score:    not measured here: needs a GPU.
_base_ = 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss.py'

# Without use_target_weight this loss would learn from landmarks that are marked as missing.
model = dict(head=dict(loss=dict(type='AdaptiveWingLoss', alpha=2.1, omega=14, use_target_weight=True)))
