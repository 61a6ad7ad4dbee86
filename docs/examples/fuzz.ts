/** The fuzzer: a campaign against keel with a planted defect, and the program that shows it. */
import { buildKeel } from 'palindrome/compiler';
import { campaign, loadSaboteur } from 'palindrome/fuzz';

const { edits } = loadSaboteur('no-umip');
const { programs, findings } = await campaign({ kernel: buildKeel({ edits }).image, seed: 'example', runs: 16, workers: 1 });
console.log(`${programs} programs`);
for (const { invariant, failure } of findings) console.log(`${invariant}: ${failure.message.replace(/0x[0-9a-f]+/g, '…')}`);
