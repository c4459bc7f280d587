// The page while it is live: a stream of events, filter and sorting without a request, ending and extending

const AGAIN = 3000; // milliseconds
const NAMES = ["sessions", "recent", "oneshots", "warm", "instances"];
const CHANGING = NAMES.filter((name) => name !== "recent");
const tables = Object.fromEntries(NAMES.map((name) => [name, new Table(name)]));
const charts = new Map([...document.querySelectorAll("[data-chart]")].map((figure) => [figure.dataset.chart, new Chart(figure)]));
const {sessions, recent} = tables;

const say = (text) => {
  one("said").textContent = text;
  one("said").hidden = !text;
};

// ---- what the events bring

const reach = (facts, path) => path.split(".").reduce((value, name) => value?.[name], facts);
const overview = (facts) => {
  for (const node of document.querySelectorAll("[data-fact]")) {
    const found = reach(facts, node.dataset.fact), text = told(found, node.dataset.kind);
    if (node.textContent !== text) node.textContent = text;
    if (node.dataset.kind === "state") node.dataset.state = found;
  }
  for (const node of document.querySelectorAll("[data-limit]")) fill(node, facts.limits[node.dataset.limit]);
  for (const banner of document.querySelectorAll("[data-when]")) banner.hidden = banner.dataset.when !== facts.state;
  one("another").hidden = !facts.another_front;
};
const fill = (node, {used, most}) => {
  const meter = node.querySelector("meter");
  meter.max = most || 1;
  meter.high = 0.8 * (most || 1);
  meter.value = used;
  node.querySelector("b").textContent = number(used);
  node.querySelector("span").textContent = `of ${number(most)}`;
};
const totals = () => {
  const doing = {idle: 0, busy: 0, waiting: 0};
  for (const facts of sessions.all.values()) doing[facts.state]++;
  one("living").textContent = number(sessions.all.size);
  one("doing").textContent = Object.entries(doing).map(([name, count]) => `${number(count)} ${name}`).join(", ");
  one("shown").textContent = `${number(sessions.body.rows.length)} of ${number(sessions.all.size)} shown`;
};
const set = (at) => {
  Object.assign(server, {at, here: performance.now()});
  one("as-of").textContent = clock(at).slice(11);
};

const EVENTS = {
  snapshot(facts) {
    set(facts.at);
    overview(facts);
    for (const name of NAMES) tables[name].set(facts[name]);
    totals();
  },
  change(facts) {
    set(facts.at);
    overview(facts.overview);
    for (const name of CHANGING) tables[name].change(facts[name], facts.gone[name] || []);
    if (facts.recent.length) recent.set([...facts.recent, ...recent.all.values()].slice(0, recent.most));
    totals();
  },
  charts(found) {
    for (const [name, text] of Object.entries(found[main.dataset.range] || {})) charts.get(name)?.set(text);
  },
};

// ---- the stream

let source = null, paused = false, later;
const tell = (words) => {
  one("live").textContent = words;
  one("live").dataset.state = words;
};
const close = () => {
  clearTimeout(later);
  source?.close();
  source = null;
};
const connect = () => {
  close();
  if (paused || document.hidden) return;
  source = new EventSource(`?events&range=${main.dataset.range}`);
  source.onerror = () => {
    tell("reconnecting");
    if (source?.readyState === EventSource.CLOSED) later = setTimeout(connect, AGAIN); // refused: the browser gives up
  };
  for (const name of Object.keys(EVENTS))
    source.addEventListener(name, (event) => {
      EVENTS[name](JSON.parse(event.data));
      tell("live");
    });
};
const pause = () => {
  paused = !paused;
  one("pause").textContent = paused ? "Resume" : "Pause";
  if (!paused) return connect();
  close();
  tell("paused");
};

// ---- filter and sorting

const filter = one("filter");
const amended = (address, changes) => { // a query with other values, without those that are empty
  const query = new URLSearchParams(address);
  for (const [name, text] of Object.entries(changes)) text ? query.set(name, text) : query.delete(name);
  return `?${query}`;
};
const keep = (changes) => {
  history.replaceState(null, "", amended(location.search, changes));
  for (const link of document.querySelectorAll("nav a")) link.href = amended(link.search, changes);
};
const sift = () => {
  const text = filter.elements.find.value.trim().toLowerCase(), wanted = filter.elements.state.value;
  const fields = ["cgi_name", "id", "handle", "user", "pid", "host", "last"];
  sessions.wanted = (facts) =>
    (!wanted || facts.state === wanted) &&
    (!text || fields.some((field) => String(facts[field] ?? "").toLowerCase().includes(text)));
};
const refilter = () => {
  sift();
  if (!server.at) return;
  sessions.draw(true);
  totals();
  keep({find: filter.elements.find.value, state: filter.elements.state.value});
};
const order = (field, descending) => {
  sessions.compare = comparing(field, descending);
  for (const th of sessions.table.tHead.rows[0].cells) {
    if (th.dataset.field === field && th.querySelector("a")) th.ariaSort = descending ? "descending" : "ascending";
    else th.removeAttribute("aria-sort");
  }
};
const reorder = (event) => {
  const th = event.target.closest("th");
  if (!th || !event.target.closest("a") || !server.at || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const descending = th.ariaSort === "ascending";
  order(th.dataset.field, descending);
  sessions.draw(true);
  keep({sort: th.dataset.field, order: descending ? "desc" : "asc"});
};

// ---- ending and extending: the form of the page that asks without a script, in a dialog

const dialog = one("ask");
const ask = async (address) => {
  const answer = await fetch(address, {headers: {Accept: "text/html"}, cache: "no-store"});
  const text = await answer.text(), body = text.slice(text.indexOf("<main>"), text.lastIndexOf("</main>")); // no style
  const found = new DOMParser().parseFromString(body, "text/html"), form = found.querySelector("form");
  if (!form) return say(found.querySelector("h1")?.textContent || `The gateway answered ${answer.status}`);
  dialog.replaceChildren(document.importNode(form, true));
  dialog.showModal();
  dialog.querySelector("input[name=time], .cancel").focus();
};
const send = async (form) => {
  const answer = await fetch(location.pathname, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: {Accept: "application/json"}, cache: "no-store",
  });
  const told = await answer.json();
  say(told.done || told.message || told.error || `The gateway answered ${answer.status}`);
};
const lost = () => say("The gateway could not be reached.");

sessions.body.addEventListener("click", (event) => {
  const link = event.target.closest(".act a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link.getAttribute("href")).catch(lost);
});
dialog.addEventListener("click", (event) => {
  if (!event.target.closest(".cancel")) return;
  event.preventDefault();
  dialog.close();
});
dialog.addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close();
  send(event.target).catch(lost);
});

// ---- begin

const sorted = sessions.table.querySelector("th[aria-sort]");
if (sorted) order(sorted.dataset.field, sorted.ariaSort === "descending");
sift();
filter.querySelector("button").hidden = true;
filter.addEventListener("input", refilter);
filter.addEventListener("submit", (event) => event.preventDefault());
sessions.table.tHead.addEventListener("click", reorder);
one("pause").hidden = false;
one("pause").addEventListener("click", pause);
document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && connect());
setInterval(() => source && server.at && Object.values(tables).forEach((table) => table.tick()), 1000);
connect();
