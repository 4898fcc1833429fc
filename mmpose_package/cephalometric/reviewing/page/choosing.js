// Which landmark is chosen, and what is done to it; the mouse, the keys and the buttons call this.

import { state, tell, say, notice } from './state.js';
import { marks, markWords, nextToDo, placed, toDo, byPerson } from './marks.js';
import * as edits from './edits.js';
import { openFilm } from './films.js';
import { placeOf } from './overlay.js';
import { reveal, centre, view } from './view.js';

export function select(k, { quiet = false, show = true } = {}) {
  if (k === null || !state.film) return;
  state.selected = k;
  const mark = marks()[k];
  const place = placeOf(mark, k);
  if (place && show) reveal(...place);
  tell('select');
  if (!quiet) say(markWords(mark, k));
}

export function selectNext(step) {
  const k = nextToDo(state.selected, step);
  if (k === null) return false;
  select(k);
  return true;
}

export function selectBeside(step) {
  const count = state.about.landmarks.length;
  select(((state.selected === null ? (step > 0 ? -1 : 0) : state.selected) + step + count) % count);
}

function goOn(words) {
  const next = nextToDo(state.selected);
  if (next === null) {
    tell('select');
    say(`${words}. Nothing is left to look at: Shift+Enter confirms the film`);
    return;
  }
  select(next, { quiet: true });
  say(`${words}. Next: ${markWords(marks()[next], next)}`);
}

export function confirmSelected() {
  const k = state.selected;
  if (k === null || !state.film) return;
  const mark = marks()[k];
  if (!placed(mark) && mark.visible) {
    const place = placeOf(mark, k);
    if (!place) {
      say(`${mark.landmark} has no place yet: click it, or use the arrow keys`);
      return;
    }
    edits.move(k, ...place);
  } else {
    edits.confirm(k);
  }
  goOn(`${mark.landmark} confirmed`);
}

export function hideSelected() {
  const k = state.selected;
  if (k === null || !state.film) return;
  edits.hide(k);
  goOn(`${marks()[k].landmark} is not visible`);
}

export function resetSelected() {
  const k = state.selected;
  if (k === null || !state.film) return;
  edits.reset(k);
  select(k, { quiet: true });
  say(`${marks()[k].landmark} is as it was found`);
}

// One landmark after the other, each by one click.
export function placeNext(x, y) {
  const list = marks();
  let k = state.selected;
  if (k === null || byPerson(list[k])) k = nextToDo(k) ?? list.findIndex((mark) => !byPerson(mark));
  if (k < 0) {
    say('All landmarks are placed');
    return;
  }
  edits.move(k, x, y);
  const after = marks();
  const next = nextToDo(k) ?? after.findIndex((mark) => !byPerson(mark));
  if (next >= 0) {
    select(next, { quiet: true, show: false });
    say(`${list[k].landmark} placed. Next: ${markWords(after[next], next)}`);
  } else {
    select(k, { quiet: true, show: false });
    state.tool = 'move';
    tell('tool');
    say('All landmarks are placed');
  }
}

export function confirmFilm() {
  if (!state.film) return;
  const open = toDo();
  const left = open.flatMap((one, k) => (one ? [k] : []));
  if (left.length) {
    const names = left.slice(0, 6).map((k) => state.about.landmarks[k].short).join(', ');
    select(left[0], { quiet: true });
    const words = `${left.length} landmarks are to be looked at first: ${names}${left.length > 6 ? ' …' : ''}`;
    notice(words, { lasts: 5000 });
    say(words);
    return;
  }
  const rest = marks().flatMap((mark, k) => (byPerson(mark) ? [] : [k]));
  if (rest.length) edits.confirm(...rest);
  say(`${state.film.name} is confirmed`);
  const place = state.shown.indexOf(state.open);
  const isOpen = (n) => state.rows[n].done < state.rows[n].total;
  const next = state.shown.slice(place + 1).find(isOpen) ?? state.shown.find((n) => n !== state.open && isOpen(n));
  if (next !== undefined) openFilm(next);
  else notice('All films of the list are done', { lasts: 6000 });
}

export function zoomToSelected() {
  if (state.selected === null || !state.film) return;
  const place = placeOf(marks()[state.selected], state.selected);
  if (place) centre(...place, Math.max(view.scale, 4));
}
