/** `--tier`: the one option that every command which runs a guest has. */
import { InvalidArgumentError, Option } from 'commander';
import type { Tier } from '../machine/index.ts';

const WHAT = 'how guest code is run: interpreted, compiled at once, or compiled where it is hot (same results)';

export const tierOption = (otherwise: Tier = 'auto', what = WHAT): Option =>
  new Option('--tier <0|1|auto>', what).argParser(parseTier).default(otherwise);

function parseTier(text: string): Tier {
  if (text === 'auto') return text;
  if (text === '0' || text === '1') return text === '0' ? 0 : 1;
  throw new InvalidArgumentError('tier is 0, 1 or auto.');
}
