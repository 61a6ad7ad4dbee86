/** What programs outside the machine see of it: addresses by the page tables, registers, and their cheap capture. */
import { describe, expect, test } from 'vitest';
import { CAPTURE, type Machine, RegisterCapture, RIGHT } from '../../../src/machine/index.ts';
import { boot, WINDOW } from './guest.ts';

const END = 1_000_000n;
const MIB = 1n << 20n;

/** Runs the guest up to a store to port 0x80, with page_b in window page 0, page_a in page 1 (user, no execute, global), page_c in page 3 (read-only). */
async function mapped(code = ''): Promise<{ machine: Machine; a: bigint; b: bigint; c: bigint; pml4: bigint }> {
  const { machine } = await boot(`
  mov qword ptr [window_pt], offset page_b + 3
  mov dword ptr [window_pt + 8], offset page_a + 0x107
  mov dword ptr [window_pt + 12], 0x80000000
  mov qword ptr [window_pt + 24], offset page_c + 1
  mov rax, 0x1122334455667788
  mov qword ptr [page_b + 0xff8], rax
  mov qword ptr [page_a], 0x5A
${code}
  mov r8, offset page_a
  mov r9, offset page_b
  mov r10, offset page_c
  mov r11, offset pml4
  out 0x80, al
`);
  machine.observer = { portOut: (_at, port) => port === 0x80 && machine.requestStop() };
  expect(machine.run(END)).toEqual({ reason: 'observer' });
  return { machine, a: machine.register(8), b: machine.register(9), c: machine.register(10), pml4: machine.register(11) };
}

describe('a linear address', () => {
  test('is translated by the tables: frame, offset, rights of all levels, size', async () => {
    const { machine, a, b, c } = await mapped();
    const window = BigInt(WINDOW);
    expect(machine.translate(window + 0x123n)).toMatchObject({
      physical: b + 0x123n,
      writable: true,
      user: false,
      executable: true,
      global: false,
      size: 4096,
    });
    expect(machine.translate(window + 0x1fffn)).toMatchObject({
      physical: a + 0xfffn,
      writable: true,
      user: true,
      executable: false,
      global: true,
    });
    expect(machine.translate(window + 0x3000n)).toMatchObject({ physical: c, writable: false, user: false });
    expect(machine.translate(5n * MIB + 7n)).toMatchObject({ physical: 5n * MIB + 7n, size: 2 << 20, user: false, writable: true });
    expect(machine.translate(0xfee00030n)).toMatchObject({ physical: 0xfee00030n, size: 1 << 30 });
  });

  test('has its levels from the root down, with the entries as they are', async () => {
    const { machine, a, pml4 } = await mapped();
    const levels = machine.translate(BigInt(WINDOW) + 0x1000n)?.levels ?? [];
    expect(levels.map(({ level }) => level)).toEqual([4, 3, 2, 1]);
    expect(levels[0]?.address).toBe(pml4);
    for (const [i, { address, entry }] of levels.entries()) {
      expect(Buffer.from(machine.readPhysical(address, 8)).readBigUInt64LE()).toBe(entry);
      const next = levels[i + 1];
      if (next !== undefined) expect(next.address & ~0xfffn).toBe(entry & 0xff_ffff_f000n);
    }
    expect((levels[3]?.entry ?? 0n) & 0x8000_00ff_ffff_f000n).toBe(a | (1n << 63n));
    expect(machine.translate(5n * MIB)?.levels.map(({ level }) => level)).toEqual([4, 3, 2]);
  });

  test('that is not mapped or not canonical has no translation', async () => {
    const { machine } = await mapped();
    for (const address of [BigInt(WINDOW) + 0x2000n, 0x8000_0000n, 0x8000_0000_0000n, 1n << 63n])
      expect(machine.translate(address)).toBeNull();
  });

  test('may be translated by other tables than the current', async () => {
    const { machine, b } = await mapped('mov rax, qword ptr [pml4]\n mov qword ptr [page_c + 2048], rax\n');
    const other = machine.register(10);
    const high = 0xffff_8000_0000_0000n + BigInt(WINDOW);
    expect(machine.translate(high)).toBeNull();
    expect(machine.translate(high, other | 0x18n)).toMatchObject({ physical: b });
    expect(machine.readLinear(high + 0xff8n, 8, other)).toEqual(machine.readLinear(BigInt(WINDOW) + 0xff8n, 8));
  });

  test('without paging is the physical address', async () => {
    const { machine } = await boot('  nop\n');
    expect(machine.translate(0x1_2345_6789n)).toMatchObject({
      physical: 0x2345_6789n,
      writable: true,
      user: true,
      executable: true,
      levels: [],
    });
  });

  test('is read over page borders, each page where it lies', async () => {
    const { machine } = await mapped();
    const bytes = machine.readLinear(BigInt(WINDOW) + 0xffcn, 8) ?? new Uint8Array(0);
    expect([...bytes]).toEqual([0x44, 0x33, 0x22, 0x11, 0x5a, 0, 0, 0]);
    expect(machine.readLinear(BigInt(WINDOW) + 0x1ffcn, 8)).toBeNull();
    expect(machine.readLinear(BigInt(WINDOW) + 0x1ffcn, 4)).toEqual(new Uint8Array(4));
    expect(machine.readLinear(BigInt(WINDOW), 0)).toEqual(new Uint8Array(0));
  });

  test('is read from RAM alone, and reading leaves no trace', async () => {
    const { machine, a } = await mapped();
    const before = machine.hash();
    expect(machine.readLinear(4n * MIB - 4n, 4)).toEqual(new Uint8Array(4));
    expect(machine.readLinear(4n * MIB - 4n, 5)).toBeNull();
    expect(machine.readLinear(0xfee00000n, 4)).toBeNull();
    expect(() => machine.readPhysical(4n * MIB - 4n, 5)).toThrow(RangeError);
    expect(() => machine.readPhysical(-1n, 1)).toThrow(RangeError);
    expect(machine.readPhysical(a, 1)).toEqual(Uint8Array.of(0x5a));
    const copy = machine.readPhysical(a, 1);
    copy[0] = 1;
    expect([machine.readPhysical(a, 1)[0], machine.hash()]).toEqual([0x5a, before]);
  });
});

