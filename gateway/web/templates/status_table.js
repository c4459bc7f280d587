// Tables: rows by key; nothing is written that reads so already

const SOON = 60; // seconds
const SHORT = 15; // letters that fit every column
const collator = new Intl.Collator("en", {numeric: true});

const write = (cell, text) => {
  if (cell.text === text) return false;
  cell.node.textContent = cell.text = text;
  return true;
};
const FILLS = {
  left(cell, found, facts) {
    write(cell, told(found, "left"));
    cell.td.classList.toggle("soon", !missing(found) && found < SOON);
    const share = missing(found) || !facts.timeout ? 0 : Math.min(100, Math.round(100 * found / facts.timeout));
    if (cell.share !== share) cell.td.querySelector("rect").setAttribute("width", cell.share = share);
  },
  state(cell, found) {
    if (write(cell, told(found, "state"))) cell.td.dataset.state = found;
  },
  long(cell, found) {
    if (write(cell, told(found, "long"))) cell.td.title = cell.text.length > SHORT ? cell.text : "";
  },
  act(cell, found) {
    for (const link of cell.td.querySelectorAll("a")) {
      const [what, words] = link.classList.contains("end") ? ["end", "End"] : ["extend", "Extend"];
      link.href = `?${what}=${encodeURIComponent(found)}`;
      link.setAttribute("aria-label", `${words} session ${found}`);
    }
  },
};

class Row {
  constructor(tr, columns) {
    this.tr = tr;
    this.cells = columns.map(({field, kind}, place) => {
      const td = tr.cells[place], node = td.querySelector("span") || td;
      return {td, node, text: node.textContent, field, kind};
    });
    this.passing = this.cells.filter((cell) => cell.field in PASSING);
  }

  fill(facts, cells = this.cells) {
    for (const cell of cells) {
      const found = current(facts, cell.field), fill = FILLS[cell.kind];
      if (fill) fill(cell, found, facts);
      else write(cell, told(found, cell.kind));
    }
  }
}

class Table {
  constructor(name) {
    this.table = one(name);
    this.body = this.table.tBodies[0];
    this.columns = [...this.table.tHead.rows[0].cells].map((th) => ({field: th.dataset.field, kind: th.dataset.kind}));
    this.blank = this.table.parentElement.querySelector("template").content.firstElementChild;
    this.most = Number(this.table.dataset.most);
    this.fold = this.table.closest("details");
    this.all = new Map(); // facts by key
    this.rows = new Map(); // those that are shown, and were of late
    this.inView = new Set();
    this.watch = new IntersectionObserver((entries) => entries.forEach((entry) => this.view(entry)));
    this.wanted = () => true;
    this.compare = null;
    for (const tr of this.body.rows) this.add(tr.dataset.key, tr);
    this.fold?.addEventListener("toggle", () => server.at && this.draw());
  }

  key(facts) {
    return String(facts[this.table.dataset.key]);
  }

  put(facts) {
    facts.seen = server.at;
    this.all.set(this.key(facts), facts);
  }

  set(list) {
    this.all.clear();
    for (const facts of list) this.put(facts);
    this.draw();
  }

  change(list, gone) {
    for (const key of gone) this.all.delete(String(key));
    for (const facts of list) this.put(facts);
    if (list.length || gone.length || this.compare) this.draw();
  }

  // The rows stay where they are while somebody points at them; `anew`: all the same
  draw(anew = false) {
    const count = this.fold?.querySelector(".count");
    if (count) count.textContent = number(this.all.size);
    if (this.fold && !this.fold.open) return;
    const list = this.listed(!anew && this.body.matches(":hover, :focus-within"));
    this.place(list.map((facts) => this.key(facts)));
    this.table.parentElement.hidden = !list.length;
    one(`${this.table.id}-none`).hidden = list.length > 0;
  }

  listed(held) {
    const list = [...this.all.values()].filter(this.wanted);
    if (held) {
      const places = new Map([...this.body.rows].map((tr, place) => [tr.dataset.key, place]));
      const place = (facts) => places.get(this.key(facts)) ?? Infinity;
      list.sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
    } else if (this.compare) list.sort(this.compare);
    return list.slice(0, this.most);
  }

  place(keys) {
    const staying = new Set(keys);
    for (const [key, row] of this.rows) {
      if (staying.has(key)) continue;
      row.tr.remove();
      if (!this.all.has(key) || this.rows.size > this.most) this.rows.delete(key);
    }
    let next = this.body.firstElementChild;
    for (const key of keys) {
      const {tr} = this.shown(key);
      if (tr === next) next = next.nextElementSibling;
      else this.body.insertBefore(tr, next);
    }
  }

  add(key, tr) {
    const row = new Row(tr, this.columns);
    tr.dataset.key = key;
    this.rows.set(key, row);
    this.watch.observe(tr);
    return row;
  }

  view({target, isIntersecting}) {
    const {key} = target.dataset;
    if (!isIntersecting) return this.inView.delete(key);
    this.inView.add(key);
    return this.pass(key);
  }

  // What passes by itself is written where it is seen only
  pass(key) {
    const row = this.rows.get(key), facts = this.all.get(key);
    if (!facts) this.inView.delete(key);
    else if (row) row.fill(facts, row.passing);
  }

  shown(key) {
    const row = this.rows.get(key) || this.add(key, this.blank.cloneNode(true)), facts = this.all.get(key);
    if (row.facts !== facts) row.fill(row.facts = facts);
    return row;
  }

  tick() {
    for (const key of this.inView) this.pass(key);
  }
}

// Sorting by a column: what is missing comes last

const comparing = (field, descending) => (a, b) => {
  const [x, y] = [current(a, field), current(b, field)];
  if (missing(x) || missing(y)) return missing(x) - missing(y) || collator.compare(a.id, b.id);
  const order = field === "id" ? collator.compare(x, y) : (x > y) - (x < y); // as status/query.py does
  return (descending ? -order : order) || collator.compare(a.id, b.id);
};
