// What htmx leaves to us. Every page works without it.
"use strict";

// A part that a script has replaced keeps the reader's place: the words about the action.
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail && event.detail.ctx && event.detail.ctx.target;
  if (!target || target.id !== "main") return;
  const place = document.querySelector("#main [role=alert], #main .notice") || document.querySelector("#main");
  place.tabIndex = -1;
  place.focus();
});
