/** MOV to and from debug registers (SDM Vol. 3, 17.2). CPL has been checked by the rows. */
import { bug } from '../../isa/bug.ts';
import { CR4 } from '../../platform/bits.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { DR } from '../state.ts';
import { type Cpu, type Helper, isCanonical64 } from './cpu.ts';

export const DR6_FIXED = 0xffff0ff0n;
const DR6_WRITABLE = 0x0000_e00fn;
export const DR7_FIXED = 0x400n;
const DR7_WRITABLE = 0xffff_2bffn;
/** General detect: the next access to a debug register is #DB. */
const DR7_GD = 1n << 13n;
const DR6_BD = 1n << 13n;

/** DR4 and DR5 are DR6 and DR7 with CR4.DE=0, #UD with DE=1. Null: fault pending. */
function pick(cpu: Cpu, index: number): number | null {
  if (index >= 8 || ((index === 4 || index === 5) && (cpu.cr4 & CR4.DE) !== 0)) {
    cpu.state.raise(VECTOR.UD, null);
    return null;
  }
  if ((cpu.state.get64(DR + 56) & DR7_GD) !== 0n) {
    cpu.state.set64(DR + 48, cpu.state.get64(DR + 48) | DR6_BD);
    cpu.state.set64(DR + 56, cpu.state.get64(DR + 56) & ~DR7_GD);
    cpu.state.raise(VECTOR.DB, null);
    return null;
  }
  return index === 4 || index === 5 ? index + 2 : index;
}

export const movFromDr: Helper = (cpu, decoded) => {
  const [target, source] = decoded.operands;
  if (target?.kind !== 'reg' || source?.kind !== 'reg') return bug('MOV from DR needs registers');
  const index = pick(cpu, source.index);
  if (index === null) return HELPER.fault;
  cpu.setGpr(target.index, cpu.state.get64(DR + 8 * index), decoded.mode === 64 ? 64 : 32);
  return HELPER.next;
};

export const movToDr: Helper = (cpu, decoded) => {
  const [target, source] = decoded.operands;
  if (target?.kind !== 'reg' || source?.kind !== 'reg') return bug('MOV to DR needs registers');
  const index = pick(cpu, target.index);
  if (index === null) return HELPER.fault;
  let value = decoded.mode === 64 ? cpu.gpr(source.index) : BigInt.asUintN(32, cpu.gpr(source.index));
  if (index >= 6) {
    if (value >> 32n !== 0n) return cpu.fault(VECTOR.GP, 0);
    value = index === 6 ? (value & DR6_WRITABLE) | DR6_FIXED : (value & DR7_WRITABLE) | DR7_FIXED;
    if (index === 7 && (value & 0xffn) !== 0n) return cpu.unsupported('debug-breakpoint');
  } else if (decoded.mode === 64 && !isCanonical64(value)) return cpu.fault(VECTOR.GP, 0);
  const before = cpu.state.get64(DR + 8 * index);
  cpu.state.set64(DR + 8 * index, value);
  cpu.observer?.debugRegister?.(cpu.at, index, before, value);
  return HELPER.next;
};
