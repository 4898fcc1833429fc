// What a person does goes to the server at once, one request at a time, and waits in the browser until it is written:
// a server that was killed gets it when it is there again, also after a reload of the page.

import { send } from './server.js';
import { state, tell, say, notice } from './state.js';
import { marks } from './marks.js';

const AGAIN_MS = 1500;

function newName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function touched(commands) {
  const names = new Set();
  for (const command of commands) {
    if (command.landmark) names.add(command.landmark);
    for (const name of command.landmarks || []) names.add(name);
    if (command.kind === 'spacing') names.add('the spacing');
  }
  return names;
}

export function differences(before, after) {
  const old = new Map(before.landmarks.map((row) => [row.landmark, JSON.stringify(row)]));
  const names = after.landmarks.filter((row) => old.get(row.landmark) !== JSON.stringify(row)).map((row) => row.landmark);
  return before.spacing_mm === after.spacing_mm ? names : [...names, 'the spacing'];
}

export class Edits {
  constructor(film) {
    this.film = film;
    this.pending = [];
    this.sent = null; // {request, count, base} of what is on its way
    this.asking = false;
    this.key = `review ${state.about.place} ${film.name}`;
    const kept = JSON.parse(localStorage.getItem(this.key) || 'null');
    if (kept && Array.isArray(kept.pending)) {
      this.pending = kept.pending;
      this.sent = kept.sent;
      this.flush();
    }
  }

  get saved() {
    return this.pending.length === 0;
  }

  add(...commands) {
    this.pending.push(...commands);
    this.keep();
    this.tell('marks');
    this.flush();
  }

  keep() {
    if (this.saved) localStorage.removeItem(this.key);
    else localStorage.setItem(this.key, JSON.stringify({ pending: this.pending, sent: this.sent }));
  }

  // Another film may be open by now.
  tell(...kinds) {
    tell('saved');
    if (state.edits === this) tell(...kinds);
  }

  async flush() {
    if (this.busy || this.asking || this.saved) return;
    this.busy = true;
    if (!this.sent) this.sent = { request: newName(), count: this.pending.length, base: this.film.revision };
    this.keep();
    this.tell();
    const commands = this.pending.slice(0, this.sent.count);
    const { request, base } = this.sent;
    try {
      const { done, film } = await send(`/api/films/${this.film.number}/edits`, { base, request, commands });
      this.busy = false;
      if (done) {
        this.written(film);
        this.flush();
      } else {
        this.meet(film);
      }
    } catch (error) {
      this.busy = false;
      this.failed(error);
    }
  }

  written(film) {
    this.pending.splice(0, this.sent.count);
    this.sent = null;
    this.waiting = false;
    this.take(film);
  }

  take(film) {
    this.film = film;
    state.rows[film.number] = film.row;
    this.keep();
    if (state.edits === this) state.film = film;
    this.tell('marks', 'list');
  }

  failed(error) {
    if (error.status === 403) {
      this.waiting = true;
      this.tell();
      if (!this.refused) {
        this.refused = notice(`Not saved yet: ${error.message}. What you did waits in this browser.`, { bad: true });
      }
    } else if (error.status && error.status < 500) {
      this.pending.splice(0, this.sent.count);
      this.sent = null;
      this.keep();
      notice(`Not saved: ${error.message}`, { bad: true });
      this.tell('marks');
    } else {
      if (!this.waiting) say('The server does not answer; what you do is kept and saved when it is there again');
      this.waiting = true;
      this.tell();
      setTimeout(() => this.flush(), AGAIN_MS);
    }
  }

  // Somebody else has changed the film meanwhile: what touches other landmarks is added, the rest is asked.
  meet(current) {
    const theirs = new Set(differences(this.film, current));
    const steps = this.pending.some((command) => command.kind === 'undo' || command.kind === 'redo');
    const ours = touched(this.pending);
    const both = [...ours].filter((name) => theirs.has(name));
    this.pending = this.pending.filter((command) => command.kind !== 'undo' && command.kind !== 'redo');
    this.sent = null;
    const words = [...theirs].join(', ') || 'something';
    this.take(current);
    if (both.length === 0) {
      notice(`Changed in another window meanwhile: ${words}.${steps ? ' Nothing was undone.' : ''}`, { lasts: 8000 });
      say(`Changed in another window meanwhile: ${words}`);
      this.flush();
      return;
    }
    this.asking = true;
    this.tell('marks');
    say(`Changed in another window at the same time: ${both.join(', ')}. Keep yours or take theirs?`);
    notice(`Changed in another window at the same time: ${both.join(', ')}. The other one can be brought back by undo or redo.`, {
      bad: true,
      answers: [
        ['Keep mine', () => this.decided([])],
        ['Take theirs', () => this.decided(this.pending.map(() => ({ kind: 'undo' })))],
      ],
    });
  }

  decided(more) {
    this.asking = false;
    this.pending.push(...more);
    this.keep();
    this.tell('marks');
    this.flush();
  }
}

// What other parts of the page call.
export const move = (k, x, y) => act({ kind: 'move', landmark: name(k), x_px: round(x), y_px: round(y) });
export const confirm = (...every) => act({ kind: 'confirm', landmarks: every.map(name) });
export const hide = (k) => act({ kind: 'hide', landmarks: [name(k)] });
export const reset = (k) => act({ kind: 'reset', landmarks: [name(k)] });
export const setSpacing = (mm, ruler) => act({ kind: 'spacing', spacing_mm: mm, ruler });

const name = (k) => state.about.landmarks[k].short;
const round = (value) => Math.round(value * 1000) / 1000;

function act(command) {
  if (state.edits && state.film) state.edits.add(command);
}

export function step(kind) {
  const { film, edits } = state;
  if (!film || !edits) return;
  const what = film[kind];
  if (!what && edits.saved) {
    say(`Nothing to ${kind}`);
    return;
  }
  const before = marks();
  edits.add({ kind });
  if (what) {
    say(`${kind === 'undo' ? 'Undone' : 'Done again'}: ${what.kind} ${what.landmarks.join(', ')}`);
    const k = before.findIndex((row) => what.landmarks.length === 1 && row.landmark === what.landmarks[0]);
    if (k >= 0) {
      state.selected = k;
      tell('select');
    }
  }
}
