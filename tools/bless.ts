/** `npm run bless`: makes the golden files again. Look at the difference before you commit it: it is a change of behaviour. */
import { blessHowToPage } from '../tests/replay/gdb/how-to.ts';
import { blessSessions } from '../tests/replay/gdb/run-session.ts';
import { blessGoldenTraces } from '../tests/replay/golden.ts';

await blessGoldenTraces();
await blessSessions('gdb');
blessHowToPage();
