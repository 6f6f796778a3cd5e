// Shows what the collector does. A host page needs none of this: its script tag is all.
"use strict";

const SHOWN = 14;
const element = (id) => document.getElementById(id);

addEventListener("message", (message) => {
  const { type, call, calls } = message.data ?? {};
  if (typeof type !== "string" || !type.startsWith("rc-")) return;
  const row = element("events").insertRow(0);
  for (const text of [new Date().toLocaleTimeString(), type, call?.id ?? (calls ? `${calls.length} calls` : "")])
    row.insertCell().textContent = text;
  while (element("events").rows.length > SHOWN) element("events").deleteRow(SHOWN);
});

function show() {
  const status = window.WidgetStreams?.status();
  if (!status) return;
  const states = { waiting_for_consent: "waits for consent", stopped: "stopped" };
  element("captured").textContent = status.captured;
  element("sent").textContent = status.sent;
  element("dropped").textContent = Object.values(status.dropped).reduce((sum, count) => sum + count, 0);
  element("role").textContent = states[status.state] ?? (status.leads ? "sends for all tabs" : "another tab sends");
  element("trouble").textContent = status.trouble || "none";
  element("trouble").classList.toggle("bad", status.trouble !== "");
}

element("start").addEventListener("click", () => window.WidgetStreams?.start());
element("stop").addEventListener("click", () => window.WidgetStreams?.stop());
element("discard").addEventListener("click", () => window.WidgetStreams?.stop({ discard: true }));
if (!window.WidgetStreams) element("role").textContent = "no collector: is the gateway up?";
setInterval(show, 250);
