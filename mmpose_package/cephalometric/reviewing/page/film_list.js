// The list: only the films that are in sight are there, so that ten thousand scroll as ten do.

import { ask, askPicture } from './server.js';
import { state, tell, hear, find } from './state.js';
import { openFilm } from './films.js';

const HEIGHT = 76;
const KEPT = 400; // Thumbnails.
const LOOK_MS = 5000;
const AT_ONCE = 2; // So that saving never waits behind thumbnails.
const list = find('list');
const space = find('list-space');
const rows = new Map(); // number -> element in sight
const thumbnails = new Map(); // number -> address of a blob
const loading = new Map(); // number -> AbortController

const MATCHES = {
  all: () => true,
  open: (row) => row.done < row.total,
  doubtful: (row) => row.doubt >= 1,
  begun: (row) => row.done > 0 && row.done < row.total,
  done: (row) => row.done >= row.total,
};

function chosen() {
  const wanted = find('search').value.trim().toLowerCase();
  const matches = MATCHES[find('filter').value];
  const found = state.rows.flatMap((row, n) => (matches(row) && row.name.toLowerCase().includes(wanted) ? [n] : []));
  if (find('sort').value === 'doubt') {
    const doubt = (n) => state.rows[n].doubt ?? -1;
    found.sort((a, b) => doubt(b) - doubt(a) || a - b);
  }
  return found;
}

export function choose() {
  state.shown = chosen();
  find('sort-anew').hidden = true;
  find('count').textContent = `${state.shown.length} of ${state.rows.length}`;
  space.style.height = `${state.shown.length * HEIGHT}px`;
  for (const element of rows.values()) element.remove();
  rows.clear();
  draw();
}

function stateWords(row) {
  if (row.done >= row.total) return 'done';
  return row.done ? `${row.done} of ${row.total}` : 'not begun';
}

function element(number, place) {
  const row = state.rows[number];
  const made = document.createElement('div');
  made.className = 'film';
  made.id = `film-${number}`;
  made.setAttribute('role', 'option');
  made.setAttribute('aria-setsize', state.shown.length);
  made.setAttribute('aria-posinset', place + 1);
  made.setAttribute('aria-selected', state.open === number);
  made.setAttribute('aria-label', [row.name, stateWords(row), row.why].filter(Boolean).join(', '));
  made.title = [row.name, row.why].filter(Boolean).join('\n');
  made.style.top = `${place * HEIGHT}px`;
  const text = document.createElement('div');
  const part = (className, words) => text.append(Object.assign(document.createElement('div'), { className, textContent: words }));
  part('name', row.name);
  part(row.doubt >= 1 ? 'why bad' : 'why', row.why || ' ');
  part(row.done >= row.total ? 'state done' : 'state', stateWords(row));
  text.append(Object.assign(document.createElement('progress'), { max: row.total, value: row.done, ariaHidden: 'true' }));
  const frame = Object.assign(document.createElement('div'), { className: 'small-picture' });
  if (thumbnails.has(number)) frame.append(Object.assign(new Image(), { src: thumbnails.get(number), alt: '' }));
  made.append(frame, text);
  made.addEventListener('click', () => open(number));
  return made;
}

function open(number) {
  document.dispatchEvent(new Event('hide-list'));
  openFilm(number);
}

function draw() {
  const first = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 4);
  const last = Math.min(state.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + 4);
  const wanted = new Map(state.shown.slice(first, last).map((number, n) => [number, first + n]));
  for (const [number, made] of rows) {
    if (!wanted.has(number)) {
      made.remove();
      rows.delete(number);
      loading.get(number)?.abort();
    }
  }
  for (const [number, place] of wanted) {
    if (rows.has(number)) continue;
    const made = element(number, place);
    rows.set(number, made);
    space.append(made);
  }
  load();
}

function load() {
  if (!list.clientHeight || !list.checkVisibility({ visibilityProperty: true })) return;
  for (const number of rows.keys()) {
    if (loading.size >= AT_ONCE) return;
    if (thumbnails.has(number) || loading.has(number)) continue;
    const stop = new AbortController();
    loading.set(number, stop);
    askPicture(`/api/films/${number}/thumbnail`, stop.signal)
      .then((blob) => keep(number, URL.createObjectURL(blob)), (error) => error.status && keep(number, ''))
      .finally(() => {
        loading.delete(number);
        load();
      });
  }
}

function keep(number, address) {
  thumbnails.set(number, address);
  if (thumbnails.size > KEPT) {
    const oldest = [...thumbnails.keys()].find((one) => !rows.has(one));
    if (oldest !== undefined) {
      URL.revokeObjectURL(thumbnails.get(oldest));
      thumbnails.delete(oldest);
    }
  }
  if (address) rows.get(number)?.firstChild.replaceChildren(Object.assign(new Image(), { src: address, alt: '' }));
}

// A row that has changed is drawn anew, in its place: the order stays while one works.
function renew() {
  for (const [number, made] of rows) {
    const fresh = element(number, Number(made.getAttribute('aria-posinset')) - 1);
    made.replaceWith(fresh);
    rows.set(number, fresh);
  }
  if (state.open !== undefined) list.setAttribute('aria-activedescendant', `film-${state.open}`);
  load();
}

export function showOpen() {
  const place = state.shown.indexOf(state.open);
  if (place < 0) return;
  const top = place * HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + HEIGHT - list.clientHeight;
  draw();
}

// Films are predicted meanwhile; the order changes only when a person says so.
async function lookForDoubts() {
  if (document.hidden || !state.about?.model || !state.rows.some((row) => row.doubt === null)) return;
  try {
    const fresh = await ask('/api/films');
    state.rows.forEach((row, n) => Object.assign(row, { doubt: fresh[n].doubt, why: fresh[n].why }));
    tell('list');
    find('sort-anew').hidden = String(chosen()) === String(state.shown);
  } catch {
    // It is asked again.
  }
}

setInterval(lookForDoubts, LOOK_MS);
list.addEventListener('scroll', draw, { passive: true });
list.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey) {
    document.dispatchEvent(new Event('hide-list'));
    find('stage').focus();
    event.preventDefault();
    return;
  }
  const page = Math.max(1, Math.floor(list.clientHeight / HEIGHT) - 1);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || !state.shown.length) return;
  event.preventDefault();
  event.stopPropagation();
  const place = state.shown.indexOf(state.open) + steps[event.key];
  openFilm(state.shown[Math.min(Math.max(place, 0), state.shown.length - 1)]);
});
new ResizeObserver(draw).observe(list);
find('search').addEventListener('input', choose);
find('sort-anew').addEventListener('click', choose);
for (const id of ['filter', 'sort']) find(id).addEventListener('change', choose);
hear('film list', renew);
hear('film', showOpen);
