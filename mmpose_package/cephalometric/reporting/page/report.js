'use strict';

// Tables: a click on a heading puts the worst first, a second one the best, a third one leads back to the order that
// the rows came in. Cells without a value stay last. A long table is folded to the first ten rows of its order.
class SortedTable {
  constructor(table) {
    this.headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    this.body = table.tBodies[0];
    this.rows = [...this.body.rows];
    this.limit = Number(table.dataset.fold) || Infinity;
    this.headings.forEach((heading, column) => {
      heading.querySelector('button').addEventListener('click', () => this.next(heading, column));
    });
    if (this.limit === Infinity) return;
    this.button = document.createElement('button');
    this.button.type = 'button';
    this.button.className = 'fold';
    this.button.addEventListener('click', () => this.fold(!this.folded));
    table.parentElement.after(this.button);
    const first = this.headings.findIndex(heading => 'first' in heading.dataset);
    this.sort(first, true);
    this.fold(true);
  }

  next(heading, column) {
    if (this.column !== column) this.sort(column, true);
    else if (this.worstFirst) this.sort(column, false);
    else this.restore();
  }

  sort(column, worstFirst) {
    const { worst } = this.headings[column].dataset;
    const value = row => row.cells[column].dataset.value;
    const number = row => worst === 'far' ? Math.abs(Number(value(row))) : Number(value(row));
    const falling = (worst === 'high' || worst === 'far') === worstFirst;
    const compare = (a, b) => {
      if (value(a) === '' || value(b) === '') return (value(a) === '') - (value(b) === '');
      const difference = number(a) - number(b);
      const words = Number.isNaN(difference) ? value(a).localeCompare(value(b), undefined, { numeric: true }) : 0;
      return worst ? (falling ? -difference : difference) : (worstFirst ? 1 : -1) * (words || difference || 0);
    };
    Object.assign(this, { column, worstFirst });
    this.show([...this.rows].sort(compare), this.headings[column], falling && worst ? 'descending' : worst || worstFirst ? 'ascending' : 'descending');
  }

  restore() {
    this.column = undefined;
    this.show(this.rows);
  }

  show(rows, heading, direction) {
    this.body.append(...rows);
    for (const other of this.headings) other.setAttribute('aria-sort', other === heading ? direction : 'none');
    if (this.button) this.fold(this.folded && Boolean(heading));
  }

  fold(folded) {
    this.folded = folded;
    [...this.body.rows].forEach((row, place) => row.classList.toggle('folded', folded && place >= this.limit));
    this.button.textContent = folded ? `Show all ${this.rows.length}` : `Fold to ${this.limit}`;
    this.button.setAttribute('aria-expanded', String(!folded));
  }
}

for (const table of document.querySelectorAll('table.sortable')) new SortedTable(table);

// On paper nobody can open what explains the numbers.
addEventListener('beforeprint', () => {
  for (const explanation of document.querySelectorAll('.explanation, details.print')) explanation.open = true;
});

// X-rays: the view is the part of the picture that the viewBox shows, in pixels of the original image.
const LARGEST_ZOOM = 20;

class Viewer {
  constructor(element) {
    this.svg = element.querySelector('.xray');
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.whole = { x, y, width, height };
    this.view = { ...this.whole };
    this.pointers = new Map();
    for (const box of element.querySelectorAll('input[data-layer]')) {
      const layer = this.svg.querySelectorAll(`.${box.dataset.layer}`);
      const apply = () => layer.forEach(part => { part.style.display = box.checked ? '' : 'none'; });
      box.addEventListener('change', apply);
      apply();
    }
    element.querySelector('.in').addEventListener('click', () => this.zoom(1.5));
    element.querySelector('.out').addEventListener('click', () => this.zoom(1 / 1.5));
    element.querySelector('.reset').addEventListener('click', () => this.reset());
    this.svg.addEventListener('keydown', event => this.key(event));
    this.svg.addEventListener('wheel', event => this.wheel(event), { passive: false });
    this.svg.addEventListener('dblclick', event => this.zoom(2, this.place(event)));
    this.svg.addEventListener('pointerdown', event => this.press(event));
    this.svg.addEventListener('pointermove', event => this.drag(event));
    for (const end of ['pointerup', 'pointercancel']) {
      this.svg.addEventListener(end, event => this.pointers.delete(event.pointerId));
    }
    new ResizeObserver(() => this.show()).observe(this.svg);
  }

