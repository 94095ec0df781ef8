// The page: what you do goes out as events; what is recommended comes in as a stream, and is shown with its reasons.
import { Teller } from "/attune.js";

const $ = (id) => document.getElementById(id);
const REASONS = { jobs: [["place", "Too far away"], ["pay", "Pays too little"], ["brand", "Not this employer"], ["seen", "Seen often enough"], ["other", "Just no"]],
                  shop: [["pay", "Too dear"], ["brand", "Not this brand"], ["seen", "Seen often enough"], ["other", "Just no"]] };
const WORDS = { jobs: { apply: "Apply", applied: "Applied", did: "applied for" }, shop: { apply: "Buy", applied: "Bought", did: "bought" } };
const ICONS = { save: "M6 4h12v16l-6-4-6 4z", dismiss: "M4 4l16 16M20 4L4 20" };

let session, tell, stream, market = "jobs";
const saved = new Map(), applied = new Set(), dismissed = new Set(), pending = new Map(), took = [];
let shown = new Set(), known = false, lists = 0, latest = null;

// ---------- what comes from the server

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${session?.token ?? ""}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? answer.statusText);
  return answer.status === 204 ? null : answer.json();
}

async function begin() {
  const kept = sessionStorage.getItem("attune");
  session = await ask("/demo/session", { method: "POST", body: JSON.stringify(kept ? JSON.parse(kept) : {}) });
  sessionStorage.setItem("attune", JSON.stringify({ user_id: session.user_id, token: session.token }));
  market = session.domain;
  document.querySelector(`[name=market][value=${market}]`).checked = true;
  $("query").placeholder = market === "jobs" ? "Job, employer or town" : "Search the shop";
  tell = new Teller({ url: "", token: session.token, user: session.user_id });
  listen();
  await browse("");
}

function listen() {
  stream?.close();
  stream = new EventSource(`/v1/recommendations/${encodeURIComponent(session.user_id)}/stream?token=${session.token}`);
  stream.addEventListener("list", (event) => arrived(JSON.parse(event.data)));
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) setTimeout(() => begin().catch(failed), 1000); };
}

function arrived(list) {
  lists += 1;
  $("lists").textContent = lists;
  const cause = pending.get(list.trigger_event_id) ?? (list.trigger_event_id?.startsWith("wake") ? [...pending.values()].at(-1) : undefined);
  showList(list);
  if (cause !== undefined) {
    requestAnimationFrame(() => {
      const ms = Math.round(performance.now() - cause);
      for (const [id, since] of pending) if (since <= cause) pending.delete(id); // later clicks have their own list
      took.push(ms);
      document.documentElement.dataset.changed = took.length;
      document.documentElement.dataset.ms = ms;
      $("pulse-ms").textContent = $("last-ms").textContent = ms;
      $("median-ms").textContent = [...took].sort((a, b) => a - b)[took.length >> 1];
      $("pulse").hidden = false;
      $("pulse").style.animation = "none"; void $("pulse").offsetWidth; $("pulse").style.animation = "";
    });
  }
  clearTimeout(mail.timer);
  mail.timer = setTimeout(() => mail().catch(() => {}), 250);
}

async function browse(query) {
  const found = await ask(`/demo/browse?q=${encodeURIComponent(query)}`);
  if (query && query !== $("query").value.trim()) return; // something else was typed meanwhile
  const section = $("browse").closest("section"), first = section.parentNode.firstElementChild;
  if (query && first !== section) first.before(section); // what was looked for stands first, for the eye and the keyboard
  else if (!query && first === section) section.parentNode.append(section);
  if (query) scrollTo(0, 0);
  $("browse-title").textContent = query ? `“${query}”` : "Look around";
  $("browse-note").textContent = found.items.length ? found.note : "Nothing found. Try fewer words.";
  $("browse").replaceChildren(...found.items.map((item) => tile(item)));
}

async function because(item) {
  latest = item;
  const found = await ask(`/v1/items/${encodeURIComponent(item.item_id)}/similar?limit=6`);
  if (latest !== item) return;
  $("because").hidden = found.items.length === 0;
  $("because-title").textContent = `Because you saved “${item.title}”`;
  $("because-items").replaceChildren(...found.items.filter((one) => one.item).map((one) => tile(one.item)));
}

