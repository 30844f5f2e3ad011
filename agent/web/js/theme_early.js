// Before anything is painted: the colours chosen here before, else those of the system.
// Storage may be forbidden; then the choice lasts as long as the page.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("pgvalet.theme");
  } catch {
    chosen = null;
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = chosen ?? (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  apply();
})();
