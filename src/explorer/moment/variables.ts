/** Variables of the code at the position, by the names and types of its source (DWARF). */
import type { VariableType } from '../../compiler/image/read-variables.ts';
import type { Machine } from '../../machine/index.ts';
import type { Timeline } from '../../replay/index.ts';
import type { CallView, VariableView } from '../protocol.ts';

/** DWARF's numbers of the general registers, as the SDM numbers them (System V ABI, figure 3.36). */
const GENERAL = [0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];
/** Of code: programs may be linked at one address, and so many bytes tell which one it is. */
const TELLING_BYTES = 15;
const MOST_DEPTH = 2;
const MOST_PARTS = 12;

/** The calls that go on at the position in one frame, the innermost inlined one first; empty where the code has no debug information. */
export function variablesAt(machine: Machine, symbols: Timeline['symbols']): readonly CallView[] {
  const { rip } = machine;
  const code = machine.readLinear(rip, TELLING_BYTES) ?? machine.readLinear(rip, 1);
  const debug = code === null ? null : (symbols.imageAt(rip, code)?.elf.debug() ?? null);
  if (debug === null) return [];
  const context = {
    register: (number: number): bigint | null => {
      const index = GENERAL[number];
      return index === undefined ? null : machine.register(index);
    },
    memory: (address: bigint, length: number): Uint8Array | null => machine.readLinear(address, length),
  };
  return debug.callsAt(rip).map(({ function: name, isInlined, variables }) => {
    const seen = new Set<string>();
    // A name that an inner block hides is not meant.
    const visible = variables.filter((variable) => !seen.has(variable.name) && seen.add(variable.name));
    return {
      function: name,
      isInlined,
      variables: visible.map((variable): VariableView => {
        const { name: own, type, isParameter } = variable;
        const found = debug.value(variable, rip, context);
        return {
          name: own,
          type: type.name,
          isParameter,
          value: found === null ? null : found.isKnown.includes(0) ? 'partly there' : textOf(type, found.bytes, 0),
          address: found?.address == null ? null : `0x${found.address.toString(16)}`,
        };
      }),
    };
  });
}

function textOf(type: VariableType, bytes: Uint8Array, depth: number): string {
  if (bytes.length < type.bytes) return '?';
  switch (type.kind) {
    case 'number':
      return numberText(type, bytes);
    case 'pointer':
      return `0x${unsigned(bytes.subarray(0, 8)).toString(16)}`;
    case 'structure': {
      if (depth >= MOST_DEPTH) return '{…}';
      const members = type.members.slice(0, MOST_PARTS).map((member) => {
        const part = bytes.subarray(member.offset, member.offset + member.type.bytes);
        return `${member.name}: ${textOf(member.type, part, depth + 1)}`;
      });
      return `{ ${[...members, ...(type.members.length > MOST_PARTS ? ['…'] : [])].join(', ')} }`;
    }
    case 'array': {
      if (depth >= MOST_DEPTH) return '[…]';
      const size = type.element.bytes;
      const shown = Math.min(type.length, MOST_PARTS);
      const parts = Array.from({ length: shown }, (_, i) => textOf(type.element, bytes.subarray(i * size, (i + 1) * size), depth + 1));
      return `[${[...parts, ...(type.length > shown ? ['…'] : [])].join(', ')}]`;
    }
    case 'other':
      return `0x${Buffer.from(bytes.subarray(0, 16)).toString('hex')}`;
  }
}

function numberText({ encoding, bytes: size }: Extract<VariableType, { kind: 'number' }>, bytes: Uint8Array): string {
  const value = unsigned(bytes.subarray(0, size));
  switch (encoding) {
    case 'boolean':
      return value === 0n ? 'false' : 'true';
    case 'float':
      return String(size === 4 ? view(bytes).getFloat32(0, true) : view(bytes).getFloat64(0, true));
    case 'signed':
      return String(BigInt.asIntN(8 * size, value));
    default:
      return value < 4096n ? String(value) : `0x${value.toString(16)}`;
  }
}

function unsigned(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
