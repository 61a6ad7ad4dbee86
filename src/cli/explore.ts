/** `palindrome explore TRACE`: a local page that shows the trace along its time, and the machine at any moment. */
import { Command } from 'commander';
import { explore } from '../explorer/index.ts';
import { Interruption } from './interruption.ts';
import { report, wholeNumber } from './report.ts';

interface Options {
  readonly port: number;
  readonly source: readonly string[];
  readonly json?: boolean;
}

export const exploreCommand = (): Command =>
  new Command('explore')
    .description('look at a trace in a browser: its timeline, and the machine at any moment (served on 127.0.0.1 until Ctrl-C)')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .option('-p, --port <number>', 'serve on this port (0: any that is free)', wholeNumber('port', 0, 65_535), 0)
    .option('-s, --source <dir>', 'look for source files below this folder too; may be given several times', collect, [])
    .option('--json', 'print one JSON object with the URL as the first line')
    .action(async (path: string, { port, source, json }: Options) => {
      const interruption = new Interruption();
      const explorer = await explore(path, { port, sources: source, failed: report });
      process.stdout.write(json ? `${JSON.stringify({ url: explorer.url })}\n` : `${explorer.url}\nopen it in a browser; Ctrl-C ends\n`);
      await new Promise((resolve) => {
        if (interruption.signal.aborted) resolve(null);
        interruption.signal.addEventListener('abort', resolve, { once: true });
      });
      await explorer.close();
      interruption.end();
    });

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
