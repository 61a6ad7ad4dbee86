/** keel's processes at the moment. */
import { type Store, useStore } from '../store.ts';

export function Processes({ store }: { readonly store: Store }) {
  const { processes } = useStore(store);
  const list = processes?.processes ?? [];
  return (
    <div class="body">
      <p class="note">
        CR3 {processes?.root ?? '…'}
        {processes?.current != null && ` · page tables of ${processes.current}`}
      </p>
      {list.length === 0 ? (
        <p class="faint">The kernel has no processes here, or is none that is known.</p>
      ) : (
        <table class="list">
          <caption class="hidden">Processes</caption>
          <thead>
            <tr>
              <th scope="col">process</th>
              <th scope="col">state</th>
              <th scope="col">page tables</th>
            </tr>
          </thead>
          <tbody>
            {list.map(({ name, root, state, isCurrent }) => (
              <tr key={name} class={isCurrent ? 'current' : ''} aria-current={isCurrent ? 'true' : undefined}>
                <th scope="row">
                  <span class="pointer">{isCurrent ? '▶' : ''}</span>
                  {name}
                </th>
                <td>{isCurrent ? 'runs' : state}</td>
                <td>{root ?? 'none'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
