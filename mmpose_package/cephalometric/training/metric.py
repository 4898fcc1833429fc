"""MRE and SDR as an MMEngine metric, and which of its scores says which checkpoint is the best."""

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from cephalometric.errors import InputError
from cephalometric.geometry import radial_error_mm
from cephalometric.scores import THRESHOLDS_MM, score


@METRICS.register_module()
class CephalometricMetric(BaseMetric):
    """Mean radial error (mm) and success detection rates (%) over all visible landmarks of all images.

    The keys are ``MRE``, ``SDR 2.0mm``, ``SDR 2.5mm``, ``SDR 3.0mm`` and ``SDR 4.0mm``; each can be ``save_best``.

    Attributes:
        rules: For each key, whether less or more of it is better, as MMEngine's ``rule`` says it.
    """

    rules: Mapping[str, str] = {'MRE': 'less'} | {f'SDR {mm:.1f}mm': 'greater' for mm in THRESHOLDS_MM}

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


def complete_selection(config: Config) -> None:
    """Spell the scores that a config selects checkpoints by as the metrics do, and say which direction is better.

    Blanks and letter case do not matter: ``SDR2.0mm`` is ``SDR 2.0mm``. Config is changed in place.

    Raises:
        InputError: No metric gives such a score, or the config keeps the worst for the best.
    """
    rules = _known_rules(config.get('val_evaluator'))
    if rules is None:
        return
    hooks = [*(config.get('default_hooks') or {}).values(), *(config.get('custom_hooks') or [])]
    for hook in hooks:
        for key in ('save_best', 'monitor') if isinstance(hook, dict) else ():
            if hook.get(key):
                _complete_hook(hook, key, rules, str(config.filename))


def _complete_hook(hook: dict, key: str, rules: Mapping[str, str], file: str) -> None:
    said = hook[key] if isinstance(hook[key], (list, tuple)) else [hook[key]]
    names = [_spelled(str(name), key, rules, file) for name in said]
    better = [rules[name] for name in names]
    hook[key] = names if isinstance(hook[key], (list, tuple)) else names[0]
    rule = hook.get('rule')
    if rule is None:
        hook['rule'] = better if isinstance(hook[key], list) else better[0]
        return
    stated = rule if isinstance(rule, (list, tuple)) else [rule] * len(names)
    for name, wrong in ((n, r) for n, r, right in zip(names, stated, better, strict=False) if r != right):
        raise InputError(
            f'{file}: {key} = {name!r} with rule = {wrong!r} would keep the worst checkpoint for the best: say rule = '
            f'{rules[name]!r}, or leave it out'
        )


def _spelled(name: str, key: str, rules: Mapping[str, str], file: str) -> str:
    known = {_squeezed(each): each for each in rules}
    found = next(iter(rules)) if name == 'auto' else known.get(_squeezed(name))
    if found is None:
        near = difflib.get_close_matches(_squeezed(name), known, n=1)
        hint = f'did you mean {known[near[0]]!r}? ' if near else ''
        raise InputError(f'{file}: {key} = {name!r}: {hint}The scores are {", ".join(map(repr, rules))}')
    return found


def _squeezed(name: str) -> str:
    return ''.join(name.split()).lower()


def _known_rules(evaluators: object) -> Mapping[str, str] | None:
    """The rules of all scores that are given; None where a metric does not say which it gives, or there is none."""
    rules: dict[str, str] = {}
    for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        kind = METRICS.get(evaluator['type']) if isinstance(evaluator, dict) and 'type' in evaluator else None
        if not hasattr(kind, 'rules'):
            return None
        prefix = evaluator.get('prefix') or kind.default_prefix
        rules |= {f'{prefix}/{name}' if prefix else name: rule for name, rule in kind.rules.items()}
    return rules
