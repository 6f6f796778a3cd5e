// What the board is about: everyone, or one team, site or queue; it stands in the address, so a screen can be set up once.

import { make } from "./format.js";

const select = document.getElementById("scope");
const KINDS = { team: "Teams", site: "Sites", queue: "Queues" };

export function chosen() {
  const given = new URLSearchParams(location.search);
  const kind = Object.keys(KINDS).find((name) => given.get(name));
  return kind ? { [kind]: given.get(kind) } : {};
}

export function watch(changed) {
  select.addEventListener("change", () => {
    const [kind, name] = select.value ? JSON.parse(select.value) : [];
    history.replaceState(null, "", kind ? `?${new URLSearchParams({ [kind]: name })}` : location.pathname);
    changed();
  });
}

export function offer(scopes) {
  const now = Object.entries(chosen())[0];
  const groups = Object.entries(KINDS).map(([kind, title]) => {
    const names = new Set(scopes[kind]);
    if (now?.[0] === kind) names.add(now[1]);
    const options = [...names].sort().map((name) => make("option", { value: JSON.stringify([kind, name]) }, name));
    return make("optgroup", { label: title }, ...options);
  });
  const shown = JSON.stringify(groups.map((group) => group.textContent));
  if (select.dataset.shown !== shown) {
    select.dataset.shown = shown;
    select.replaceChildren(make("option", { value: "" }, "Everyone"), ...groups.filter((group) => group.children.length));
  }
  select.value = now ? JSON.stringify(now) : "";
}

export function named() {
  const now = Object.entries(chosen())[0];
  return now ? `${now[0]} ${now[1]}` : "everyone";
}
