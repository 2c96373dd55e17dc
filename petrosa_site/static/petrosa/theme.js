// Light or dark before the first paint: the same choice, in the same place, as the admin's switch.
(() => {
  const KEY = "adminTheme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) || "auto";
    } catch {
      return "auto";
    }
  }

  function show() {
    const choice = chosen();
    const dark = choice === "dark" || (choice === "auto" && system.matches);
    document.documentElement.classList.toggle("dark", dark);
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.dataset.choice = choice;
      button.title = `Colours: ${choice === "auto" ? "as the system" : choice}`;
      button.setAttribute("aria-label", button.title);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    show();
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.addEventListener("click", () => {
        const next = { auto: "light", light: "dark", dark: "auto" }[chosen()] || "auto";
        localStorage.setItem(KEY, JSON.stringify(next));
        show();
      });
    }
  });
  system.addEventListener("change", show);
  window.addEventListener("storage", show);
  show();
})();
