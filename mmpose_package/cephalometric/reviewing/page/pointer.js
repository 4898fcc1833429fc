// Mouse, pen and fingers on the X-ray: drag a landmark, place one, pan, zoom by the wheel or two fingers, measure.

import { state, tell, hear, find } from './state.js';
import { marks } from './marks.js';
import { move } from './edits.js';
import { select, placeNext } from './choosing.js';
import { placeOf } from './overlay.js';
import { view, toScreen, toPicture, zoomBy, panBy } from './view.js';
import { magnify, putMagnifierAway } from './picture.js';
import { rulerAt } from './ruler.js';

const stage = find('stage');
const STARTS_PX = 2; // A press that moves less is a click.
const fingers = new Map(); // pointer id -> place on the stage
let gesture = null; // what the first pointer does

function at(event) {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function markAt(x, y, reach) {
  let best = null;
  let least = reach;
  marks().forEach((mark, k) => {
    const place = placeOf(mark, k);
    if (!place) return;
    const [markX, markY] = toScreen(...place);
    // Of two that are equally near, the chosen one.
    const distance = Math.hypot(markX - x, markY - y) - (k === state.selected ? 4 : 0);
    if (distance < least) [best, least] = [k, distance];
  });
  return best;
}

function within([x, y]) {
  const { width, height } = state.film;
  return [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
}

stage.addEventListener('pointerdown', (event) => {
  if (!state.film || event.target.closest('button')) return;
  stage.focus({ preventScroll: true });
  stage.setPointerCapture(event.pointerId);
  const [x, y] = at(event);
  fingers.set(event.pointerId, [x, y]);
  if (fingers.size === 2) {
    cancel();
    gesture = { kind: 'pinch' };
    return;
  }
  if (fingers.size > 2) return;
  const free = event.button === 0;
  const k = free ? markAt(x, y, event.pointerType === 'touch' ? 26 : 13) : null;
  if (free && state.tool === 'ruler') {
    gesture = { kind: 'ruler', id: event.pointerId };
    magnify(...toPicture(x, y));
  } else if (free && state.tool === 'place') {
    gesture = { kind: 'place', id: event.pointerId };
    magnify(...within(toPicture(x, y)));
  } else if (k !== null) {
    const place = placeOf(marks()[k], k);
    const [markX, markY] = toScreen(...place);
    gesture = { kind: 'mark', id: event.pointerId, k, start: [x, y], grip: [markX - x, markY - y], moved: false };
    select(k, { show: false });
    magnify(...place);
  } else {
    gesture = { kind: 'pan', id: event.pointerId, last: [x, y] };
  }
  stage.dataset.busy = gesture.kind === 'mark' ? 'drag' : gesture.kind === 'pan' ? 'pan' : '';
});

stage.addEventListener('pointermove', (event) => {
  if (!state.film) return;
  const [x, y] = at(event);
  if (!fingers.has(event.pointerId)) {
    stage.dataset.over = state.tool === 'move' && markAt(x, y, 13) !== null ? 'mark' : '';
    return;
  }
  const before = [...fingers.values()];
  fingers.set(event.pointerId, [x, y]);
  if (!gesture) return;
  if (gesture.kind === 'pinch' && fingers.size === 2) pinch(before, [...fingers.values()]);
  if (gesture.id !== event.pointerId) return;
  if (gesture.kind === 'pan') {
    panBy(x - gesture.last[0], y - gesture.last[1]);
    gesture.last = [x, y];
  } else if (gesture.kind === 'mark') {
    if (!gesture.moved && Math.hypot(x - gesture.start[0], y - gesture.start[1]) < STARTS_PX) return;
    gesture.moved = true;
    const [placeX, placeY] = within(toPicture(x + gesture.grip[0], y + gesture.grip[1]));
    state.drag = { index: gesture.k, x: placeX, y: placeY };
    magnify(placeX, placeY);
    tell('marks');
  } else {
    magnify(...within(toPicture(x, y)));
  }
});

function pinch([a, b], [c, d]) {
  const middle = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
  const [from, to] = [middle(a, b), middle(c, d)];
  const length = (p, q) => Math.max(Math.hypot(p[0] - q[0], p[1] - q[1]), 1);
  panBy(to[0] - from[0], to[1] - from[1]);
  zoomBy(length(c, d) / length(a, b), ...to);
}

stage.addEventListener('pointerup', (event) => {
  const [x, y] = at(event);
  fingers.delete(event.pointerId);
  if (gesture && gesture.id === event.pointerId) {
    const done = gesture;
    const { drag } = state;
    cancel();
    if (done.kind === 'mark' && drag) move(drag.index, drag.x, drag.y);
    if (done.kind === 'place') placeNext(...within(toPicture(x, y)));
    if (done.kind === 'ruler') rulerAt(...within(toPicture(x, y)));
    tell('marks');
  } else if (fingers.size === 0) {
    cancel();
  }
});

for (const kind of ['pointercancel', 'lostpointercapture']) {
  stage.addEventListener(kind, (event) => {
    if (fingers.delete(event.pointerId) && (!gesture || gesture.id === event.pointerId || fingers.size === 0)) cancel();
  });
}

function cancel() {
  gesture = null;
  stage.dataset.busy = '';
  putMagnifierAway();
  if (state.drag) {
    state.drag = null;
    tell('marks');
  }
}

stage.addEventListener('wheel', (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  if (event.shiftKey) panBy(-(event.deltaX || event.deltaY) * lines, 0);
  else zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...at(event));
}, { passive: false });

stage.addEventListener('contextmenu', (event) => event.preventDefault());
hear('film', cancel);
hear('tool', () => {
  stage.dataset.tool = state.tool;
});
