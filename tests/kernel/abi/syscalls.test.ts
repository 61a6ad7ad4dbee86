/** The system-call table against the host's own headers, and the files that are printed from it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as constants from '../../../src/kernel/abi/constants.ts';
import { dispatchText } from '../../../src/kernel/abi/dispatch-printer.ts';
import * as errno from '../../../src/kernel/abi/errno.ts';
import { STRUCTS } from '../../../src/kernel/abi/layouts.ts';
import { SYSCALLS } from '../../../src/kernel/abi/syscalls.ts';
import { runTool, toolOrSkip } from '../../tools.ts';

const kernel = join(import.meta.dirname, '../../../src/kernel');

describe('the table of system calls', () => {
  it('is in the order of the numbers, each once', () => {
    const numbers = SYSCALLS.map((call) => call.number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  it('names only errors, structures and length arguments that exist', () => {
    for (const call of SYSCALLS) {
      for (const name of call.errors) expect(errno, `${call.name}: ${name}`).toHaveProperty(name);
      for (const argument of call.arguments) {
        if (argument.kind === 'bytes-in' || argument.kind === 'bytes-out') {
          expect(call.arguments.map((each) => each.name)).toContain(argument.length);
        }
        if (argument.kind === 'struct-in' || argument.kind === 'struct-out') expect(STRUCTS).toHaveProperty(argument.struct);
      }
      expect(call.arguments.length, call.name).toBeLessThanOrEqual(6);
    }
  });

  it('is what syscalls/dispatch.ts was printed from', () => {
    const isFresh = readFileSync(join(kernel, 'syscalls/dispatch.ts'), 'utf8') === dispatchText();
    expect(isFresh, 'npm run generate prints it').toBe(true);
  });

  it('has the numbers, constants and layouts of the host', (context) => {
    const gcc = toolOrSkip(context, 'gcc');
    const folder = mkdtempSync(join(tmpdir(), 'keel-abi-'));
    try {
      const lines = [
        ...SYSCALLS.map((call) => `show("SYS_${call.name}", SYS_${call.name});`),
        ...Object.keys(errno).map((name) => `show("${name}", ${name});`),
        ...Object.keys(constants)
          .filter((name) => !['SIGNALS', 'CLONE_VM', 'O_ACCMODE'].includes(name))
          .map((name) => `show("${name}", ${name});`),
        ...structs.flatMap(([struct, type]) => [
          `show("${struct}", sizeof(${type}));`,
          ...STRUCTS[struct].fields.map(([field]) => `show("${struct}.${field}", offsetof(${type}, ${fieldOf(field)}));`),
        ]),
      ];
      writeFileSync(
        join(folder, 'abi.c'),
        `${headers}\n#define show(n, v) printf("%s %ld\\n", n, (long)(v))\nint main(void) {\n${lines.join('\n')}\n}\n`,
      );
      runTool(gcc, ['-w', '-o', join(folder, 'abi'), join(folder, 'abi.c')]);
      const host = new Map(
        runTool(join(folder, 'abi'), [])
          .trim()
          .split('\n')
          .map((line) => line.split(' ') as [string, string])
          .map(([name, value]) => [name, Number(value)]),
      );
      for (const call of SYSCALLS) expect(host.get(`SYS_${call.name}`), call.name).toBe(call.number);
      for (const [name, value] of [...Object.entries(errno), ...Object.entries(constants)]) {
        // glibc's O_LARGEFILE games leave O_ACCMODE alone; names left out above are not in the headers under that name.
        if (host.has(name)) expect(host.get(name), name).toBe(value);
      }
      for (const [struct] of structs) {
        expect(host.get(struct), struct).toBe(STRUCTS[struct].size);
        for (const [field, offset] of STRUCTS[struct].fields) expect(host.get(`${struct}.${field}`), `${struct}.${field}`).toBe(offset);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const headers = `#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <asm/prctl.h>
#include <time.h>
#include <unistd.h>`;

/** Structures that the C library declares as the kernel does. */
const structs: readonly (readonly [keyof typeof STRUCTS, string])[] = [
  ['stat', 'struct stat'],
  ['utsname', 'struct utsname'],
  ['timespec', 'struct timespec'],
  ['timeval', 'struct timeval'],
  ['iovec', 'struct iovec'],
  ['rlimit64', 'struct rlimit64'],
  ['winsize', 'struct winsize'],
  ['rusage', 'struct rusage'],
];

/** Names that the headers spell otherwise. */
function fieldOf(field: string): string {
  const time = /^st_([amc])time(_nsec)?$/.exec(field);
  if (time !== null) return `st_${time[1]}tim.${time[2] === undefined ? 'tv_sec' : 'tv_nsec'}`;
  return field;
}
