/**
 * Kinds of event as people name them: `syscall:write`, `irq:32`, `fault:PF`, `process:hello`, `cr3`, `console:panic`, or any kind of the trace's events.
 */
import { UserError } from '../../machine/index.ts';
import { syscallName, vectorName } from '../describe.ts';
import { EVENTS, type EventKind, type TraceEvent } from '../events.ts';

/** Which events are looked for: of one of these kinds, and such that `matches` holds (default: all of them). */
export interface EventMatch {
  readonly kinds: readonly EventKind[];
  readonly matches?: (event: TraceEvent) => boolean;
}

/** A name that takes an argument, which may be left out. */
interface Selector {
  readonly kind: EventKind;
  /** What the argument is, for people. */
  readonly argument: string;
  /** Null: there is no such argument. */
  readonly matches: (argument: string) => ((event: TraceEvent) => boolean) | null;
}

const number = (text: string): number | null => (/^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : null);

const SELECTORS: Readonly<Record<string, Selector>> = {
  syscall: {
    kind: 'syscall',
    argument: 'the name or number of a call',
    matches: (text) => {
      const wanted = number(text);
      if (wanted === null && !/^\w+$/.test(text)) return null;
      return (event) =>
        event.kind === 'syscall' && (wanted === null ? syscallName(event.number) === text : event.number === BigInt(wanted));
    },
  },
  irq: { kind: 'irq', argument: 'a vector', matches: vector },
  fault: { kind: 'exception', argument: 'a vector or its name (14, PF)', matches: vector },
  exception: { kind: 'exception', argument: 'a vector or its name (14, PF)', matches: vector },
  'software-interrupt': { kind: 'software-interrupt', argument: 'a vector', matches: vector },
};

function vector(text: string): ((event: TraceEvent) => boolean) | null {
  const name = text.toUpperCase().replace(/^#/, '');
  const names = Array.from({ length: 256 }, (_, i) => vectorName(i).replace(/^#/, ''));
  const wanted = number(text) ?? names.indexOf(name);
  if (wanted < 0 || wanted > 255) return null;
  return (event) => 'vector' in event && event.vector === wanted;
}

/** Writes of a control register. */
const CONTROL = /^cr([02348])$/;

/** Whether a name takes an argument. */
export function takesArgument(name: string): boolean {
  return Object.hasOwn(SELECTORS, name);
}

/** Whether this is the name of some events. */
export function isEventName(name: string): boolean {
  return takesArgument(name) || CONTROL.test(name) || EVENTS.some(({ kind }) => kind === name);
}

/** The events of a name, and of the argument that stands behind it (null: of any). UserError where there are none such. */
export function eventMatch(name: string, argument: string | null): EventMatch {
  const control = CONTROL.exec(name);
  if (control !== null) {
    const register = Number(control[1]);
    return { kinds: ['control-register'], matches: (event) => event.kind === 'control-register' && event.register === register };
  }
  const selector = takesArgument(name) ? SELECTORS[name] : undefined;
  if (selector === undefined) {
    const row = EVENTS.find(({ kind }) => kind === name);
    if (row === undefined)
      throw new UserError(
        `there are no events named "${name}"; there are process, console, cr3, fault and ${EVENTS.map(({ kind }) => kind).join(', ')}`,
      );
    return { kinds: [row.kind] };
  }
  if (argument === null) return { kinds: [selector.kind] };
  const matches = selector.matches(argument);
  if (matches === null) throw new UserError(`${name}:${argument}: behind ${name}: stands ${selector.argument}`);
  return { kinds: [selector.kind], matches };
}
