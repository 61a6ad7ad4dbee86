/** Light, dark, or what the system says; the choice is kept where the browser lets it. */
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'palindrome-theme';

export function shownTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return THEMES.find((each) => each === theme) ?? 'system';
}

export function nextTheme(): Theme {
  const next = THEMES[(THEMES.indexOf(shownTheme()) + 1) % THEMES.length] ?? 'system';
  document.documentElement.dataset['theme'] = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {} // no storage: it is chosen again next time
  return next;
}

/** Before the first drawing. */
export function restoreTheme(): void {
  try {
    document.documentElement.dataset['theme'] = localStorage.getItem(KEY) ?? 'system';
  } catch {
    document.documentElement.dataset['theme'] = 'system';
  }
}
