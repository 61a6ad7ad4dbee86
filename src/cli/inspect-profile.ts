/** `inspect --profile`, `--folded`: where the instructions of a run went. */
import { type Profile, profileOf, type Trace, writeWhole } from '../replay/index.ts';

import type { InspectOptions } from './inspect-options.ts';
import { grouped, print, progress } from './report.ts';

const ROWS = 40;

export async function showProfile(trace: Trace, { from, to, folded, profile: isShown, tier, json }: InspectOptions): Promise<void> {
  const line = progress();
  const profile = await profileOf(trace, {
    from: BigInt(from),
    ...(to !== undefined && { to: BigInt(to) }),
    tier,
    progress: (position) => line.show(() => `counting: ${grouped(position)} instructions`),
  });
  line.done();
  let stacks = 0;
  if (folded !== undefined) {
    const lines = [...profile.folded()];
    stacks = lines.length;
    writeWhole(folded, Buffer.from(lines.map((each) => `${each}\n`).join('')), 0o644);
  }
  const { instructions, user, processes, functions } = profile;
  const written = folded === undefined ? {} : { folded, stacks };
  const told = folded === undefined ? '' : `${grouped(stacks)} stacks of ${grouped(instructions)} instructions; folded ${folded}\n`;
  print({ instructions, user, processes, functions, ...written }, json, `${isShown === true ? tableOf(profile) : ''}${told}`);
}

function tableOf({ instructions, user, processes, functions }: Profile): string {
  const share = (part: number) => `${((100 * part) / Math.max(1, instructions)).toFixed(2)} %`.padStart(8);
  const number = (value: number) => grouped(value).padStart(15);
  const rows = functions.slice(0, ROWS).map(({ process, image, name, isUser, self, total, calls }) => {
    const where = image === '' ? '' : ` (${image})`;
    return `${number(self)} ${share(self)} ${number(total)} ${share(total)} ${number(calls)}  ${isUser ? 'u' : 'k'} ${name}${where}, ${process}`;
  });
  return [
    `${grouped(instructions)} instructions: ${grouped(instructions - user)} in the kernel, ${grouped(user)} in user mode`,
    '',
    `${'kernel'.padStart(15)} ${'user'.padStart(15)}  process`,
    ...processes.map((each) => `${number(each.kernel)} ${number(each.user)}  ${each.name}`),
    '',
    `${'self'.padStart(15)} ${''.padStart(8)} ${'total'.padStart(15)} ${''.padStart(8)} ${'calls'.padStart(15)}  function`,
    ...rows,
    ...(functions.length > ROWS ? [`${grouped(functions.length - ROWS)} more: --json tells all`] : []),
    '',
  ].join('\n');
}
