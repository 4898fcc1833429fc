// The page begins here.

import { ask } from './server.js';
import { state, tell, hear, find, notice } from './state.js';
import { openFilm } from './films.js';
import { choose } from './film_list.js';
import { listAnalyses } from './values_panel.js';
import { byPerson, marks } from './marks.js';
import './view.js';
import './picture.js';
import './overlay.js';
import './pointer.js';
import './keys.js';
import './landmark_panel.js';

const KEPT_PLACE = 'film';

function drawTop() {
  const { film, edits } = state;
  const row = state.rows[state.open];
  find('film-name').textContent = row ? row.name : 'Review';
  document.title = row ? `${row.name} – review` : 'Review';
  const list = film ? marks() : [];
  const done = list.filter(byPerson).length;
  const parts = film ? [`${done} of ${list.length} done`, row.why, `reader: ${state.about.reader}`] : [];
  find('film-words').textContent = parts.filter(Boolean).join(' · ');
  const queued = edits && !edits.saved;
  for (const kind of ['undo', 'redo']) {
    const what = film && film[kind];
    find(kind).disabled = !film || !(what || (kind === 'undo' && queued));
    const words = what ? `: ${what.kind} ${what.landmarks.slice(0, 3).join(', ')}` : '';
    find(kind).setAttribute('aria-label', `${kind === 'undo' ? 'Undo' : 'Redo'}${words}`);
  }
  const box = find('saved');
  box.dataset.state = !queued ? 'saved' : edits.asking ? 'asking' : edits.waiting ? 'waiting' : 'saving';
  box.textContent = { saved: 'Saved', saving: 'Saving', waiting: 'Not saved yet', asking: 'Question' }[box.dataset.state];
}

function showList(shown) {
  find('films').classList.toggle('shown', shown);
  find('open-list').setAttribute('aria-expanded', shown);
  if (shown) {
    tell('list');
    find('list').focus();
  }
}

hear('film marks saved list', drawTop);
hear('film', () => {
  if (state.open !== undefined) sessionStorage.setItem(KEPT_PLACE, state.rows[state.open].name);
});
find('open-list').addEventListener('click', () => showList(!find('films').classList.contains('shown')));
find('close-list').addEventListener('click', () => {
  showList(false);
  find('open-list').focus();
});
document.addEventListener('pointerdown', (event) => {
  if (!event.target.closest('#films, #open-list')) showList(false);
});
document.addEventListener('show-list', () => showList(true));
document.addEventListener('hide-list', () => showList(false));
document.addEventListener('keydown', (event) => event.key === 'Escape' && showList(false), true);
document.addEventListener('others-shown', () => tell('others'));

async function begin() {
  try {
    [state.about, state.rows] = await Promise.all([ask('/api/about'), ask('/api/films')]);
  } catch (error) {
    notice(error.status ? error.message : 'The server does not answer.', { bad: true });
    return;
  }
  find('notice').textContent = `${state.about.notice} cephalometric ${state.about.version}. ${state.about.landmark_set}.`;
  listAnalyses();
  choose();
  const kept = state.rows.findIndex((row) => row.name === sessionStorage.getItem(KEPT_PLACE));
  const first = state.shown.find((n) => state.rows[n].done < state.rows[n].total) ?? state.shown[0];
  await openFilm(kept >= 0 ? kept : first);
  find('stage').focus();
}

begin();
