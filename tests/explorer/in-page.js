/** What the tests ask of the page from inside: read as text and evaluated there, an object of functions. */
({
  /** Contrasts of its texts (WCAG), heights of its panes, and what hangs over the window. */
  measure() {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const luminance = (colour) => {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const back = getComputedStyle(document.querySelector('.pane')).backgroundColor;
    const probe = document.createElement('span');
    document.body.append(probe);
    const contrasts = ['text', 'faint', 'accent', 'changed', 'danger'].map((name) => {
      probe.style.color = `var(--${name})`;
      const [a, b] = [luminance(getComputedStyle(probe).color), luminance(back)];
      return [name, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
    probe.remove();
    const { scrollWidth, scrollHeight } = document.documentElement;
    return {
      isDark: luminance(back) < 0.2,
      contrasts,
      overflow: Math.max(0, scrollWidth - innerWidth) + Math.max(0, scrollHeight - innerHeight),
      panes: [...document.querySelectorAll('.pane, .tabs')].map((element) => [element.className, element.clientHeight]),
    };
  },

  /** What is operated but has no name, or is out of the document's order of focus. */
  faults() {
    const nameless = [...document.querySelectorAll('button, input, select')].filter(
      (element) => !(element.textContent || element.getAttribute('aria-label') || element.labels?.length),
    );
    const forced = [...document.querySelectorAll('[tabindex]')].filter((element) => Number(element.getAttribute('tabindex')) > 0);
    return [...nameless, ...forced].map((element) => element.outerHTML);
  },

  /** The part of the page that has the focus. */
  focused() {
    return document.activeElement?.closest('section, header.bar, aside')?.className ?? '';
  },

  background() {
    return getComputedStyle(document.body).backgroundColor;
  },
});
