// Charts: pictures of the server, and the value under the pointer or the focus

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.words = figure.querySelector(".value");
    this.column = null; // that is pointed at, from the right
    figure.tabIndex = 0;
    figure.addEventListener("pointermove", (event) => this.point(this.under(event.clientX)));
    figure.addEventListener("pointerleave", () => this.point(null));
    figure.addEventListener("blur", () => this.point(null));
    figure.addEventListener("keydown", (event) => this.press(event));
    this.read();
  }

  set(text) {
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (svg.localName !== "svg") return;
    this.figure.querySelector("svg").replaceWith(document.importNode(svg, true));
    this.read();
  }

  read() {
    this.svg = this.figure.querySelector("svg");
    const {left, right, width, step, end, unit} = this.svg.dataset;
    Object.assign(this, {left: Number(left), width: Number(width), step: Number(step), end: Number(end), unit});
    this.columns = Number(right) - this.left + 1;
    this.lines = [...this.svg.querySelectorAll("[data-values]")].map((path) => ({
      name: path.dataset.name,
      values: path.dataset.values.split(",").map((text) => (text === "" ? null : Number(text))),
    }));
    this.known = this.lines.some(({values}) => values.some((value) => value !== null));
    this.point(this.column);
  }

  under(x) {
    const box = this.svg.getBoundingClientRect();
    const column = Math.round((x - box.left) / box.width * this.width) - this.left;
    return this.columns - 1 - Math.max(0, Math.min(this.columns - 1, column));
  }

  press(event) {
    const step = {ArrowLeft: 1, ArrowRight: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    this.point(Math.max(0, Math.min(this.columns - 1, (this.column ?? -1 * (step > 0)) + step * (event.shiftKey ? 10 : 1))));
  }

  point(column) {
    this.column = column;
    const parts = this.lines.map(({name, values}) => {
      const value = values.at(-1 - (column ?? 0)) ?? null;
      return value === null ? null : `${name} ${measured(value, this.unit)}`.trim();
    }).filter(Boolean);
    const when = column === null ? "now" : clock(this.end - column * this.step).slice(11);
    this.words.textContent = this.known ? `${when}: ${parts.join(", ") || "nothing"}` : "";
    this.mark();
  }

  mark() {
    this.svg.querySelector(".cursor")?.remove();
    if (this.column === null) return;
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("class", "cursor");
    line.setAttribute("d", `M${this.left + this.columns - 1 - this.column} 6V112`);
    this.svg.append(line);
  }
}