async function mail() {
  const found = await ask("/demo/mail");
  $("send-at").textContent = found.when ?? "Not yet";
  $("send-why").textContent = found.why;
  $("letter").hidden = found.items.length === 0;
  $("subject").textContent = found.subject;
  $("letter-items").replaceChildren(...found.items.map((place) => make("li", {}, make("strong", {}, place.item?.title ?? place.item_id), make("span", { class: "quiet" }, place.reasons[0] ?? ""))));
}

// ---------- what you do

async function act(topic, item, more = {}) {
  const sent = performance.now();
  const event_id = crypto.randomUUID();
  pending.set(event_id, sent);
  try {
    if (topic === "applies") await ask("/demo/applies", { method: "POST", body: JSON.stringify({ item_id: item.item_id, event_id }) });
    else await tell.now(topic, { event_id, item_id: item.item_id, ...more });
  } catch (error) { pending.delete(event_id); failed(error); }
}

function save(item) {
  const undo = saved.has(item.item_id);
  if (undo) saved.delete(item.item_id); else saved.set(item.item_id, item);
  act("saves", item, { undo });
  note(undo ? "no longer saved" : "saved", item, () => save(item), "undo");
  if (!undo) because(item).catch(failed);
  else if (latest === item) $("because").hidden = true;
  press(item);
}

function apply(item) {
  if (applied.has(item.item_id)) return;
  applied.add(item.item_id);
  act("applies", item);
  note(WORDS[market].did, item);
  press(item);
}

function dismiss(item, reason, label) {
  dismissed.add(item.item_id);
  act("dismissals", item, { reason });
  const undo = () => { dismissed.delete(item.item_id); act("dismissals", item, { reason, undo: true }); note("shown again", item); toast(""); };
  note(`dismissed (${label.toLowerCase()})`, item, undo, "undo");
  document.querySelectorAll(`[data-id="${CSS.escape(item.item_id)}"]`).forEach((one) => one.closest("li").remove());
  toast(`“${item.title}” is gone.`, undo);
}

function open(item, reasons = []) {
  const since = performance.now(), dialog = $("item");
  dialog.replaceChildren(
    make("div", { class: "stack" },
      make("div", {}, make("h2", { id: "item-title" }, item.title), make("p", { class: "quiet" }, facts(item))),
      make("p", {}, item.text || "No description."),
      ...(reasons.length ? [make("div", {}, make("h3", {}, "Why it is here"), make("ul", { class: "reasons small" }, ...reasons.map((why) => make("li", {}, why))))] : []),
      make("div", { class: "row" },
        button(applied.has(item.item_id) ? WORDS[market].applied : WORDS[market].apply, "button primary", () => { apply(item); dialog.close(); }),
        button(saved.has(item.item_id) ? "Saved" : "Save", "button", () => { save(item); dialog.close(); }),
        button("Close", "button ghost", () => dialog.close()))));
  dialog.addEventListener("close", () => { act("views", item, { dwell_ms: Math.round(performance.now() - since) }); note("looked at", item); }, { once: true });
  dialog.showModal();
}

// ---------- how it looks

function showList(list) {
  $("list").setAttribute("aria-busy", "false");
  $("for-you-why").textContent = list.origin === "popular" ? "Popular just now. Do something, and watch this list."
    : list.origin === "popular_near_you" ? "Popular near you. Do something, and watch this list." : "From what you did, this moment.";
  const before = new Map([...$("list").querySelectorAll("li:has(article)")].map((row) => [row.firstChild.dataset.id, row.getBoundingClientRect().top]));
  const rows = list.items.filter((place) => place.item && !dismissed.has(place.item_id)).map((place) => {
    const row = make("li", {}, thing(place.item, place.reasons));
    if (known && !shown.has(place.item_id)) { row.firstChild.classList.add("fresh"); row.querySelector("h3").after(make("span", { class: "unseen" }, "new in this list")); }
    return row;
  });
  $("list").replaceChildren(...rows);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) for (const row of rows) {
    const top = before.get(row.firstChild.dataset.id);
    const by = top === undefined ? 0 : top - row.getBoundingClientRect().top;
    if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 380, easing: "cubic-bezier(.2,.7,.2,1)" });
  }
  shown = new Set(list.items.map((place) => place.item_id));
  known = true;
}

const tile = (item) => make("li", {}, thing(item, []));

