/** A hostile program: the acts of all families, by weight. */
import fc from 'fast-check';
import { endingCall, oddNumber, tableCall } from '../grammars/calls.ts';
import { deadly } from '../grammars/instructions.ts';
import { accesses, mappings } from '../grammars/memory.ts';
import { processes, signalling } from '../grammars/processes.ts';
import { registers } from '../grammars/registers.ts';
import { signalFrames } from '../grammars/signals.ts';
import { type Act, type ActArbitrary, inChild, weighted } from './act.ts';

/** An act after which the program goes on, as far as it depends on the act's author. */
const survivable: ActArbitrary = weighted(
  [10, tableCall],
  [1, oddNumber],
  [6, mappings],
  [4, processes],
  [3, registers],
  [1, signalling],
  [3, inChild(deadly)],
  [2, inChild(signalFrames)],
  [2, inChild(accesses)],
  [2, inChild(mappings)],
  [1, inChild(endingCall)],
);

/** An act that may well be the last. */
const last: ActArbitrary = weighted([3, deadly], [2, signalFrames], [2, accesses], [1, endingCall], [2, mappings]);

/** The most acts of a program. */
const MOST_ACTS = 5;

/** Programs: up to five acts, of which the last may be deadly. */
export const hostileProgram: fc.Arbitrary<readonly Act[]> = fc
  .tuple(fc.array(survivable, { minLength: 1, maxLength: MOST_ACTS - 1 }), fc.option(last, { freq: 3 }))
  .map(([acts, end]) => (end ? [...acts, end] : acts));
