// The queue of held texts by keys: j, k, a, r, e. Every form of it works without them.
"use strict";

(() => {
  const OFF = "sirenade-sans-raccourcis";
  let place = -1;
  const texts = () => [...document.querySelectorAll("#file > article")];
  const keys = () => document.querySelector("#raccourcis");

  const show = () => {
    const line = document.querySelector("#touches");
    if (!line) return;
    line.hidden = false;
    keys().checked = localStorage.getItem(OFF) === null;
  };
  const go = (to) => {
    const all = texts();
    if (!all.length) return;
    place = Math.min(Math.max(to, 0), all.length - 1);
    all[place].focus();
  };
  const acts = {
    j: () => go(place + 1),
    k: () => go(place - 1),
    a: (text) => text.querySelector("button.release").click(),
    r: (text) => {
      text.querySelector("details").open = true;
      text.querySelector("details input[name=motif]").focus();
    },
    e: (text) => text.querySelector("a.correct").click(),
  };

  document.addEventListener("change", (event) => {
    if (event.target !== keys()) return;
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !keys() || !keys().checked) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const act = acts[event.key];
    if (!act) return;
    const here = texts().findIndex((each) => each.contains(document.activeElement));
    if (here >= 0) place = here;
    // Nothing is decided of a text that nobody has gone to.
    if (here < 0 && !"jk".includes(event.key)) return;
    event.preventDefault();
    act(texts()[here]);
  });
  document.addEventListener("htmx:after:swap", () => {
    show();
    if (place >= 0 && !document.querySelector("#main [role=alert]")) go(place);
  });
  document.addEventListener("DOMContentLoaded", show);
  if (document.readyState !== "loading") show();
})();
