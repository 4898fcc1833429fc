// Opening a film: its landmarks, its picture, and what comes next.

import { ask, askPicture } from './server.js';
import { state, tell, say, notice, find } from './state.js';
import { Edits, differences } from './edits.js';
import { nextToDo, toDo } from './marks.js';

const KEPT = 4;
const LOOK_MS = 2500;
const pictures = new Map(); // number -> promise of an ImageBitmap
const queues = new Map(); // number -> Edits that may not be saved yet

function picture(number) {
  if (!pictures.has(number)) {
    const loading = askPicture(`/api/films/${number}/picture`).then((blob) => createImageBitmap(blob));
    loading.catch(() => pictures.delete(number));
    pictures.set(number, loading);
    while (pictures.size > KEPT) {
      const [oldest] = pictures.keys();
      pictures.get(oldest).then((bitmap) => bitmap !== state.picture && bitmap.close(), () => {});
      pictures.delete(oldest);
    }
  }
  return pictures.get(number);
}

export function following(number, count = 3) {
  const place = state.shown.indexOf(number);
  return place < 0 ? [] : state.shown.slice(place + 1, place + 1 + count);
}

let opening = 0;

async function document_(number, turn) {
  const next = following(number);
  for (;;) {
    const film = await ask(`/api/films/${number}${next.length ? `?next=${next.join(',')}` : ''}`);
    if (!film.pending || turn !== opening) return film;
    wait('Finding the landmarks …');
  }
}

function wait(words) {
  const box = find('wait');
  box.hidden = !words;
  if (words) box.textContent = words;
}

export async function openFilm(number) {
  opening += 1;
  const turn = opening;
  Object.assign(state, { film: null, edits: null, picture: null, selected: null, drag: null, ruler: null, traces: [] });
  state.open = number;
  find('notices').replaceChildren();
  tell('film', 'marks', 'view');
  wait('Reading the X-ray …');
  try {
    const bitmap = await picture(number);
    if (turn !== opening) return;
    state.picture = bitmap;
    tell('picture');
    const film = await document_(number, turn);
    if (turn !== opening) return;
    state.film = film;
    state.rows[number] = film.row;
    if (!queues.has(number) || queues.get(number).saved) queues.set(number, new Edits(film));
    state.edits = queues.get(number);
    for (const [other, edits] of queues) if (edits.saved && other !== number) queues.delete(other);
    wait('');
    state.tool = film.landmarks.every((row) => row.x_px === null && row.visible) ? 'place' : 'move';
    state.selected = nextToDo(null);
    if (state.selected === null && film.landmarks.length) state.selected = 0;
    tell('film', 'tool', 'marks', 'select', 'list', 'saved');
    const left = toDo().filter(Boolean).length;
    say(`${film.name}: ${left ? `${left} landmarks to look at` : 'nothing in doubt'}`);
    for (const words of film.warnings.slice(0, 2)) notice(words, { lasts: 12000 });
    for (const one of following(number, 2)) picture(one).catch(() => {});
  } catch (error) {
    if (turn !== opening) return;
    wait('');
    notice(error.status ? error.message : 'The server does not answer: start it again, and open the address that it prints.', { bad: true });
  }
}

export function step(by) {
  const place = state.shown.indexOf(state.open);
  const next = state.shown[place + by];
  if (next === undefined) say(by > 0 ? 'This is the last film of the list' : 'This is the first film of the list');
  else openFilm(next);
}

// Other windows and other readers are noticed.
async function lookForOthers() {
  const { film, edits, open } = state;
  if (document.hidden || !film || !edits.saved || state.drag) return;
  try {
    const now = await ask(`/api/films/${open}/revision`);
    if (state.film !== film || !edits.saved) return;
    const others = film.others.filter((other) => now.others[other.reader] !== other.revision);
    const newOnes = Object.keys(now.others).length !== film.others.length;
    if (now.revision === film.revision && !others.length && !newOnes) return;
    const fresh = await ask(`/api/films/${open}`);
    if (state.film !== film || !edits.saved || state.drag || fresh.pending) return;
    const changed = differences(film, fresh);
    const words = changed.length ? `Changed in another window: ${changed.join(', ')}` : 'Another reader is at work on this film';
    edits.take(fresh);
    tell('others');
    notice(words, { lasts: 6000 });
    say(words);
  } catch {
    // It is asked again.
  }
}

setInterval(lookForOthers, LOOK_MS);