function thing(item, reasons) {
  const initials = (item.brand || item.title || "?").split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
  const mix = [...(item.brand || item.title)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 101, 7);
  const mono = make("span", { class: "mono", "aria-hidden": "true" }, initials);
  mono.style.setProperty("--mix", `${mix}%`);
  const no = make("summary", { class: "button ghost icon little", "aria-label": `Not interested in ${item.title}` }, icon("dismiss"));
  const menu = make("details", { class: "menu" }, no, make("div", {}, ...REASONS[market].map(([reason, label]) => button(label, "choice", () => dismiss(item, reason, label)))));
  return make("article", { class: "card thing snug", "data-id": item.item_id },
    mono,
    make("div", {},
      make("h3", {}, button(item.title || item.item_id, "open", () => open(item, reasons))),
      make("p", { class: "facts-line" }, facts(item)),
      ...(reasons.length ? [make("p", { class: "why" }, why(reasons))] : [])),
    make("div", { class: "acts" }, saver(item), menu));
}

function why([first, second]) {
  const named = /“[^”]+”/.exec(first)?.[0];
  return second && !(named && second.includes(named)) ? `${first} · ${second}` : first;
}

function saver(item) {
  const it = button("", "button little save", () => save(item));
  it.append(icon("save"), make("span", {}, saved.has(item.item_id) ? "Saved" : "Save"));
  it.setAttribute("aria-pressed", saved.has(item.item_id));
  it.setAttribute("aria-label", `Save ${item.title}`);
  return it;
}

function press(item) {
  document.querySelectorAll(`[data-id="${CSS.escape(item.item_id)}"] .save`).forEach((one) => one.replaceWith(saver(item)));
}

function facts(item) {
  const money = (amount, currency) => new Intl.NumberFormat("en", { style: "currency", currency: currency || "USD", maximumFractionDigits: amount < 100 ? 2 : 0 }).format(amount);
  const pay = item.salary && (item.salary.max ?? item.salary.min);
  return [item.brand, item.remote ? "Remote" : item.location?.city, pay && `up\u00a0to\u00a0${money(pay, item.salary.currency)}`, item.price && money(item.price.amount, item.price.currency)].filter(Boolean).join(" · ");
}

function note(did, item, undo, label) {
  const list = $("did");
  list.querySelector("li.quiet")?.remove();
  const line = make("li", {}, make("span", {}, make("span", { class: "quiet" }, `${did} `), item.title));
  if (undo) line.append(button(label, "button ghost little", () => { line.lastChild.remove(); undo(); }));
  list.prepend(line);
  while (list.children.length > 6) list.lastChild.remove();
}

function toast(text, undo) {
  $("toast").hidden = !text;
  $("toast").replaceChildren(make("span", {}, text), ...(undo ? [button("Undo", "button little", undo)] : []));
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { $("toast").hidden = true; }, 6000);
}

const failed = (error) => toast(`That did not work: ${error.message}`);

function make(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(text, kind, click) {
  const made = make("button", { type: "button", class: kind }, text);
  made.addEventListener("click", click);
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ width: 17, height: 17, viewBox: "0 0 24 24", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const [key, value] of Object.entries({ d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 2.2, "stroke-linecap": "round", "stroke-linejoin": "round" })) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

// ---------- the bar

let typing;
$("search").addEventListener("submit", (event) => { event.preventDefault(); const query = $("query").value.trim(); browse(query).catch(failed); if (query) tell.now("searches", { query }).catch(failed); });
$("query").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => browse($("query").value.trim()).catch(failed), 180); });
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", document.documentElement.dataset.theme = dark ? "light" : "dark");
});
if (localStorage.getItem("theme")) document.documentElement.dataset.theme = localStorage.getItem("theme");
document.addEventListener("click", (event) => document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target) || event.target.closest(".choice")) menu.open = false; }));
document.addEventListener("keydown", (event) => { if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.firstChild.focus(); }); });
$("market").addEventListener("change", async (event) => {
  const wanted = event.target.value;
  if (wanted === market) return;
  $("market-note").hidden = false;
  $("market-note").textContent = wanted === "shop" ? "Opening the shop: a second market with its own Kafka, about twenty seconds the first time …" : "Back to the jobs …";
  try {
    for (;;) {
      const found = await ask(`/demo/markets/${wanted}`, { method: "POST" });
      if (found.url) { sessionStorage.removeItem("attune"); location.assign(found.url); return; }
      await new Promise((done) => setTimeout(done, 500));
    }
  } catch (error) { $("market-note").hidden = true; document.querySelector(`[name=market][value=${market}]`).checked = true; failed(error); }
});

begin().catch(failed);
