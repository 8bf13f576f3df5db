"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const [ID, BUCKET, KEY, RULE, SEV, CONF, COUNT, TRIAGE, PLACES, COLUMNS, WHY, MARK] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const at = id => document.getElementById(id);
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/g;
const shown = text => /[\ud800-\udfff]/.test(text)
  ? Array.from(text, c => c.length > 1 ? c : c.replace(UNSEEN, told)).join("") : text.replace(UNSEEN, told);
function told(c) { return "\u27e8U+" + c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u27e9"; }
const number = n => n.toLocaleString("en-US");
// Text nodes only: nothing that stands in the data ever becomes markup.
function make(name, props, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props || {})) {
    if (key === "class") element.className = value;
    else if (key in element && key !== "list" && !key.startsWith("aria")) element[key] = value;
    else element.setAttribute(key, value);
  }
  for (const child of children) element.append(child);
  return element;
}
// What the live page adds to an open finding.
const hooks = {opened: null};
const bdi = text => make("bdi", {}, shown(text));
const nameOf = row => (D.buckets[row[BUCKET]] ? "s3://" + D.buckets[row[BUCKET]] + "/" : "") + row[KEY];

// Theme
const theme = at("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement, dark = root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// The same value in several objects
function sameValues() {
  const box = at("same");
  box.textContent = "";
  if (!D.values.length) { box.append(make("p", {}, "No value was seen in more than one object.")); return; }
  const list = make("div");
  const show = (from, to) => { for (const [masked, rule, count, names] of D.values.slice(from, to)) {
    const inside = make("ul");
    for (const name of names) inside.append(make("li", {}, bdi(name)));
    if (count > names.length) inside.append(make("li", {}, "and " + number(count - names.length) + " more"));
    const head = make("summary", {}, make("span", {class: "mono"}, shown(masked)), " (" + rule + ") in " + number(count) + " objects");
    list.append(make("details", {}, head, inside));
  } };
  show(0, 20);
  box.append(list);
  if (D.values.length > 20) {
    const more = make("button", {type: "button"}, "Show all " + number(D.values.length));
    more.addEventListener("click", () => { show(20); more.remove(); });
    box.append(more);
  }
}

// Treemap, squarified
function treemap() {
  const box = at("map"), total = D.boxes.reduce((sum, one) => sum + one[1], 0);
  box.textContent = "";
  box.hidden = !total;  // hidden, it has no width
  const width = box.clientWidth, height = box.clientHeight;
  if (!width) return;
  const items = D.boxes.map(one => ({one, area: one[1] / total * width * height}));
  let x = 0, y = 0, w = width, h = height;
  const worst = (row, side) => {
    const sum = row.reduce((s, i) => s + i.area, 0);
    return Math.max(...row.map(i => Math.max(side * side * i.area / (sum * sum), sum * sum / (side * side * i.area))));
  };
  const put = row => {
    const sum = row.reduce((s, i) => s + i.area, 0), wide = w >= h, depth = sum / (wide ? h : w);
    let along = wide ? y : x;
    for (const item of row) {
      const length = item.area / depth;
      place(item.one, wide ? x : along, wide ? along : y, wide ? depth : length, wide ? length : depth);
      along += length;
    }
    if (wide) { x += depth; w -= depth; } else { y += depth; h -= depth; }
  };
  const place = (one, left, top, wide, high) => {
    const [prefix, count, severity] = one, word = D.severities[severity];
    const label = shown(prefix) + ": " + number(count) + " findings, worst " + word;
    const button = make("button", {type: "button", class: "c-" + word, title: label}, bdi(prefix), " " + number(count));
    button.setAttribute("aria-label", label);
    Object.assign(button.style, {left: left + "px", top: top + "px", width: wide + "px", height: high + "px"});
    button.addEventListener("click", () => { at("q").value = prefix; filter(); at("grid").scrollIntoView(); at("grid").focus(); });
    const item = make("div"); item.setAttribute("role", "listitem"); item.append(button); box.append(item);
  };
  let row = [];
  for (const item of items) {
    const side = Math.min(w, h);
    if (row.length && worst([...row, item], side) > worst(row, side)) { put(row); row = []; }
    row.push(item);
  }
  if (row.length) put(row);
}

// The table: only the rows in sight are in the document
const HIGH = 34, grid = at("grid"), body = at("body");
let seen = D.rows.map((_, n) => n), here = 0, sorted = [0, -1];
const textOf = row => (nameOf(row) + "\n" + D.rules[row[RULE]][0] + "\n" + D.rules[row[RULE]][1] + "\n" +
  row[PLACES].map(p => p[0]).join("\n")).toLowerCase();
const texts = grid ? D.rows.map(textOf) : [];
const names = ["Severity", "Object", "Rule", "Count", "Confidence", "Masked", "First place", "State"];
const values = [row => row[SEV], row => nameOf(row), row => D.rules[row[RULE]][0], row => row[COUNT],
  row => ["low", "medium", "high"].indexOf(row[CONF]), row => row[PLACES].length ? row[PLACES][0][0] : "",
  row => row[PLACES].length ? row[PLACES][0][1] : "", row => row[MARK] || row[TRIAGE]];
// Options of the two lists, without losing what is chosen
function choices() {
  const have = {rule: new Set(), state: new Set()};
  let marked = false;
  for (const row of D.rows) { have.rule.add(D.rules[row[RULE]][0]); have.state.add(row[TRIAGE]); marked = marked || !!row[MARK]; }
  for (const id of ["rule", "state"]) {
    const list = at(id), chosen = list.value;
    if (chosen) have[id].add(chosen);
    list.replaceChildren(make("option", {value: ""}, "all"), ...[...have[id]].sort().map(word => make("option", {value: word}, word)));
    list.value = chosen;
  }
  at("mark-label").hidden = !marked;
}
function heads() {
  const head = at("head");
  names.forEach((name, n) => {
    const button = make("button", {type: "button"}, name), cell = make("div", {}, button);
    cell.setAttribute("role", "columnheader");
    button.addEventListener("click", () => { sorted = [n, sorted[0] === n ? -sorted[1] : n === 0 || n === 3 ? -1 : 1]; sort(); });
    head.append(cell);
  });
}
function sort(stay) {
  const [column, way] = sorted, value = values[column], keys = new Map(seen.map(n => [n, value(D.rows[n])]));
  seen.sort((a, b) => { const x = keys.get(a), y = keys.get(b); return (x < y ? -way : x > y ? way : a - b); });
  [...at("head").children].forEach((cell, n) =>
    cell.setAttribute("aria-sort", n !== column ? "none" : way > 0 ? "ascending" : "descending"));
  if (!stay) { here = 0; grid.scrollTop = 0; }
  draw(true);
}
function filter(stay) {
  const words = at("q").value.toLowerCase(), rule = at("rule").value, mark = at("mark").value, state = at("state").value;
  const on = new Set([...at("sev").querySelectorAll("input:checked")].map(i => +i.value));
  seen = [];
  D.rows.forEach((row, n) => {
    if (on.has(row[SEV]) && (!rule || D.rules[row[RULE]][0] === rule) && (!mark || row[MARK] === mark) &&
      (!state || row[TRIAGE] === state) &&
      (!words || texts[n].includes(words))) seen.push(n);
  });
  at("count").textContent = number(seen.length) + " of " + number(D.rows.length) + " findings";
  sort(stay === true);
}
let first = -1;
function draw(force) {
  const from = Math.max(0, Math.floor(grid.scrollTop / HIGH) - 5), to = Math.min(seen.length, from + Math.ceil(grid.clientHeight / HIGH) + 12);
  if (!force && from === first) return;
  first = from;
  body.style.height = seen.length * HIGH + "px";
  grid.setAttribute("aria-rowcount", seen.length + 1);
  const rows = [];
  for (let n = from; n < to; n++) rows.push(line(n));
  body.replaceChildren(...rows);
  if (seen.length) grid.setAttribute("aria-activedescendant", "r" + here); else grid.removeAttribute("aria-activedescendant");
}
function line(n) {
  const row = D.rows[seen[n]], element = make("div", {class: "row" + (n === here ? " here" : ""), id: "r" + n});
  element.setAttribute("role", "row");
  element.setAttribute("aria-rowindex", n + 2);
  if (n === here) element.setAttribute("aria-selected", "true");
  element.style.top = n * HIGH + "px";
  const word = D.severities[row[SEV]], place = row[PLACES][0] || ["", ""];
  const cells = [make("span", {class: "sev s-" + word}, word), bdi(nameOf(row)), D.rules[row[RULE]][0], number(row[COUNT]), row[CONF],
    make("span", {class: "mono"}, shown(place[0])), shown(place[1]), row[MARK] || row[TRIAGE]];
  for (const cell of cells) { const box = make("div", {}, cell); box.setAttribute("role", "gridcell"); element.append(box); }
  element.addEventListener("click", () => { move(n); open(n); });
  return element;
}
function move(n) {
  here = Math.max(0, Math.min(seen.length - 1, n));
  const top = here * HIGH, high = grid.clientHeight - at("head").offsetHeight;
  if (top < grid.scrollTop) grid.scrollTop = top;
  else if (top + HIGH > grid.scrollTop + high) grid.scrollTop = top + HIGH - high;
  draw(true);
}
function open(n) {
  const row = D.rows[seen[n]];
  if (!row) return;
  const box = at("one-body"), rule = D.rules[row[RULE]];
  at("one-title").textContent = rule[1];
  box.textContent = "";
  const facts = make("dl", {class: "facts"});
  const fact = (name, value, id) => facts.append(make("div", {}, make("dt", {}, name), make("dd", id ? {id} : {}, bdi(String(value)))));
  fact("Object", nameOf(row)); fact("Rule", rule[0]); fact("Type", rule[3]); fact("Severity", D.severities[row[SEV]]);
  fact("Confidence", row[CONF]); fact("Occurrences", number(row[COUNT])); fact("Triage", row[TRIAGE], "one-triage"); fact("Finding", row[ID]);
  if (row[MARK]) fact("Compared", row[MARK]);
  box.append(facts, make("h3", {}, "Places" + (row[COUNT] > row[PLACES].length ? ", the first " + row[PLACES].length : "")));
  const list = make("ol");
  for (const [masked, place, context] of row[PLACES])
    list.append(make("li", {}, make("code", {}, shown(masked)), " at ", bdi(place), make("div", {class: "mono hint"}, shown(context))));
  box.append(list, make("h3", {}, "Why it is a finding"));
  const why = make("ul");
  for (const words of D.explanations[row[WHY]]) why.append(make("li", {}, bdi(words)));
  box.append(why);
  if (row[COLUMNS].length) {
    const inside = make("ul");
    for (const [name, rows, valid] of row[COLUMNS])
      inside.append(make("li", {}, bdi(name || "(no name)"), ": " + number(valid) + " of " + number(rows) + " rows are valid"));
    box.append(make("h3", {}, "Columns that hold little else"), inside);
  }
  const elsewhere = D.values.filter(v => v[1] === rule[0] && v[3].includes(nameOf(row)));
  if (elsewhere.length) {
    const others = make("ul");
    for (const [masked, , count] of elsewhere.slice(0, 20)) others.append(make("li", {}, make("code", {}, shown(masked)), " in " + number(count) + " objects"));
    box.append(make("h3", {}, "The same values elsewhere"), others);
  }
  if (hooks.opened) hooks.opened(row, box);
  at("one").showModal();
}
if (grid) {
  heads();
  for (let n = D.severities.length - 1; n >= 0; n--)
    at("sev").append(make("label", {}, make("input", {type: "checkbox", value: String(n), checked: true}), " " + D.severities[n]));
  choices();
  let waiting = 0;
  at("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  for (const id of ["sev", "rule", "state", "mark"]) at(id).addEventListener("change", filter);
  at("reset").addEventListener("click", () => {
    at("q").value = at("rule").value = at("state").value = at("mark").value = "";
    at("sev").querySelectorAll("input").forEach(box => { box.checked = true; });
    filter();
  });
  grid.addEventListener("scroll", () => requestAnimationFrame(() => draw(false)), {passive: true});
  grid.addEventListener("keydown", event => {
    if (event.target !== grid) return;
    const page = Math.max(1, Math.floor(grid.clientHeight / HIGH) - 2);
    const to = {ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: seen.length - 1}[event.key];
    if (to !== undefined) { event.preventDefault(); move(to); }
    else if (event.key === "Enter") { event.preventDefault(); open(here); }
  });
  at("one").addEventListener("close", () => grid.focus());
  filter();
}
sameValues();
treemap();
addEventListener("resize", () => requestAnimationFrame(treemap));
