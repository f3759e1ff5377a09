// What makes pages live. Everything works without it.
"use strict";

const forms = {
  moment: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }),
  day: new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }),
};
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

// Times in the reader's own zone; the ISO form stays in the tooltip.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-form]")) {
    time.textContent = forms[time.dataset.form].format(new Date(time.dateTime));
  }
  for (const text of root.querySelectorAll("text[data-time]")) {
    const at = new Date(text.dataset.time);
    text.textContent = (text.dataset.hour === "yes" ? hour : day).format(at);
  }
}

const typed = new Set();

// Fetch this page again and put its content in place, unless somebody is writing in it.
async function refresh(main, url) {
  const answer = await fetch(url, { headers: { "Headway-Page": "live" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("main");
  if (!fresh) return;
  const open = [...main.querySelectorAll("details[open] > summary")].map((one) => one.textContent);
  main.replaceChildren(...fresh.childNodes);
  for (const summary of main.querySelectorAll("details > summary")) {
    if (open.includes(summary.textContent)) summary.parentElement.open = true;
  }
  main.querySelector(".turn")?.classList.add("fresh");
  typed.clear();
  begin(main);
}

function follow(main) {
  if (!main.dataset.events || !window.EventSource) return;
  const here = location.pathname;
  const events = new EventSource(main.dataset.events);
  events.addEventListener("moved", () => {
    const writing = [...typed].some((field) => field.isConnected && field.value !== "");
    if (!writing) {
      refresh(main, here);
    } else if (!document.getElementById("meanwhile")) {
      const notice = document.createElement("div");
      notice.id = "meanwhile";
      notice.className = "notice";
      notice.setAttribute("role", "status");
      const words = document.createElement("p");
      words.textContent = main.dataset.meanwhile;
      const link = document.createElement("a");
      link.href = here;
      link.className = "button small";
      link.textContent = main.dataset.reload;
      notice.append(words, link);
      main.prepend(notice);
    }
  });
  window.addEventListener("pagehide", () => events.close());
}

const ASK_AFTER = 60_000;

// Ask now and then how many notices are new, while somebody looks at the page.
function keepCount(bell) {
  const named = document.title.replace(/^\(\d+\) /, "");
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch("/notices/count").catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const { unseen, words } = await answer.json();
    bell.querySelector(".count").textContent = unseen || "";
    bell.querySelector(".hidden-words").textContent = words;
    document.title = unseen ? `(${unseen}) ${named}` : named;
  }, ASK_AFTER);
}

function begin(root) {
  localTimes(root);
  for (const setUp of setUps) setUp(root);
}

// Other scripts' pieces: each is called with what is new on the page.
const setUps = [];

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea, input, select")) typed.add(event.target);
});

// A press is one press, also when it is a double click.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 4000);
});