  get scale() { return this.whole.width / this.view.width; }

  // Where an event lies in the image.
  place(event) {
    const frame = this.svg.getBoundingClientRect();
    return {
      x: this.view.x + (event.clientX - frame.left) / frame.width * this.view.width,
      y: this.view.y + (event.clientY - frame.top) / frame.height * this.view.height,
    };
  }

  show() {
    const { whole, view } = this;
    view.x = Math.min(Math.max(view.x, whole.x), whole.x + whole.width - view.width);
    view.y = Math.min(Math.max(view.y, whole.y), whole.y + whole.height - view.height);
    this.svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
    this.svg.style.setProperty('--unit', view.width / this.svg.clientWidth);
    this.svg.classList.toggle('zoomed', this.scale > 1.001);
  }

  // The place given stays where it is on the screen.
  zoom(factor, place = { x: this.view.x + this.view.width / 2, y: this.view.y + this.view.height / 2 }) {
    const scale = Math.min(Math.max(this.scale * factor, 1), LARGEST_ZOOM);
    const shrink = this.scale / scale;
    this.view = {
      x: place.x - (place.x - this.view.x) * shrink,
      y: place.y - (place.y - this.view.y) * shrink,
      width: this.whole.width / scale,
      height: this.whole.height / scale,
    };
    this.show();
  }

  move(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.show();
  }

  reset() {
    this.view = { ...this.whole };
    this.show();
  }

  key(event) {
    const step = this.view.width / 8;
    const actions = {
      '+': () => this.zoom(1.5), '=': () => this.zoom(1.5), '-': () => this.zoom(1 / 1.5), 0: () => this.reset(),
      ArrowLeft: () => this.move(-step, 0), ArrowRight: () => this.move(step, 0),
      ArrowUp: () => this.move(0, -step), ArrowDown: () => this.move(0, step),
    };
    if (event.key === 'Escape') this.svg.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    actions[event.key]();
    event.preventDefault();
  }

  // The wheel scrolls the page. It zooms with Ctrl, or when a click has chosen the picture.
  wheel(event) {
    const chosen = document.activeElement === this.svg;
    if (!event.ctrlKey && !event.metaKey && (!chosen || (event.deltaY > 0 && this.scale <= 1.001))) {
      if (!chosen) this.hint();
      return;
    }
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), this.place(event));
  }

  hint() {
    const hint = this.svg.parentElement.querySelector('.wheel-hint');
    hint.classList.add('shown');
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => hint.classList.remove('shown'), 1200);
  }

  press(event) {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    this.pointers.set(event.pointerId, event);
    if (event.pointerType !== 'touch' || this.scale > 1.001) this.svg.setPointerCapture(event.pointerId);
  }

  // One finger or the mouse moves the picture, two fingers zoom.
  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const others = [...this.pointers.values()].filter(other => other.pointerId !== event.pointerId);
    if (others.length) {
      const distance = end => Math.hypot(end.clientX - others[0].clientX, end.clientY - others[0].clientY);
      this.zoom(distance(event) / Math.max(distance(before), 1), this.place(others[0]));
    } else if (this.scale > 1.001) {
      const from = this.place(before);
      const to = this.place(event);
      this.move(from.x - to.x, from.y - to.y);
    }
    this.pointers.set(event.pointerId, event);
  }
}

for (const element of document.querySelectorAll('.viewer')) new Viewer(element);
