"""MMEngine's Runner, quieter, and careful with what a training starts from or is continued from."""

import logging
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.training.checkpoints import weights_of
from cephalometric.training.pretrained import count_fitting
from cephalometric.training.transfer import StartingPoint, TrainedWeights, starting_point

# MMEngine says these in every run, and there is nothing that a person could do about them.
IDLE_WARNINGS = (
    'The prefix is not set in metric class',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


class QuietRunner(Runner):
    """MMEngine's Runner, which keeps what it tells of itself for the log file and shows warnings and errors alone."""

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the logger, and quieten the handler of the console."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(max(handler.level, logging.WARNING))
                handler.addFilter(_is_no_idle_warning)
        return logger

    def dump_config(self) -> None:
        """Write nothing: what this machine runs is no recipe."""

    def keep_recipe(self, config: Config) -> None:
        """From now on, this is the config in the work dir and in checkpoints: what any machine can run."""
        self.cfg = config
        if is_main_process():
            with atomic_write(Path(self.work_dir, Path(config.filename).with_suffix('.py').name)) as partial:
                partial.write_text(config.pretty_text, encoding='utf-8')

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """Share the training among processes, also on CPUs, where the model has no device id."""
        if model_wrapper_cfg is None and not torch.cuda.is_available():
            model_wrapper_cfg = {'type': 'MMDistributedDataParallel', 'device_ids': None, 'broadcast_buffers': False}
        return super().wrap_model(model_wrapper_cfg, model)

    def check_start(self) -> None:
        """Look at the weights that a run is continued from.

        Raises:
            InputError: They are not all that the model has, or are not finite.
        """
        if not self._load_from:
            return
        weights = weights_of(_load_checkpoint(self._load_from, 'cpu', self.logger), self._load_from)
        own = self._model_itself().state_dict()
        fitting = count_fitting(own, weights)
        if not fitting == len(own) == len(weights):
            raise InputError(
                f'{self._load_from}: {fitting} of the {len(own)} tensors of the model are in it: it was trained with '
                'another recipe or landmark set'
            )

    def _model_itself(self) -> torch.nn.Module:
        return self.model.module if is_model_wrapper(self.model) else self.model

    def start_from(self, source: TrainedWeights) -> StartingPoint:
        """Start the training from another model; what is taken over of it is returned now.

        Raises:
            InputError: It is nothing.
        """
        self.source = source
        return starting_point(self.cfg, self._model_itself(), source)

    def load_or_resume(self) -> None:
        """Fill the model, whose weights are now those from scratch, before its first step."""
        source = getattr(self, 'source', None)
        if source is None:
            super().load_or_resume()
            return
        model = self._model_itself()
        checkpoint = {'state_dict': dict(starting_point(self.cfg, model, source).weights)}
        # For an average of the weights, which begins as the model does.
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model.load_state_dict(checkpoint['state_dict'])

    def continue_from(self, checkpoint: Path) -> None:
        """Continue the run from another file than the config says."""
        self._load_from = str(checkpoint)

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load a checkpoint without the config that MMEngine would run as code; arguments as MMEngine's."""
        checkpoint = super().load_checkpoint(*args, **kwargs)
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        return checkpoint

    def resume(self, filename: str, *args, **kwargs) -> None:
        """Continue a run; arguments as MMEngine's.

        Raises:
            InputError: Optimizer or schedule are others than those of the checkpoint.
        """
        groups = [set(group) for group in _parameter_groups(self.optim_wrapper)]
        try:
            super().resume(filename, *args, **kwargs)
            lost = [
                names - set(group) for names, group in zip(groups, _parameter_groups(self.optim_wrapper), strict=True)
            ]
            if any(lost):
                # PyTorch takes the settings of any optimizer, and fails at the first step.
                raise ValueError(f'the checkpoint has no {", ".join(sorted(set.union(*lost)))}')
        except (IndexError, KeyError, TypeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f'--resume {filename}: optimizer or schedule of the recipe are not those that it was trained with: '
                f'{reason}'
            ) from None


def _is_no_idle_warning(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(IDLE_WARNINGS)


def _parameter_groups(optim_wrapper: object) -> list[dict]:
    groups = optim_wrapper.param_groups
    return groups if isinstance(groups, list) else [group for each in groups.values() for group in each]
