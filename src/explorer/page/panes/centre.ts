/** Scrolls what holds an element up or down so that it is in the middle; sideways it stays. */
export function centre(element: HTMLElement | null): void {
  const body = element?.closest<HTMLElement>('.body');
  if (element === null || body === null || body === undefined) return;
  const [inner, outer] = [element.getBoundingClientRect(), body.getBoundingClientRect()];
  body.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
}
