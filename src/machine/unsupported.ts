/**
 * What a guest can ask of an x86-64 PC and this one does not have. The run ends there, by its name: the instruction that asked has not happened, and
 * nothing more is executed.
 *
 * It is left pending like a fault, with a vector that no fault has, since a fault undoes the instruction exactly in every tier; delivery gives up at it.
 */

/** What is missing, in words. Its place in this list is its number in saved states and traces: new ones are appended. */
const NAMES = {
  'task-switch': 'a switch of tasks by hardware (a task gate, a far transfer to a TSS, IRET with NT set)',
  'virtual-8086': 'virtual-8086 mode',
  'paging-32': '32-bit paging',
  'paging-pae': 'PAE paging',
  'inner-call-gate': 'a call gate to an inner level outside of IA-32e mode',
  'debug-breakpoint': 'a breakpoint in a debug register',
  'apic-over-ram': 'a local APIC at an address that RAM has',
} as const;

export type Unsupported = keyof typeof NAMES;

/** All of them, by their numbers. */
export const UNSUPPORTED = Object.keys(NAMES) as readonly Unsupported[];

/** What it is, for people. */
export const unsupportedText = (what: Unsupported): string => NAMES[what];

/** Vectors from here on are no exceptions. */
export const FIRST_UNSUPPORTED = 256;

export const vectorOf = (what: Unsupported): number => FIRST_UNSUPPORTED + UNSUPPORTED.indexOf(what);

/** What is missing, by the vector that was left pending; null: nothing, it is an exception's. */
export const missingAt = (vector: number): Unsupported | null => UNSUPPORTED[vector - FIRST_UNSUPPORTED] ?? null;
