/** LGDT LIDT SGDT SIDT: the descriptor-table registers. UMIP and CPL have been checked by the rows. */
import { bug } from '../../isa/bug.ts';
import { READ, WRITE } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { GDTR_BASE, GDTR_LIMIT, IDTR_BASE, IDTR_LIMIT } from '../state.ts';
import { type Helper, isCanonical64 } from './cpu.ts';

function load(table: 'gdt' | 'idt', base: number, limit: number): Helper {
  return (cpu, decoded) => {
    const [source] = decoded.operands;
    if (source?.kind !== 'mem') return bug(`${decoded.row.name} needs memory`);
    const size = decoded.mode === 64 ? 8 : 4;
    const at = cpu.offsetOf(decoded, source);
    const linear = cpu.checkedLinear(source.segment, at, size + 2, false);
    if (linear === null) return HELPER.fault;
    const newLimit = cpu.read(linear, 2, READ);
    if (newLimit === null) return HELPER.fault;
    let newBase = cpu.read(cpu.linearOf(source.segment, BigInt.asUintN(source.addressSize, at + 2n)), size, READ);
    if (newBase === null) return HELPER.fault;
    if (decoded.mode === 64 && !isCanonical64(newBase)) return cpu.fault(VECTOR.GP, 0);
    if (decoded.mode !== 64 && decoded.operandSize === 16) newBase &= 0xffffffn;
    cpu.state.set64(base, newBase);
    cpu.state.set32(limit, Number(newLimit));
    cpu.observer?.descriptorTable?.(cpu.at, table, newBase, Number(newLimit));
    return HELPER.next;
  };
}

function store(base: number, limit: number): Helper {
  return (cpu, decoded) => {
    const [target] = decoded.operands;
    if (target?.kind !== 'mem') return bug(`${decoded.row.name} needs memory`);
    const size = decoded.mode === 64 ? 8 : 4;
    const at = cpu.offsetOf(decoded, target);
    const linear = cpu.checkedLinear(target.segment, at, size + 2, true);
    if (linear === null) return HELPER.fault;
    const upper = cpu.linearOf(target.segment, BigInt.asUintN(target.addressSize, at + 2n));
    // The base first: if it faults nothing was stored; the limit's two bytes then lie in the same or the page before, tried beforehand.
    if (cpu.mmu.translate(Number(BigInt.asIntN(32, linear)), Number(BigInt.asIntN(32, linear >> 32n)), 1, WRITE) < 0) return HELPER.fault;
    if (!cpu.write(upper, size, cpu.state.get64(base), WRITE)) return HELPER.fault;
    return cpu.write(linear, 2, BigInt(cpu.low(limit) & 0xffff), WRITE) ? HELPER.next : bug('a probed store faulted');
  };
}

export const lgdt: Helper = load('gdt', GDTR_BASE, GDTR_LIMIT);
export const lidt: Helper = load('idt', IDTR_BASE, IDTR_LIMIT);
export const sgdt: Helper = store(GDTR_BASE, GDTR_LIMIT);
export const sidt: Helper = store(IDTR_BASE, IDTR_LIMIT);
