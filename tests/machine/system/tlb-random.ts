/**
 * Random programs that edit page tables and use what they map, with and without invalidation. Neither the software TLB nor snapshots nor
 * recording may be seen: a run that is saved and restored after every instruction has the same output, events and hash.
 */
import seedrandom from 'seedrandom';
import { expect } from 'vitest';
import type { Machine } from '../../../src/machine/index.ts';
import { boot, fresh, WINDOW } from './guest.ts';

const FRAMES = ['page_a', 'page_b', 'page_c'];
/** Low bits of entries: present, writable, user, accessed, dirty, global in all sorts. */
const BITS = [0x0, 0x1, 0x3, 0x7, 0x5, 0x63, 0x61, 0x21, 0x103, 0x163, 0x8003, 0x3];
const GLOBAL_BITS = [0x0, 0x101, 0x103, 0x163, 0x161, 0x103, 0x3];

/** Two of them share a bank of the software TLB. */
const PCIDS = [1, 2, 17];
const LEAVES = ['window_pt', 'window_pt', 'window_ptb'];
/** An entry for a page of 2 MiB. */
const LARGE = '0x200083';
const TABLES = `
.section .boot.data, "aw"
.balign 4096
${['pml4b', 'pdptb', 'window_pdb', 'window_ptb'].map((name) => `${name}: .zero 4096`).join('\n')}
.section .boot.text, "ax"
`;

/** Where the window is used: at its own address or at an alias in the upper half, where a kernel's global pages are. */
const VIEWS: readonly { readonly window: bigint; readonly bits: readonly number[] }[] = [
  { window: BigInt(WINDOW), bits: BITS },
  { window: 0xffff_8000_0000_0000n + BigInt(WINDOW), bits: BITS },
  { window: 0xffff_8000_0000_0000n + BigInt(WINDOW), bits: GLOBAL_BITS },
];

/** Program `n`: a test for `guest.ts`. The same edits and uses are made in each round, over what the one before has left. */
export function tlbProgram(n: number, rounds = 1): string {
  const random = seedrandom(`tlb ${n}`);
  const { window, bits } = VIEWS[n % VIEWS.length] as (typeof VIEWS)[number];
  const below = (n: number) => Math.floor(random() * n);
  const of = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const lines: string[] = [
    // PCIDs and global pages on; two roots that differ in the window alone
    'mov rax, cr4\n or rax, 0x20080\n mov cr4, rax',
    'mov qword ptr [pml4b], offset pdptb + 7\n mov qword ptr [pdptb + 8], offset window_pdb + 7\n mov qword ptr [window_pdb], offset window_ptb + 7',
    'mov rax, qword ptr [pdpt]\n mov qword ptr [pdptb], rax\n mov rax, qword ptr [pdpt + 24]\n mov qword ptr [pdptb + 24], rax',
    ...['pml4', 'pml4b'].map((root) => `mov rax, qword ptr [${root}]\n mov qword ptr [${root} + 2048], rax`),
    // behind each page's first word a RET, so that it can be called
    ...FRAMES.map((page) => `mov byte ptr [${page} + 8], 0xC3`),
    ...[0, 1, 2, 3, 4].map((page) => `mov byte ptr [${0x20_0008 + page * 4096}], 0xC3`),
    'mov r13, offset pml4\n mov r14, offset pml4b\n mov qword ptr [page_a], 0xA\n mov qword ptr [page_b], 0xB\n mov qword ptr [page_c], 0xC',
  ];
  const guarded = (code: string) => {
    const after = fresh();
    lines.push(`mov rax, offset ${after}\n mov qword ptr [resume], rax\n mov qword ptr [resume_rsp], rsp\n ${code}\n${after}:`);
  };
  lines.push(`mov r15d, ${rounds}\nround:`);
  for (let i = 0; i < 160; i++) {
    const page = below(5);
    lines.push(`mov rcx, ${window + BigInt(page * 4096)}`);
    switch (below(34)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        lines.push(`mov qword ptr [${of(LEAVES)} + ${page * 8}], offset ${of(FRAMES)} + ${of(bits) & 0x1ff}`);
        break;
      case 5:
        lines.push(`invlpg [rcx]`);
        break;
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        guarded(`mov rax, qword ptr [rcx]\n mov r12, rax\n add r11, rax`);
        break;
      case 13:
      case 14:
      case 15:
      case 16:
        guarded(`add qword ptr [rcx], ${1 + below(9)}`);
        break;
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
      case 22:
        lines.push(`lea rax, [${of(['r13', 'r13', 'r14'])} + ${of(PCIDS)}]\n ${below(2) === 0 ? 'bts rax, 63' : 'nop'}\n mov cr3, rax`);
        break;
      case 23:
        lines.push(`push rcx\n push ${of(PCIDS)}\n mov rax, ${below(4)}\n invpcid rax, [rsp]\n add rsp, 16`);
        break;
      case 24:
        lines.push(`mov qword ptr [window_pdb], ${of(['0', LARGE, LARGE, 'offset window_ptb + 7'])}`);
        break;
      case 25:
      case 26:
      case 27:
      case 28:
        guarded('lea rax, [rcx + 8]\n call rax');
        break;
      case 29:
        lines.push(`mov qword ptr [pdptb + 8], ${of(['0', 'offset window_pdb + 7', 'offset window_pdb + 7', 'offset window_pd + 7'])}`);
        break;
      case 30:
      case 31:
        lines.push(`mov qword ptr [${of(['pml4', 'pml4b'])} + 2048], ${of(['0', 'offset pdpt + 7', 'offset pdptb + 7'])}`);
        break;
      default:
        lines.push(
          `mov qword ptr [window_pd], ${of(['0', LARGE, 'offset window_pt + 7', 'offset window_pt + 7', 'offset window_pt + 1'])}`,
        );
    }
  }
  lines.push('dec r15d\n jnz round\n mov rax, r11\n call puthex\n jmp finish', TABLES);
  return lines.map((line) => ` ${line}\n`).join('');
}

