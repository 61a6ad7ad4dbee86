/**
 * Why a program may trap: the codes of `.palindrome.traps`. Numbers are for ever.
 */

export const TRAP_CODES = {
  overflow: { number: 1, meaning: 'arithmetic overflow' },
  divide: { number: 2, meaning: 'division by zero' },
  bounds: { number: 3, meaning: 'index out of bounds' },
  null: { number: 4, meaning: 'use of null' },
  conversion: { number: 5, meaning: 'value out of range of the type converted to' },
  shift: { number: 6, meaning: 'shift count out of range or bits lost' },
  assertion: { number: 7, meaning: 'assertion failed' },
  unreachable: { number: 8, meaning: 'code that cannot be reached was reached' },
  exhausted: { number: 9, meaning: 'a fixed capacity is used up' },
  user: { number: 10, meaning: 'the program gave up' },
} as const;

export type TrapCode = keyof typeof TRAP_CODES;

export function isTrapCode(name: string): name is TrapCode {
  return Object.hasOwn(TRAP_CODES, name);
}
