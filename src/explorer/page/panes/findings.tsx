/** The findings of the trace: which invariant was broken where, and why that matters. */
import { grouped } from '../format.ts';
import { type Store, useStore } from '../store.ts';

export function Findings({ store }: { readonly store: Store }) {
  const { info, position } = useStore(store);
  if (info.findings.length === 0) return null;
  return (
    <aside class="findings" aria-label="Findings">
      {info.findings.map(({ at, invariant, title, because, message, report }) => (
        <div key={`${invariant} ${at}`} class="finding">
          <p>
            <strong>
              <span aria-hidden="true">◆ </span>
              {invariant}
            </strong>{' '}
            did not hold {message}.{' '}
            <button type="button" class="strong" onClick={() => store.goTo(at)} aria-current={at === position ? 'step' : undefined}>
              go to {grouped(at)}
            </button>
          </p>
          <details>
            <summary>
              {title} <span class="faint">{because}</span>
            </summary>
            <pre>{report}</pre>
          </details>
        </div>
      ))}
    </aside>
  );
}