interface Outcome {
  readonly text: string;
  readonly hash: string;
  readonly count: bigint;
  readonly events: readonly string[];
}

async function outcome(code: string, path: boolean, drive: (machine: Machine) => void): Promise<Outcome> {
  const { machine, host } = await boot(code, { record: { path, addresses: false } });
  const events: string[] = [];
  machine.observer = {
    stale: (at, use) => events.push(`${at} stale ${use.access} ${use.linear} ${use.used.frame} ${use.now?.frame}`),
    exception: (at, vector, error, cr2) => events.push(`${at} #${vector} ${error} ${cr2}`),
    tlbFlush: (at, kind, pcid) => events.push(`${at} flush ${kind} ${pcid}`),
    pageTableWrite: () => {},
  };
  drive(machine);
  return { text: host.text, hash: machine.hash(), count: machine.count, events };
}

/** Tries programs `from` … `to` − 1; saves and restores after every `step` instructions. Throws at the first difference. */
export async function judgeTlb(from: number, to: number, step: bigint): Promise<{ stale: number; faults: number }> {
  let stale = 0;
  let faults = 0;
  for (let n = from; n < to; n++) {
    const code = tlbProgram(n);
    const straight = await outcome(code, false, (machine) => machine.run(1_000_000n));
    stale += straight.events.filter((event) => event.includes('stale')).length;
    faults += straight.events.filter((event) => event.includes('#14')).length;
    const restored = await outcome(code, false, (machine) => {
      // The guest's own start is the same for all.
      machine.run(3200n);
      while (machine.run(machine.count + step).reason === 'limit') machine.restore(machine.snapshot());
    });
    expect(restored).toEqual(straight);
    const recorded = await outcome(code, true, (machine) => {
      while (machine.run(machine.count + 97n).reason === 'limit') machine.hash();
    });
    expect(recorded).toEqual(straight);
  }
  return { stale, faults };
}
