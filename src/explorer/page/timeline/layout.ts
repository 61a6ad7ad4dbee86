/** Where things stand in the timeline, in CSS pixels from its top, and how the page's colours are called. */
import { LANES, type Lane } from '../../protocol.ts';

export const GUTTER = 156;
export const AXIS = 26;
const GAP = 18;
const LANE = 17;
const MOST_SPACES_HEIGHT = 108;
const SPACE = 18;
const LEAST_SPACE = 2;

export const LANE_NAMES: Readonly<Record<Lane, string>> = {
  calls: 'system calls',
  interrupts: 'interrupts',
  faults: 'faults',
  switches: 'switches',
  memory: 'page tables, TLB, CR',
  devices: 'devices, MSRs',
  stale: 'stale translations',
};

export interface Layout {
  readonly height: number;
  readonly spaces: { readonly top: number; readonly height: number; readonly count: number };
  readonly lanes: { readonly top: number; readonly height: number };
}

/** For so many address spaces. */
export function layoutFor(spaces: number): Layout {
  const count = Math.max(1, spaces);
  const height = Math.max(LEAST_SPACE, Math.min(SPACE, Math.floor(MOST_SPACES_HEIGHT / count)));
  const lanesTop = AXIS + count * height + GAP;
  return {
    height: lanesTop + LANES.length * LANE + 2,
    spaces: { top: AXIS, height, count },
    lanes: { top: lanesTop, height: LANE },
  };
}

export interface Palette {
  readonly background: string;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly user: string;
  readonly kernel: string;
  readonly cursor: string;
  readonly finding: string;
  readonly mark: string;
  readonly lanes: readonly string[];
}

/** The colours of the theme that is shown: custom properties of style.css. */
export function paletteOf(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    background: colour('pane'),
    text: colour('text'),
    faint: colour('faint'),
    line: colour('line'),
    user: colour('user'),
    kernel: colour('kernel'),
    cursor: colour('cursor'),
    finding: colour('danger'),
    mark: colour('mark'),
    lanes: LANES.map((lane) => colour(`lane-${lane}`)),
  };
}
