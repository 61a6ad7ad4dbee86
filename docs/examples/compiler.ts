/** The compiler: source text in, an ELF64 executable or numbered diagnostics out. */
import { compile, formatDiagnostic, readElf } from 'palindrome/compiler';

const good = `import { print } from 'palindrome/program';
print('Hello\\n');
`;
const { image } = compile({ entry: 'good.ts' }, new Map([['good.ts', good]]));
if (image === null) throw new Error('it compiles');
console.log(
  `entry ${readElf(image, 'good').symbol('_start') !== null ? 'found' : 'missing'}, ${image.length > 1000 ? 'an ELF of some KiB' : 'too small'}`,
);

const wrong = compile({ entry: 'wrong.ts' }, new Map([['wrong.ts', 'const x: u8 = 300;\n']]));
for (const diagnostic of wrong.diagnostics) console.log(formatDiagnostic(diagnostic));
