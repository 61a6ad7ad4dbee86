/**
 * Records the guest into the file that the first argument names, for so many rounds: for tests that want another process to do it. With `tell` as the third
 * it prints the count of instructions behind each block that it has written.
 */
import { writeSync } from 'node:fs';
import { record } from '../../src/replay/index.ts';
import { guestRecording } from './guest.ts';

const [, , to, rounds, tell] = process.argv;
if (to === undefined) throw new Error('usage: record-guest.ts FILE [ROUNDS [tell]]');
const progress = (instructions: bigint): void => void (tell === 'tell' && writeSync(1, `${instructions}\n`));
await record({ ...guestRecording(rounds === undefined ? {} : { rounds: Number(rounds) }), limit: 1_000_000_000n, to, progress });