test('the leaves and tables of a root are those that translations name', async () => {
  const { machine, a, pml4 } = await mapped();
  const leaves: [bigint, bigint, number, number][] = [];
  machine.walkLeaves(machine.cr3, (page, frame, pages, rights) => leaves.push([BigInt(page) << 12n, BigInt(frame) << 12n, pages, rights]));
  expect(leaves.length).toBe(512 + 3 + 1);
  for (const [linear, physical, pages, rights] of leaves) {
    const found = machine.translate(linear);
    expect(found).toMatchObject({
      physical,
      size: pages * 4096,
      writable: (rights & RIGHT.write) !== 0,
      user: (rights & RIGHT.user) !== 0,
    });
    expect(found?.executable).toBe((rights & RIGHT.execute) !== 0);
  }
  const window: bigint[] = [];
  machine.walkLeaves(machine.cr3, (_page, frame) => window.push(BigInt(frame) << 12n), (WINDOW >> 12) + 1, (WINDOW >> 12) + 3);
  expect(window).toEqual([a]);
  const tables: [bigint, number][] = [];
  machine.walkTables(machine.cr3, (frame, level) => tables.push([BigInt(frame) << 12n, level]));
  expect(tables[0]).toEqual([pml4, 4]);
  expect(tables.map(([, level]) => level)).toEqual([4, 3, 2, 2, 1]);
});

test('a frame has another version after each store to it, from the guest or a restore, and after no other', async () => {
  const { machine } = await boot(`
  mov r8, offset page_a
  mov qword ptr [window_pt + 24], offset page_b + 3
  mov rax, qword ptr [${WINDOW + 0x3000}]
  mov byte ptr [page_a], 1
  out 0x80, al
  mov byte ptr [page_a + 5], 1
  out 0x80, al
  mov rax, qword ptr [page_a]
  mov byte ptr [page_b], 1
  out 0x80, al
  mov byte ptr [page_a + 6], 1
`);
  machine.observer = { portOut: (_at, port) => port === 0x80 && machine.requestStop() };
  machine.run(END);
  const frame = Number(machine.register(8) >> 12n);
  const versions = [machine.frameVersion(frame)];
  const snapshot = machine.snapshot();
  for (let i = 0; i < 2; i++) {
    machine.run(END);
    versions.push(machine.frameVersion(frame));
  }
  expect(versions).toEqual([0, 1, 1]);
  machine.restore(snapshot);
  expect(machine.frameVersion(frame)).toBe(2);
  expect(machine.frameVersion(frame + 2)).toBe(0);
  machine.forgetFrameVersion(frame);
  machine.run(END);
  expect(machine.frameVersion(frame)).toBe(3);
});

/** Gives every register that a capture holds a value of its own. */
const DISTINCT = `
  mov rax, cr4
  or rax, 0x10000
  mov cr4, rax
  mov eax, 0x11110000
  wrfsbase rax
  mov eax, 0x22220000
  wrgsbase rax
  mov ecx, 0xC0000102
  mov eax, 0x33330000
  xor edx, edx
  wrmsr
${[0, 1, 2, 3].map((n) => `  mov rax, ${0x4440 + n}\n  mov dr${n}, rax\n`).join('')}
  mov dword ptr [page_c], 0x1fa0
  ldmxcsr [page_c]
${Array.from({ length: 16 }, (_, n) => `  mov rax, ${0x5500 + n}\n  movq xmm${n}, rax\n  pshufd xmm${n}, xmm${n}, 0x${n % 2 === 0 ? '44' : '4e'}\n`).join('')}
  fxsave [page_c]
  mov dword ptr [page_c], 0x3000027f
  mov byte ptr [page_c + 4], 0xc0
${Array.from({ length: 8 }, (_, n) => `  mov rax, 0x${(0x8800 + n).toString(16)}000000000000\n  mov qword ptr [page_c + ${32 + 16 * n}], rax\n  mov word ptr [page_c + ${40 + 16 * n}], 0x400${n}\n`).join('')}
  fxrstor [page_c]
  mov eax, 0x10
  mov es, eax
  mov ds, eax
  mov ss, eax
${['rax', 'rcx', 'rdx', 'rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14', 'r15'].map((name, n) => `  mov ${name}, 0x${(0x6600 + n).toString(16)}0000000${n % 8}\n`).join('')}
  stc
`;

