/** Runs one of the project's own scripts on the pinned engine: `node tools/with-engine.js SCRIPT ARGUMENTS…`. */
import { handOver } from '../bin/engine.js';

const [script, ...args] = process.argv.slice(2);
if (script === undefined) {
  process.stderr.write('with-engine: which script? Usage: node tools/with-engine.js SCRIPT ARGUMENTS…\n');
  process.exit(2);
}
handOver(script, args, { checkout: true });