// Handing in: what is ahead follows the answers, and the draft is kept while one writes.
setUps.push((root) => {
  const form = root.querySelector("form[data-ahead]");
  if (!form) return;
  const ahead = form.querySelector("#ahead");
  const kept = form.querySelector("#kept");
  const ask = { "Headway-Page": "live" };
  const promised = ["business_unit", "expected_yearly_value", "currency"];
  let asked = 0;
  let timer = 0;

  async function showAhead() {
    const answers = new URLSearchParams();
    for (const radio of form.querySelectorAll("input[type=radio]:checked")) {
      answers.set(radio.name, radio.value);
    }
    for (const name of promised) answers.set(name, form.elements[name].value);
    const mine = ++asked;
    const answer = await fetch(`${form.dataset.ahead}?${answers}`, { headers: ask });
    if (answer.ok && !answer.redirected && mine === asked) {
      const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
      ahead.replaceChildren(...piece.body.childNodes);
      localTimes(ahead);
    }
  }

  async function keep() {
    const fields = new URLSearchParams(new FormData(form));
    fields.set("do", "keep");
    const answer = await fetch(form.dataset.draft, { method: "POST", body: fields, headers: ask });
    kept.textContent = answer.ok ? form.dataset.kept : "";
    // So that going back, or loading the page again, brings what is written here.
    const here = `${form.dataset.draft}?draft=${form.elements.draft.value}`;
    if (answer.ok && form.isConnected) history.replaceState(history.state, "", here);
    if (answer.ok) showSimilar();
  }

  // Only when title or problem have changed: the server looks at the draft that it has just kept.
  let lookedAt = form.elements.title.value + form.elements.problem.value;
  async function showSimilar() {
    const now = form.elements.title.value + form.elements.problem.value;
    if (now === lookedAt) return;
    lookedAt = now;
    const where = `${form.dataset.similar}?draft=${form.elements.draft.value}`;
    const answer = await fetch(where, { headers: ask });
    if (answer.ok && !answer.redirected && now === lookedAt) {
      const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
      form.querySelector("#similar").replaceChildren(...piece.body.childNodes);
    }
  }

  form.addEventListener("change", (event) => {
    if (event.target.type === "radio" || promised.includes(event.target.name)) showAhead();
  });
  form.addEventListener("input", () => {
    kept.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(keep, 1500);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
});

// The queue by keyboard. Single keys can be switched off, for those who dictate.
setUps.push((root) => {
  const queue = root.querySelector("form[data-queue]");
  const help = root.querySelector("#keys");
  if (!help) return;
  const on = help.querySelector("#keys-on");
  on.checked = localStorage.getItem("keys") !== "off";
  on.addEventListener("change", () => localStorage.setItem("keys", on.checked ? "on" : "off"));
  const lines = queue ? [...queue.querySelectorAll("[data-line]")] : [];
  let at = -1;

  function tell() {
    const many = lines.filter((line) => line.querySelector("[name=pick]").checked).length;
    const words = queue.querySelector("[data-ticked]");
    queue.classList.toggle("ticking", many > 0);
    words.textContent = many ? words.dataset.ticked.replace("{number}", many) : "";
  }
  if (queue) {
    queue.addEventListener("change", tell);
    queue.addEventListener("focusin", (event) => {
      const line = event.target.closest("[data-line]");
      if (line) mark(lines.indexOf(line));
    });
    tell();
  }

  function mark(index) {
    lines[at]?.classList.remove("at");
    at = Math.max(0, Math.min(index, lines.length - 1));
    lines[at]?.classList.add("at");
  }
  function step(by) {
    if (!lines.length) return;
    mark(at < 0 ? 0 : at + by);
    lines[at].querySelector("[name=pick]").focus({ preventScroll: true });
    lines[at].scrollIntoView({ block: "nearest" });
  }
  function ticks() {
    const ticked = lines.filter((line) => line.querySelector("[name=pick]").checked);
    if (!ticked.length && at >= 0) {
      lines[at].querySelector("[name=pick]").checked = true;
      tell();
      return [lines[at]];
    }
    return ticked;
  }
  function give(command) {
    const button = queue?.querySelector(`button[name=command][value=${command}]`);
    if (!button || !ticks().length) return;
    if (button.hasAttribute("data-words")) {
      queue.querySelector(command === "refer" ? "#party" : "#reason").focus();
      button.classList.add("primary");
    } else {
      queue.requestSubmit(button);
    }
  }
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    x: () => {
      if (at < 0) return;
      lines[at].querySelector("[name=pick]").click();
    },
    Enter: () => at >= 0 && lines[at].querySelector("a").click(),
    c: () => give("claim"),
    a: () => {
      const opens = lines[at]?.querySelector("[data-approve]");
      if (opens) opens.click();
      else give("approve");
    },
    q: () => give("ask"),
    r: () => give("refer"),
    u: () => document.querySelector("#undo button")?.click(),
    "?": () => help.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const where = event.target;
    const writes = where.matches("textarea, select, input:not([type=checkbox])");
    if (event.ctrlKey || event.metaKey || event.altKey || writes || help.open) return;
    if (event.key === "Enter" && where.matches("button, a, summary")) return;
    if (!(event.key in keys) || (!on.checked && event.key !== "?")) return;
    event.preventDefault();
    keys[event.key]();
  });
});

// What can be taken back counts down, and goes when the time is over. The server's clock decides.
setUps.push((root) => {
  for (const button of root.querySelectorAll("button[data-seconds]")) {
    const until = Date.now() + 1000 * Number(button.dataset.seconds);
    const tick = setInterval(() => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (!button.isConnected || left <= 0) {
        clearInterval(tick);
        button.form?.remove();
      } else {
        button.textContent = button.textContent.replace(/\d+/, left);
      }
    }, 250);
  }
});

// Comparing a file: one too large is not sent, only the chosen way is shown, work is followed.
setUps.push((root) => {
  const file = root.querySelector("input[data-largest]");
  file?.addEventListener("change", () => {
    const tooLarge = file.files.length && file.files[0].size > Number(file.dataset.largest);
    file.setCustomValidity(tooLarge ? file.dataset.tooLarge : "");
    if (tooLarge) file.reportValidity();
  });
  const ways = [...root.querySelectorAll("[data-way]")];
  const choices = [...root.querySelectorAll("input[name=way]")];
  const showWay = () => {
    const chosen = choices.find((one) => one.checked)?.value;
    for (const way of ways) way.hidden = way.dataset.way !== chosen;
  };
  for (const choice of choices) choice.addEventListener("change", showWay);
  if (choices.length) showWay();
  if (root.querySelector("[data-progress]")) {
    setTimeout(() => refresh(document.getElementById("main"), location.href), 1000);
  }
});

// On paper nothing can be unfolded: the clock's table and the history are printed with the rest.
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("#main details:not(.act, [open])")];
  for (const one of unfolded) one.open = true;
});
window.addEventListener("afterprint", () => {
  for (const one of unfolded) one.open = false;
});

document.documentElement.classList.add("scripted");
begin(document);
document.getElementById("wrong")?.focus();
const main = document.getElementById("main");
if (main) follow(main);
const bell = document.querySelector(".bell");
if (bell) keepCount(bell);
