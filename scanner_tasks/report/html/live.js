
// The live page: asks its server for news, shows them without moving what is being read, sends marks back.
const token = location.hash.slice(1) || sessionStorage.getItem("token") || "";
if (location.hash) { sessionStorage.setItem("token", token); history.replaceState(null, "", location.pathname); }
const numbers = new Map();
let version = 0, user = "", allowFile = null, spoken = "", spokenAt = 0, asked = 0;
async function call(method, path, body) {
  const given = {method, headers: {Authorization: "Bearer " + token}, cache: "no-store", redirect: "error"};
  if (body) { given.headers["Content-Type"] = "application/json"; given.body = JSON.stringify(body); }
  const answer = await fetch(path, given), told = await answer.json();
  if (!answer.ok) throw new Error(told.detail || "The server answered " + answer.status + ".");
  return told;
}
function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const element = document.createElement(node[0]);
  for (const [name, value] of Object.entries(node[1])) element.setAttribute(name, value);
  element.append(...node[2].map(build));
  return element;
}
// A part is made anew only if it changed; what was open stays open.
const parts = {};
function showPart(name, nodes) {
  const text = JSON.stringify(nodes), place = at("part-" + name);
  if (parts[name] === text) return;
  parts[name] = text;
  const open = [...place.querySelectorAll("details")].map(one => one.open), held = place.contains(document.activeElement);
  place.replaceChildren(...nodes.map(build));
  place.querySelectorAll("details").forEach((one, n) => { one.open = !!open[n]; });
  if (held) { const first = place.querySelector("summary"); if (first) first.focus(); }
}
function showRows(news) {
  const chosen = seen.length ? D.rows[seen[here]] : null, top = grid.scrollTop;
  if (!news.since) { D.rows.length = texts.length = 0; numbers.clear(); D.explanations.length = 0; }
  D.explanations.length = news.explanations_from;
  D.explanations.push(...news.explanations);
  Object.assign(D, {rules: news.rules, buckets: news.buckets, boxes: news.boxes, values: news.values});
  for (const row of news.rows) {
    if (!numbers.has(row[ID])) numbers.set(row[ID], D.rows.length);
    const n = numbers.get(row[ID]);
    D.rows[n] = row; texts[n] = textOf(row);
  }
  if (news.gone.length) {
    const gone = new Set(news.gone);
    D.rows = D.rows.filter(row => !gone.has(row[ID]));
    numbers.clear();
    D.rows.forEach((row, n) => { numbers.set(row[ID], n); texts[n] = textOf(row); });
    texts.length = D.rows.length;
  }
  choices();
  filter(true);
  const n = chosen ? seen.findIndex(n => D.rows[n][ID] === chosen[ID]) : 0;
  here = Math.max(0, n);
  grid.scrollTop = top;
  draw(true);
}
function say(words, force) {
  at("live").textContent = words;
  // A screen reader is told what changed, not every number on its way.
  at("live").setAttribute("aria-live", force || Date.now() - spokenAt > 15000 ? "polite" : "off");
  if (words !== spoken) { spoken = words; spokenAt = Date.now(); }
}
function showJob(job, problem) {
  const left = job && job.eta_s !== null && !job.has_ended ? ", about " + number(Math.ceil(job.eta_s)) + " s left" : "";
  const words = !job ? "" : job.status + ": " + job.percent.toFixed(1) + " %, " + number(job.done) + " of " + number(job.listed) +
    (job.total_is_final ? "" : " or more") + " objects, " + number(job.findings) + " findings" + left + ".";
  at("bar").hidden = !job || job.has_ended;
  if (job) { at("bar").value = job.percent; document.title = (job.has_ended ? "" : Math.floor(job.percent) + " % ") + "s3scan"; }
  say(problem ? words + " Not up to date: " + problem : words, !!problem || (job && job.has_ended));
}
async function look(again) {
  const began = Date.now(), mine = ++asked;
  let job = null;
  try {
    const news = await call("GET", "/live?since=" + version + (again ? "&again=1" : ""));
    ({user, job} = news); allowFile = news.allow_file;
    if (news.version !== version && news.parts) {
      at("title").textContent = shown(news.title);
      for (const [name, nodes] of Object.entries(news.parts)) showPart(name, nodes);
      showRows(news);
      sameValues();
      treemap();
    }
    version = news.version;
    showJob(job, news.problem);
  } catch (error) {
    say("Not up to date: " + (error instanceof TypeError ? "s3scan serve does not answer any more." : error.message), true);
  }
  if (mine !== asked) return;
  // Never more than a third of the time; a job that has ended, or a page that nobody sees, is asked rarely.
  const pause = Math.max(job && job.has_ended ? 15000 : 2000, 2 * (Date.now() - began));
  setTimeout(() => { if (mine === asked) look(false); }, document.hidden ? Math.max(pause, 15000) : pause);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(false); });
