// Runs before the first paint, so that a chosen theme does not flash; state/theme.ts writes it.
try {
  const theme = localStorage.getItem('ropewalk.theme');
  if (theme) document.documentElement.dataset.theme = JSON.parse(theme);
} catch {
  // no storage: the system's theme
}
