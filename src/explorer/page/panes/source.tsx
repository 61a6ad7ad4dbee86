/** The source text around the cursor. */
import { useEffect, useRef } from 'preact/hooks';
import { type Store, useStore } from '../store.ts';
import { centre } from './centre.ts';
import { Pane } from './pane.tsx';

/** Lines that are shown around the one at the cursor: files may be long. */
const AROUND = 60;

export function Source({ store }: { readonly store: Store }) {
  const { moment, source, position } = useStore(store);
  const current = useRef<HTMLTableRowElement>(null);
  const here = moment?.instructions.find(({ at }) => at === position);
  const line = here?.file === source?.file ? (here?.line ?? null) : null;
  useEffect(() => centre(current.current), [source, line]);
  const first = Math.max(1, (line ?? 1) - AROUND);
  const lines = (source?.lines ?? []).slice(first - 1, (line ?? 1) + AROUND);
  return (
    <Pane id="source" title={source === null ? 'Source' : `Source: ${source.file}${line === null ? '' : `:${line}`}`}>
      {source === null && <p class="faint">There is no line for this instruction.</p>}
      {source !== null && source.lines === null && (
        <p class="faint">
          The file {source.file} is not at hand. Start with <code>palindrome explore --source DIR</code>.
        </p>
      )}
      <table class="code">
        <caption class="hidden">Source lines around the position</caption>
        <tbody>
          {lines.map((text, index) => {
            const number = first + index;
            const isHere = number === line;
            return (
              <tr key={number} ref={isHere ? current : null} class={isHere ? 'current' : ''} aria-current={isHere ? 'location' : undefined}>
                <td class="position">
                  <span class="pointer">{isHere ? '▶' : ''}</span>
                  {number}
                </td>
                <td class="text">{text}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Pane>
  );
}