const bar = make("progress", {id: "bar", max: 100, value: 0, hidden: true});
bar.setAttribute("aria-label", "Objects done");
const again = make("button", {type: "button", id: "again"}, "Read again");
again.addEventListener("click", () => look(true));
at("live").after(bar, " ", again);

// Judging
const STATES = ["open", "false_positive", "accepted", "fixed"];
hooks.opened = (row, box) => {
  const finding = row[ID], id = D.rows[numbers.get(finding)] || row;
  const list = make("select", {id: "mark-as"}, ...STATES.map(word => make("option", {value: word}, word)));
  list.value = id[TRIAGE];
  const reason = make("input", {id: "mark-why", maxLength: 500, autocomplete: "off"});
  const by = make("input", {id: "mark-by", maxLength: 200, value: user, autocomplete: "off"});
  const said = make("p", {id: "mark-said"});
  said.setAttribute("role", "status");
  const marks = make("ul", {id: "marks"});
  const run = work => async () => {
    if (!reason.value.trim()) { said.textContent = "Say why: it is kept with the mark."; reason.focus(); return; }
    try { said.textContent = await work(); } catch (error) { said.textContent = error.message; }
  };
  const history = async () => {
    try {
      const told = await call("GET", "/api/triage/" + finding);
      marks.replaceChildren(...told.marks.map(one => make("li", {}, bdi(one.marked_at.slice(0, 16).replace("T", " ") + " " + one.status +
        " by " + one.by + ": " + one.reason))));
    } catch (error) { marks.replaceChildren(make("li", {}, error.message)); }
  };
  const save = make("button", {type: "button", id: "mark-save"}, "Save");
  save.addEventListener("click", run(async () => {
    await call("POST", "/api/triage", {bucket: D.buckets[row[BUCKET]], key: row[KEY], rule: D.rules[row[RULE]][0], status: list.value,
      by: by.value, reason: reason.value});
    await history();
    at("one-triage").textContent = list.value;
    look(false);
    return "Marked " + list.value + ".";
  }));
  const allow = make("button", {type: "button", id: "mark-allow"}, allowFile ? "Allow these values in " + shown(allowFile) : "Show allow-list entry");
  const entry = make("pre", {id: "entry", hidden: true, tabIndex: 0});
  allow.addEventListener("click", allowFile
    ? run(async () => {
        const done = await call("POST", "/allow", {finding_id: finding, reason: reason.value});
        return (done.added ? number(done.added) + " of " + number(done.fingerprints) + " values added to " : "All are already in ") + done.file +
          ". Scans with it neither count nor keep them.";
      })
    : async () => {
        try {
          const told = await call("GET", "/api/findings/" + finding + "/allow-list");
          entry.textContent = told.toml.trim(); entry.hidden = false; entry.focus();
          said.textContent = "Put it into a rule pack (docs/custom-rules.md).";
        } catch (error) { said.textContent = error.message; }
      });
  const line = make("div", {class: "tools"}, make("label", {}, "It is ", list), make("label", {}, "because ", reason),
    make("label", {}, "says ", by), save, allow);
  box.prepend(make("h3", {}, "Judge"), line, said, entry, marks);
  history();
};
look(false);