test('a capture has the registers that the full view has', async () => {
  const { machine } = await mapped(DISTINCT);
  const capture = new RegisterCapture();
  machine.captureRegisters(capture);
  const { words } = capture;
  const full = machine.registers();
  const at = (from: number, count: number) => [...words.subarray(from, from + count)];
  const word = (bytes: Uint8Array) => [...new BigUint64Array(bytes.slice().buffer)];
  expect(at(CAPTURE.gpr, 16)).toEqual(full.gpr);
  expect(new Set(full.gpr.slice(12)).size).toBe(4);
  expect(at(CAPTURE.rip, 3)).toEqual([full.rip, full.rflags, BigInt(full.cpl)]);
  expect(at(CAPTURE.fsBase, 4)).toEqual([0x11110000n, 0x22220000n, 0x33330000n, full.cr3]);
  expect([full.segments.fs.base, full.segments.gs.base, full.msr['IA32_KERNEL_GS_BASE']]).toEqual([0x11110000n, 0x22220000n, 0x33330000n]);
  expect(at(CAPTURE.dr, 6)).toEqual([0, 1, 2, 3, 6, 7].map((n) => full.dr[n]));
  expect(full.dr.slice(0, 4)).toEqual([0x4440n, 0x4441n, 0x4442n, 0x4443n]);
  expect(at(CAPTURE.mxcsr, 1)).toEqual([0x1fa0n]);
  const { cs, ss, ds, es, fs, gs } = full.segments;
  expect(at(CAPTURE.selectors, 6)).toEqual([cs, ss, ds, es, fs, gs].map(({ selector }) => BigInt(selector)));
  expect(at(CAPTURE.selectors, 4)).toEqual([8n, 16n, 16n, 16n]);
  expect(at(CAPTURE.xmm, 32)).toEqual(word(full.xmm));
  expect(word(full.xmm).filter((_, n) => n % 2 === 1)).toEqual(
    Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? BigInt(0x5500 + n) : BigInt(0x5500 + n))),
  );
  expect(at(CAPTURE.x87Control, 1)).toEqual([
    BigInt(full.x87Control[0] ?? 0) | (BigInt(full.x87Control[1] ?? 0) << 16n) | (BigInt(full.x87Control[2] ?? 0) << 32n),
  ]);
  // two values on the stack: TOP is 6, the registers 6 and 7 are not empty
  expect(full.x87Control).toEqual([0x27f, 6 << 11, 0xc0]);
  expect(at(CAPTURE.x87, 16)).toEqual(word(full.x87.subarray(32, 160)));
  expect(word(full.x87.subarray(32, 160))).toEqual(
    Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? (0x8800n + BigInt(n >> 1)) << 48n : 0x4000n + BigInt(n >> 1))),
  );
  expect(CAPTURE.words).toBe(CAPTURE.x87 + 16);
});

test('a loaded machine stands as the PVH ABI says', async () => {
  const { machine } = await boot('  nop\n');
  const { gpr, rip, rflags, cpl, cr0, cr3, cr4, efer, segments } = machine.registers();
  expect({ rip: machine.rip, rflags: rflags & 0x20000n, IF: rflags & 0x200n, TF: rflags & 0x100n }).toEqual({
    rip,
    rflags: 0n,
    IF: 0n,
    TF: 0n,
  });
  // CR0: PE alone of the bits that may be changed; CR4: 0
  expect([cr0 & 0x8005_002fn, cr4, cr3, efer, cpl, machine.codeBits]).toEqual([1n, 0n, 0n, 0n, 0, 32]);
  expect(Buffer.from(machine.readPhysical(gpr[3] ?? 0n, 4)).readUInt32LE()).toBe(0x336ec578);
  const flat = (type: number) => ({ base: 0n, limit: 0xffffffff, attributes: 0xc90 | type });
  // 32-bit read/execute code and read/write data, flat; a 32-bit TSS at 0 with limit 0x67
  expect(segments.cs).toMatchObject(flat(0xb));
  for (const name of ['ds', 'es', 'ss'] as const) expect(segments[name]).toMatchObject(flat(0x3));
  expect(segments.tr).toMatchObject({ base: 0n, limit: 0x67, attributes: 0x8b });
});
