/** What the keys and the pointer do. */
import { useEffect, useRef } from 'preact/hooks';
import { KEYS } from './keys.ts';
import type { Store } from './store.ts';

export function Help({ store }: { readonly store: Store }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = (): void => store.update({ isHelpShown: false });
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(({ keys, does }) => (
          <div key={does}>
            <dt class="key">
              {keys.map((key) => (
                <kbd key={key}>{nameOf(key)}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p>
        Timeline: the wheel zooms, dragging moves it, a click goes there. In each row the upper half is user mode, the lower one the kernel.
        Memory: a click on a byte asks who wrote it. What changed since the position shown before is bold, with a dot.
      </p>
      <button type="button" onClick={close}>
        close
      </button>
    </dialog>
  );
}

function nameOf(key: string): string {
  return key.replace('ArrowRight', '→').replace('ArrowLeft', '←').replace('Escape', 'Esc');
}
