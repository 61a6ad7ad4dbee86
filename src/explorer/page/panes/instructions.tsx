/** The instructions around the cursor, as they were executed. */
import { useEffect, useRef } from 'preact/hooks';
import type { InstructionLine } from '../../protocol.ts';
import { grouped } from '../format.ts';
import { type Store, useStore } from '../store.ts';
import { centre } from './centre.ts';
import { Pane } from './pane.tsx';

export function Instructions({ store }: { readonly store: Store }) {
  const { moment, position } = useStore(store);
  const current = useRef<HTMLTableRowElement>(null);
  useEffect(() => centre(current.current), [moment]);
  const lines = moment?.instructions ?? [];
  const here = lines.find(({ at }) => at === position);
  const execute = (direction: 'forward' | 'back') => here && store.search({ direction, what: 'execute', address: here.rip });
  const tools = here && (
    <>
      <button type="button" onClick={() => execute('back')} title="go back to when this instruction was executed before">
        ⇤ before
      </button>
      <button type="button" onClick={() => execute('forward')} title="go on to when this instruction is executed again">
        again ⇥
      </button>
    </>
  );
  return (
    <Pane id="instructions" title="Instructions" tools={tools}>
      <table class="code">
        <caption class="hidden">Executed instructions around the position; choose one to go there</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">position</th>
            <th scope="col">address</th>
            <th scope="col">instruction</th>
          </tr>
        </thead>
        <tbody>
          {lines.flatMap((line, index) => [
            headingOf(line, lines[index - 1]),
            <tr
              key={line.at}
              ref={line.at === position ? current : null}
              class={line.at === position ? 'current' : ''}
              aria-current={line.at === position ? 'step' : undefined}
              onClick={() => store.goTo(line.at)}
            >
              <td class="position">
                <span class="pointer">{line.at === position ? '▶' : ''}</span>
                {grouped(line.at)}
              </td>
              <td class="address" title={line.bytes}>
                {line.rip}
              </td>
              <td class="text">{line.text}</td>
            </tr>,
          ])}
          {moment !== null && position === moment.end && (
            <tr class="current" aria-current="step" ref={current}>
              <td class="position">
                <span class="pointer">▶</span>
                {grouped(position)}
              </td>
              <td colSpan={2}>the end of the run</td>
            </tr>
          )}
        </tbody>
      </table>
    </Pane>
  );
}

/** A row that says where the code is, where that is another function, mode or line than before. */
function headingOf(line: InstructionLine, before: InstructionLine | undefined) {
  const nameOf = ({ symbol, cpl }: InstructionLine): string => `${cpl} ${(symbol ?? '').replace(/\+0x[0-9a-f]+$/, '')}`;
  if (before !== undefined && nameOf(before) === nameOf(line)) return null;
  const name = (line.symbol ?? 'no symbol').replace(/\+0x[0-9a-f]+$/, '');
  return (
    <tr key={`in ${line.at}`} class="heading">
      <th scope="rowgroup" colSpan={3}>
        {name} <span class="faint">{line.cpl === 3 ? 'user' : 'kernel'}</span>
      </th>
    </tr>
  );
}
