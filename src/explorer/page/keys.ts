/** The keys of the page, once: what they do, and the help that lists them. */
import type { Store } from './store.ts';

interface Key {
  readonly keys: readonly string[];
  readonly does: string;
  /** None: the timeline does it. */
  readonly run?: (store: Store) => void;
}

/** `Shift+` stands in front of keys that want it; letters say it by themselves. */
export const KEYS: readonly Key[] = [
  { keys: ['ArrowRight', '.'], does: 'one instruction on', run: (store) => store.step(1) },
  { keys: ['ArrowLeft', ','], does: 'one instruction back', run: (store) => store.step(-1) },
  { keys: ['Shift+ArrowRight'], does: 'sixteen instructions on', run: (store) => store.step(16) },
  { keys: ['Shift+ArrowLeft'], does: 'sixteen instructions back', run: (store) => store.step(-16) },
  { keys: ['n'], does: 'next event of the chosen kinds', run: (store) => void store.goToEvent('forward') },
  { keys: ['p'], does: 'previous event of the chosen kinds', run: (store) => void store.goToEvent('back') },
  { keys: ['Home'], does: 'begin of the run', run: (store) => store.goTo(store.state.info.start) },
  { keys: ['End'], does: 'end of the run', run: (store) => store.goTo(store.state.info.end) },
  { keys: ['m'], does: 'set or remove a mark', run: (store) => void store.mark() },
  { keys: [']'], does: 'next mark or finding', run: (store) => store.goToMark('forward') },
  { keys: ['['], does: 'previous mark or finding', run: (store) => store.goToMark('back') },
  {
    keys: ['g'],
    does: 'type a position: a count, end-10, syscall:write:2, fault:PF, next:irq, a mark',
    run: typePosition,
  },
  { keys: ['+', '-'], does: 'zoom the timeline' },
  { keys: ['0'], does: 'show the whole run' },
  { keys: ['z'], does: 'show single instructions at the cursor' },
  {
    keys: ['Escape'],
    does: 'end a search; close this help',
    run: (store) => (store.state.isHelpShown ? store.update({ isHelpShown: false }) : store.endSearch()),
  },
  { keys: ['?'], does: 'this help', run: (store) => store.update({ isHelpShown: !store.state.isHelpShown }) },
];

function typePosition(): void {
  const input = document.getElementById('position');
  if (input instanceof HTMLInputElement) input.select();
}

/** Does what a key says; not while something is typed. */
export function listenToKeys(store: Store): () => void {
  const listener = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    const isTyping = target instanceof HTMLInputElement && target.type !== 'checkbox';
    const isChoosing = target instanceof HTMLSelectElement;
    if ((isTyping || isChoosing) && event.key !== 'Escape') return;
    const name = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key;
    const found = KEYS.find(({ keys }) => keys.includes(name));
    if (found?.run === undefined) return;
    event.preventDefault();
    found.run(store);
  };
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}
