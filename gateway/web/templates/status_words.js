// Values as words, as status/words.py writes them

const one = (id) => document.getElementById(id);
const main = document.querySelector("main");
const NOTHING = "–", ZONE = Number(main.dataset.zone); // seconds ahead of UTC
const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

const missing = (value) => value === null || value === undefined || value === "";
const {format: number} = new Intl.NumberFormat("en");
const state = (value) => (typeof value === "boolean" ? (value ? "yes" : NOTHING) : String(value));
const clock = (seconds) => new Date((seconds + ZONE) * 1000).toISOString().slice(0, 19).replace("T", " ");
const counts = (numbers) =>
  Object.keys(numbers).sort().map((name) => `${number(numbers[name])} ${name}`).join(", ") || "none";

const span = (seconds) => {
  const whole = Math.floor(seconds);
  for (const [large, name, small, smaller] of UNITS)
    if (whole >= large) return `${Math.floor(whole / large)} ${name} ${Math.floor(whole % large / small)} ${smaller}`;
  return `${whole} s`;
};
const effort = (seconds) =>
  seconds >= 60 ? span(seconds) : `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
const size = (count) => {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; count >= 1024 && unit < 3; unit++) count /= 1024;
  return `${count.toFixed(unit && count < 9.95 ? 1 : 0)} ${units[unit]}`;
};

const KINDS = {span, size, effort, number, clock, counts, state, left: span, text: String, id: String, long: String};
const told = (value, kind) => (missing(value) ? NOTHING : KINDS[kind](value));

const digits = (value) => (value >= 100 ? number(Math.round(value)) : String(Number(value.toPrecision(3))));
const measured = (value, unit) => {
  if (unit !== "s") return digits(value) + unit;
  if (value < 0.001) return `${digits(value * 1e6)} µs`;
  return value < 1 ? `${digits(value * 1e3)} ms` : `${digits(value)} s`;
};

// The server's clock, and what passes by it

const server = {at: 0, here: 0};
const now = () => server.at + (performance.now() - server.here) / 1000;
const PASSING = {
  age: (facts) => facts.age + now() - facts.seen,
  idle: (facts) => facts.idle + (facts.state === "idle" ? now() - facts.seen : 0),
  left: (facts) => Math.max(0, facts.left - (now() - facts.seen)),
};
const current = (facts, field) =>
  field in PASSING && !missing(facts[field]) ? PASSING[field](facts) : facts[field];
