/** `inspect TRACE… --lcov FILE`: what of the source was executed, in all of the traces together. */
import { Coverage, lcovText, openTrace, writeWhole } from '../replay/index.ts';

import { outputFile } from './files.ts';
import type { InspectOptions } from './inspect-options.ts';
import { grouped, print, progress } from './report.ts';

export async function writeCoverage(traces: readonly string[], to: string, options: InspectOptions): Promise<void> {
  outputFile(to, traces);
  const coverage = new Coverage();
  const line = progress();
  for (const path of traces) {
    const trace = await openTrace(path);
    try {
      await coverage.add(trace, {
        from: BigInt(options.from),
        ...(options.to !== undefined && { to: BigInt(options.to) }),
        tier: options.tier,
        progress: (position) => line.show(() => `${path}: ${grouped(position)} instructions`),
      });
    } finally {
      trace.close();
    }
  }
  line.done();
  const { text, files, lines, linesHit } = lcovText(coverage);
  writeWhole(to, Buffer.from(text), 0o644);
  print(
    { lcov: to, traces: traces.length, files, lines, linesHit },
    options.json,
    `${grouped(linesHit)} of ${grouped(lines)} lines of ${files} files; lcov ${to}\n`,
  );
}
