// Where a pixel of the X-ray lies on the screen: pixel centres are at integers.

import { state, tell, find, hear } from './state.js';

export const view = { scale: 1, x: 0, y: 0 };
const CLOSEST = 40;

const stage = find('stage');

export const toScreen = (x, y) => [(x + 0.5) * view.scale + view.x, (y + 0.5) * view.scale + view.y];
export const toPicture = (x, y) => [(x - view.x) / view.scale - 0.5, (y - view.y) / view.scale - 0.5];

function fitting() {
  const { picture } = state;
  return picture ? Math.min(stage.clientWidth / picture.width, stage.clientHeight / picture.height) * 0.98 : 1;
}

export function fit() {
  const { picture } = state;
  if (!picture) return;
  view.scale = fitting();
  view.x = (stage.clientWidth - picture.width * view.scale) / 2;
  view.y = (stage.clientHeight - picture.height * view.scale) / 2;
  tell('view');
}

// Keep a part of the film in sight.
function bound() {
  const { picture } = state;
  if (!picture) return;
  const least = 60;
  view.x = Math.min(Math.max(view.x, least - picture.width * view.scale), stage.clientWidth - least);
  view.y = Math.min(Math.max(view.y, least - picture.height * view.scale), stage.clientHeight - least);
}

export function zoomBy(factor, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const scale = Math.min(Math.max(view.scale * factor, fitting() * 0.5), CLOSEST);
  const ratio = scale / view.scale;
  view.x = x - (x - view.x) * ratio;
  view.y = y - (y - view.y) * ratio;
  view.scale = scale;
  bound();
  tell('view');
}

export function panBy(dx, dy) {
  view.x += dx;
  view.y += dy;
  bound();
  tell('view');
}

export function centre(x, y, scale = view.scale) {
  view.scale = Math.min(Math.max(scale, fitting()), CLOSEST);
  const [nowX, nowY] = toScreen(x, y);
  panBy(stage.clientWidth / 2 - nowX, stage.clientHeight / 2 - nowY);
}

// A landmark that is chosen by a key must be in sight.
export function reveal(x, y) {
  const [nowX, nowY] = toScreen(x, y);
  const margin = 40;
  const away = nowX < margin || nowY < margin || nowX > stage.clientWidth - margin || nowY > stage.clientHeight - margin;
  if (away) centre(x, y);
}

hear('picture', fit);

let width = 0;
let height = 0;
new ResizeObserver(() => {
  const whole = Math.abs(view.scale - fittingOf(width, height)) < 1e-6;
  [width, height] = [stage.clientWidth, stage.clientHeight];
  if (whole) fit();
  else tell('view');
}).observe(stage);

function fittingOf(wide, high) {
  const { picture } = state;
  return picture ? Math.min(wide / picture.width, high / picture.height) * 0.98 : 1;
}
