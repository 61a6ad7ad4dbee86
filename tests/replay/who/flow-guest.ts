/** A guest that does what a test gives it, at CPL 0 in 64-bit mode, with two address spaces, handlers, and symbols for every label. */
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { type Host, Machine, QuietHost } from '../../../src/machine/index.ts';
import { type Link, openTrace, record, Who } from '../../../src/replay/index.ts';

export interface FlowGuest {
  readonly code: string;
  readonly data?: string;
  readonly host?: Host;
  readonly harness?: boolean;
}

/** 0x400000 is `frame` in the first address space; 0x401000 is in the second, and nothing else there but the lower two MiB, which both have. */
const text = (code: string, data: string): string => `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, offset stack_top
  mov eax, cr4
  or eax, 0x620
  mov cr4, eax
  mov eax, offset pml4
  mov cr3, eax
  mov ecx, 0xC0000080
  rdmsr
  or eax, 0x100
  wrmsr
  mov eax, cr0
  and eax, 0xFFFFFFFB
  or eax, 0x80000003
  mov cr0, eax
  lgdt [gdt_pointer]
  push 8
  push offset long_mode
  retf
.code64
long_mode:
  mov ax, 0x10
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov rsp, offset stack_top
  mov rax, offset handle_ud
  mov word ptr [idt + 6 * 16], ax
  mov word ptr [idt + 6 * 16 + 2], 8
  mov word ptr [idt + 6 * 16 + 4], 0x8E00
  shr rax, 16
  mov word ptr [idt + 6 * 16 + 6], ax
  lidt [idt_pointer]
${code}
finish:
  mov eax, 1
  mov edx, 0xF4
  out dx, eax
  hlt
handle_ud:
  pop r15
  add r15, 2
  push r15
  iretq

.section .boot.data, "aw"
.balign 4096
pml4: .quad pdpt + 7
  .zero 4088
other_pml4: .quad other_pdpt + 7
  .zero 4088
pdpt: .quad directory + 7
  .zero 4088
other_pdpt: .quad other_directory + 7
  .zero 4088
directory: .quad 0x87, 0, table + 7
  .zero 4072
other_directory: .quad 0x87, 0, other_table + 7
  .zero 4072
table: .quad frame + 7
  .zero 4088
other_table: .quad 0, frame + 7
  .zero 4080
frame: .zero 4096
.balign 16
gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer: .short 23
  .quad gdt
idt_pointer: .short 1023
  .quad idt
.balign 16
idt: .zero 1024
.zero 1024
stack_top: .quad 0
.balign 64
${data}
.balign 64
`;

const config = (harness: boolean) => ({ memoryBytes: 8 << 20, seed: 'flow', harness });
/** Its compiled code is shared by all guests. */
const first = Machine.create({ ...config(false), record: { path: true, addresses: false } }, new QuietHost());

export interface Flow {
  readonly who: Who;
  readonly trace: Awaited<ReturnType<typeof openTrace>>;
  address(label: string): bigint;
  /** The label at which, or behind which, the instruction stands; null: it has none. */
  label(rip: bigint | undefined): string | null;
  /** Who wrote what lies at a label at the end, and what is behind it. */
  chain(label: string, length: number, computations?: number): Link[];
}

export async function flow({ code, data = '', host, harness = false }: FlowGuest): Promise<Flow> {
  const object = assemble(text(code, data), { name: 'flow.s' });
  const image = { name: 'flow.elf', bytes: link([object], { target: 'keel-kernel' }).bytes };
  const like = await first;
  const { trace: bytes } = await record({
    machine: config(harness),
    like,
    image,
    ...(host && { host }),
    blockInstructions: 512,
    checkpointInstructions: 1024,
    limit: 100_000n,
  });
  if (bytes === null) throw new Error('the trace is kept in memory');
  const trace = await openTrace(bytes);
  const who = await Who.open(trace, { path: null, like });
  const elf = readElf(image.bytes, image.name);
  const address = (label: string): bigint => {
    const symbol = elf.symbol(label);
    if (symbol === null) throw new Error(`no label ${label}`);
    return symbol.address;
  };
  return {
    who,
    trace,
    address,
    label: (rip) => (rip === undefined ? null : (elf.symbols.find((each) => each.address === rip)?.name ?? null)),
    chain: (label, length, computations = 0) =>
      who.chain(who.resolve(`flow:${label}`, { length, at: who.end, process: null }), who.end, { computations }),
  };
}

/** A chain as the labels of its instructions, `register` or `memory` first, and how it ends: `memory e < rdx d < …: immediate`. */
export function outline(guest: Flow, links: readonly Link[]): string[] {
  return links.flatMap((each) => paths(guest, each));
}

function paths(guest: Flow, link: Link): string[] {
  const place = link.place.kind === 'memory' ? `mem${link.place.length}` : `${link.place.name}.${link.place.low}+${link.place.length}`;
  const here = `${place} ${guest.label(link.instruction?.rip) ?? link.by}`;
  const ends = link.end === null ? [] : [`${here}: ${link.end}`];
  return [...ends, ...link.sources.flatMap((source) => paths(guest, source.link).map((path) => `${here} < ${path}`))];
}
