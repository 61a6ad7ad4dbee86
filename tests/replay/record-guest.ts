/** Records the guest into the file that the first argument names: for tests that want another process to do it. */
import { record } from '../../src/replay/index.ts';
import { guestRecording } from './guest.ts';

const [, , to] = process.argv;
if (to === undefined) throw new Error('usage: record-guest.ts FILE');
await record({ ...guestRecording(), to });
