// The landmarks of the open film as they are seen: as the server has them, then what is not saved yet, then the drag.

import { state } from './state.js';

export const BY_A_PERSON = new Set(['confirmed', 'corrected', 'placed']);

// What a command does, as the server will do it; undo and redo are its own.
export function applied(marks, command, film) {
  const next = new Map(marks);
  if (command.kind === 'move') {
    const begun = film.begun.find((row) => row.landmark === command.landmark);
    next.set(command.landmark, {
      ...marks.get(command.landmark),
      x_px: command.x_px,
      y_px: command.y_px,
      visible: true,
      status: begun.x_px === null ? 'placed' : 'corrected',
    });
  }
  for (const name of command.landmarks || []) {
    const mark = marks.get(name);
    if (command.kind === 'confirm') next.set(name, { ...mark, status: BY_A_PERSON.has(mark.status) ? mark.status : 'confirmed' });
    if (command.kind === 'hide') next.set(name, { ...mark, x_px: null, y_px: null, visible: false, status: 'corrected' });
    if (command.kind === 'reset') next.set(name, film.begun.find((row) => row.landmark === name));
  }
  return next;
}

export function marks() {
  const { film, edits, drag } = state;
  if (!film) return [];
  let found = new Map(film.landmarks.map((row) => [row.landmark, row]));
  for (const command of edits ? edits.pending : []) found = applied(found, command, film);
  const list = [...found.values()];
  if (drag) list[drag.index] = { ...list[drag.index], x_px: drag.x, y_px: drag.y, visible: true };
  return list;
}

export function spacing() {
  const { film, edits } = state;
  if (!film) return null;
  const said = (edits ? edits.pending : []).filter((command) => command.kind === 'spacing');
  return said.length ? said[said.length - 1].spacing_mm : film.spacing_mm;
}

export const byPerson = (mark) => BY_A_PERSON.has(mark.status);
export const placed = (mark) => mark.x_px !== null;

// To be looked at: in doubt, or with no place, and no person has been there.
export function toDo(list = marks()) {
  const { film } = state;
  return list.map((mark, k) => !byPerson(mark) && (film.doubtful[k] || (!placed(mark) && mark.visible)));
}

export function nextToDo(from, step = 1) {
  const open = toDo();
  const count = open.length;
  for (let n = 1; n <= count; n += 1) {
    const k = (((from === null ? (step > 0 ? -1 : 0) : from) + step * n) % count + count) % count;
    if (open[k]) return k;
  }
  return null;
}

// In words, for people and for those who hear the page.
export function statusWords(mark, k) {
  if (!mark.visible) return 'not visible';
  if (byPerson(mark)) return mark.status;
  if (!placed(mark)) return 'not placed';
  return state.film.doubtful[k] ? `${mark.status}, in doubt` : mark.status;
}

export function markWords(mark, k) {
  const { name, short } = state.about.landmarks[k];
  const error = state.film.expected_mm[k];
  const expected = error !== null && !byPerson(mark) ? `, expected error ${error.toFixed(1)} mm` : '';
  return `${name}, ${short}: ${statusWords(mark, k)}${expected}`;
}
