"""Schedules follow the number of epochs, which a recipe says once, as ``train_cfg.max_epochs``."""

from collections.abc import Iterator, Mapping

from mmengine.config import Config

from cephalometric.errors import InputError

IN_EPOCHS = ('begin', 'end', 'T_max')


def complete_schedule(config: Config, before: Config) -> None:
    """Say the schedules of a config in epochs; config is changed in place.

    A ``begin``, ``end`` or milestone between 0 and 1 is a part of all epochs, and an ``end`` that is left out is the
    last epoch. Where an option has changed the number of epochs, schedules that are said in epochs are stretched with
    it, unless the options change these as well.

    Args:
        config: The config.
        before: The config as it was before the options.

    Raises:
        InputError: A part is no part.
    """
    epochs = _epochs(config)
    if epochs is None:
        return
    factor = epochs / (_epochs(before) or epochs)
    for place, schedule in enumerate(_schedules(config)):
        if not schedule.get('by_epoch', True):
            continue
        earlier = dict(enumerate(_schedules(before))).get(place, {})
        for name in (*IN_EPOCHS, 'milestones'):
            if schedule.get(name) is None:
                continue
            stretch = factor if schedule[name] == earlier.get(name) else 1
            try:
                schedule[name] = _in_epochs(schedule[name], epochs, stretch)
            except (TypeError, ValueError):
                raise InputError(
                    f'{config.filename}: param_scheduler: {schedule.get("type")}: {name} = {schedule[name]!r}: must be '
                    'a number of epochs, or a part of them between 0 and 1'
                ) from None
        schedule.setdefault('end', epochs)
        if schedule.get('begin'):
            schedule['begin'] = max(0, min(schedule['begin'], schedule['end'] - 1))
        if schedule.get('T_max') is not None:
            schedule['T_max'] = max(1, schedule['T_max'])


def _epochs(config: Config) -> int | None:
    loop = config.get('train_cfg')
    epochs = loop.get('max_epochs') if isinstance(loop, Mapping) else None
    return epochs if type(epochs) is int and epochs > 0 else None


def _schedules(config: Config) -> Iterator[dict]:
    said = config.get('param_scheduler') or []
    for schedule in [said] if isinstance(said, Mapping) and 'type' in said else said:
        if isinstance(schedule, Mapping):
            yield schedule


def _in_epochs(said: object, epochs: int, stretch: float) -> object:
    if isinstance(said, (list, tuple)):
        return [_in_epochs(each, epochs, stretch) for each in said]
    if isinstance(said, bool):
        raise TypeError
    if isinstance(said, float) and 0 < said < 1:
        return round(said * epochs)
    if said != int(said):
        raise ValueError
    return round(int(said) * stretch)
