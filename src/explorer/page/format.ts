/** Numbers as people read them. */

/** With a comma before each three digits. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A position as it may be typed: digits, with commas or spaces between them; null where it is none. */
export function parsePosition(text: string): number | null {
  const digits = text.replaceAll(/[,\s_]/g, '');
  return /^\d{1,16}$/.test(digits) ? Number(digits) : null;
}

/** An address as it may be typed, as the server takes it; null where it is none. */
export function parseAddress(text: string): string | null {
  const match = /^\s*(?:0x)?([0-9a-f]{1,16})\s*$/i.exec(text);
  return match === null ? null : `0x${(match[1] ?? '').toLowerCase()}`;
}

/** A short form for axes: `1.5 M`. */
export function short(value: number, step: number): string {
  const units = [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const;
  if (step < 1000) return grouped(value);
  for (const [unit, name] of units) {
    if (step * 1000 < unit || value < unit) continue;
    const digits = Math.max(0, Math.ceil(Math.log10(unit / step) - 1e-9));
    if (digits <= 3) return `${(value / unit).toFixed(digits)}${name}`;
  }
  return grouped(value);
}
