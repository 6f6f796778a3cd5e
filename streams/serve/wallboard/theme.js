// Light, dark, or as the system has it; the choice is kept in this browser.

const button = document.getElementById("theme");
const NEXT = { system: "light", light: "dark", dark: "system" };
const KEPT = "widget-streams-theme";

function show(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = `Theme: ${theme}`;
}

let theme = localStorage.getItem(KEPT);
if (!(theme in NEXT)) theme = "system";
show(theme);
button.addEventListener("click", () => {
  theme = NEXT[theme];
  localStorage.setItem(KEPT, theme);
  show(theme);
});
