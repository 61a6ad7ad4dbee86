/** Records the guest into the file that the first argument names, for so many rounds: for tests that want another process to do it. */
import { record } from '../../src/replay/index.ts';
import { guestRecording } from './guest.ts';

const [, , to, rounds] = process.argv;
if (to === undefined) throw new Error('usage: record-guest.ts FILE [ROUNDS]');
await record({ ...guestRecording(rounds === undefined ? {} : { rounds: Number(rounds) }), limit: 1_000_000_000n, to });
