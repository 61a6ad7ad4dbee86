/** The table for people. */
import type { Measured } from './measure.ts';
import { OURS, PATH } from './peers/ours.ts';
import type { Peer } from './peers/peer.ts';
import { QEMU } from './peers/qemu.ts';
import type { Row } from './rows.ts';

/** Million instructions a CPU second of every guest on every machine; then ours as a multiple of QEMU, and the trace's size. */
export function speedTable(all: readonly Measured[], peers: readonly Peer[]): string {
  const head = ['M instructions a CPU second', 'M instr.', ...peers.map(({ name }) => name), `${OURS} : ${QEMU}`, `${PATH} B/instr.`];
  const lines = all.map(({ image, instructions, cells }) => {
    const timed = (name: string) => {
      const cell = cells.get(name);
      return cell?.kind === 'timed' ? cell : null;
    };
    const [ours, qemu, recorded] = [timed(OURS), timed(QEMU), timed(PATH)];
    return [
      image.name,
      number(instructions / 1e6),
      ...peers.map(({ name }) => {
        const cell = cells.get(name);
        if (cell?.kind === 'timed') return number(instructions / cell.cpuSeconds / 1e6);
        return cell?.kind === 'left out' ? '–' : (cell?.kind ?? '–');
      }),
      ours && qemu ? `${number(qemu.cpuSeconds / ours.cpuSeconds)} : 1` : '–',
      recorded?.traceBytes ? number(recorded.traceBytes / instructions) : '–',
    ];
  });
  return layOut([head, ...lines]);
}

/** What went wrong, a line each. */
export function errorLines(all: readonly Measured[]): string[] {
  return all.flatMap(({ image, cells }) =>
    [...cells].flatMap(([name, cell]) => (cell.kind === 'error' ? [`${image.name}, ${name}: ${cell.message}`] : [])),
  );
}

/** Rows one under the other: the goals, and what is measured beside the guests. */
export function rowTable(rows: readonly Row[]): string {
  return layOut([
    ['', 'of', 'ours', 'unit', 'beside', 'ratio', 'goal', 'met'],
    ...rows.map(({ name, image, unit, ours, peer, peerName, ratio, goal, met }) => [
      name,
      image,
      number(ours),
      unit,
      peer === null || peerName === null ? '' : `${number(peer)} (${peerName})`,
      ratio === null ? '' : number(ratio),
      goal ?? '',
      met === null ? '' : met ? 'yes' : 'NO',
    ]),
  ]);
}

/** Three digits that matter. */
export function number(value: number): string {
  if (Number.isNaN(value)) return 'error';
  const digits = value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(digits, 0), 6));
}

/** Columns of equal width: the first to the left, the others to the right. */
export function layOut(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0));
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
}
