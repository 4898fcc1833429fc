"""MRE and SDR as an MMEngine metric."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from cephalometric.geometry import radial_error_mm
from cephalometric.scores import score


@METRICS.register_module()
class CephalometricMetric(BaseMetric):
    """Mean radial error (mm) and success detection rates (%) over all visible landmarks of all images.

    The keys are ``MRE``, ``SDR 2.0mm``, ``SDR 2.5mm``, ``SDR 3.0mm`` and ``SDR 4.0mm``; each can be ``save_best``.
    """

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Keep the errors of a batch.

        Args:
            data_batch: Not used.
            data_samples: The model's outputs, with ``pred_instances`` and ``gt_instances`` in pixels of the original
                image and ``spacing`` in mm per pixel.
        """
        for sample in data_samples:
            truth = sample['gt_instances']
            errors = radial_error_mm(sample['pred_instances']['keypoints'], truth['keypoints'], sample['spacing'])
            visible = np.asarray(truth['keypoints_visible']).astype(bool).reshape(errors.shape)
            self.results.append({'img_id': sample['img_id'], 'errors_mm': errors, 'visible': visible})

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Score the errors of all images; an image that two processes have seen counts once."""
        unique = list({result['img_id']: result for result in results}.values())
        errors_mm = np.concatenate([result['errors_mm'] for result in unique])
        scores = score(errors_mm, np.concatenate([result['visible'] for result in unique]))
        MMLogger.get_current_instance().info(
            f'MRE = {scores.mre_mm:.3f} ± {scores.sd_mm:.3f} mm | '
            + ' | '.join(f'SDR {mm:.1f}mm = {rate:.2f} %' for mm, rate in scores.sdr_percent.items())
            + f' | {scores.count} landmarks in {len(unique)} images'
        )
        return scores.as_metrics()
