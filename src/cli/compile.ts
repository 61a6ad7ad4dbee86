/** `palindrome compile FILE [-o OUT]`: a source program to an ELF64 executable. */
import { Command } from 'commander';
import { formatDiagnostic } from '../compiler/index.ts';
import { writeWhole } from '../replay/whole-file.ts';
import { outputFile } from './files.ts';
import { compileFile } from './program.ts';
import { print, STATUS } from './report.ts';

interface Options {
  readonly output?: string;
  readonly dump?: string;
  readonly optimise: boolean;
  readonly trusted?: boolean;
  readonly json?: boolean;
}

export const compileCommand = (): Command =>
  new Command('compile')
    .description('compile a source program (bare TypeScript) to a static ELF64 executable')
    .argument('<file>', 'the program’s main module')
    .option('-o, --output <file>', 'where to write it (default: the source’s name without .ts)')
    .option('--dump <pass>', 'print the IR after this pass (front, the name of a pass, or all)')
    .option('--no-optimise', 'compile as written')
    .option('--trusted', 'allow intrinsics: raw memory, ports, assembly')
    .option('--json', 'print one JSON object as the last line')
    .action((file: string, options: Options) => {
      const start = performance.now();
      const { image, diagnostics } = compileFile(file, {
        optimise: options.optimise ? 2 : 0,
        trusted: options.trusted ?? false,
        ...(options.dump && { dump: { after: options.dump, write: (pass, text) => process.stdout.write(`; after ${pass}\n${text}\n`) } }),
      });
      const milliseconds = Math.round((performance.now() - start) * 10) / 10;
      const output = image === null ? null : (options.output ?? file.replace(/\.[cm]?ts$/, ''));
      if (image !== null && output !== null) writeWhole(outputFile(output, [file]), image, 0o755);
      const found = diagnostics.map(({ code, file, line, column, message }) => ({ code, file, line, column, message }));
      for (const diagnostic of diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`);
      print(
        { image: output, bytes: image?.length ?? 0, milliseconds, diagnostics: found },
        options.json,
        image === null ? '' : `${output}: ${image.length} bytes in ${milliseconds} ms\n`,
      );
      process.exitCode = image === null ? STATUS.wrongUse : STATUS.done;
    });
