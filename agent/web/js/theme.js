// Light or dark: as the system has it until the user chooses.
export function toggleTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("pgvalet.theme", root.dataset.theme);
  } catch {
    // Not allowed here: the choice lasts as long as the page.
  }
}
