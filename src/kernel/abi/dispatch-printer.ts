/**
 * Prints syscalls/dispatch.ts from the table: one case a call, arguments taken from the trap frame in the order of the ABI and converted by their kind.
 * `npm run generate` writes the file; a test says when it is stale.
 */
import { type Argument, handlerName, SYSCALLS } from './syscalls.ts';

/** Where the ABI passes arguments (R10 in place of RCX, which SYSCALL overwrites). */
const REGISTERS = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

function argumentText(argument: Argument, index: number): string | null {
  const register = `frame.${REGISTERS[index] ?? ''}`;
  switch (argument.kind) {
    case 'ignored':
      return null;
    case 'fd':
    case 'directory-fd':
    case 'choice':
    case 'flags':
    case 'pid':
    case 'signal':
    case 'int':
    case 'mode':
      return `wrapping.i32(${register})`;
    case 'offset':
      return `wrapping.i64(${register})`;
    default:
      return register;
  }
}

export function dispatchText(): string {
  const files = [...new Set([...SYSCALLS.map((call) => call.file), 'result'])].sort();
  const imports = files.map((file) => {
    if (file === 'result') return `import { failure } from './result.ts';`;
    const names = SYSCALLS.filter((call) => call.file === file).map((call) => handlerName(call.name));
    return `import { ${names.sort().join(', ')} } from './${file}.ts';`;
  });
  const cases = SYSCALLS.map((call) => {
    const values = call.arguments.map(argumentText).filter((text) => text !== null);
    return `    case ${call.number}n:\n      return ${handlerName(call.name)}(${['process', ...values].join(', ')});`;
  });
  return `// biome-ignore-all format: printed from abi/syscalls.ts by abi/dispatch-printer.ts (npm run generate): change the table, not this
/** From the number of a system call to its function, with the arguments taken from the registers. */
import { ENOSYS } from '../abi/errno.ts';
import type { TrapFrame } from '../ostd/trap-frame.ts';
import type { Process } from '../task/process.ts';
${imports.join('\n')}

/** Runs the system call whose number is in RAX; what it gives goes to RAX. */
export function dispatch(process: Process, frame: TrapFrame): i64 {
  switch (frame.rax) {
${cases.join('\n')}
    default:
      return failure(ENOSYS);
  }
}
`;
}
