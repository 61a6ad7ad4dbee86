/** Variables of the functions whose code is at the cursor. */
import { type Store, useStore } from '../store.ts';

export function Variables({ store }: { readonly store: Store }) {
  const { variables } = useStore(store);
  const calls = variables?.calls ?? [];
  return (
    <div class="body">
      {calls.length === 0 && <p class="faint">The code here has no debug information.</p>}
      {calls.map((call, index) => (
        <table class="list" key={`${call.function} ${index}`}>
          <caption class="caption">
            {call.function} {call.isInlined && <span class="faint">inlined here</span>}
          </caption>
          <thead class="hidden">
            <tr>
              <th scope="col">name</th>
              <th scope="col">type</th>
              <th scope="col">value</th>
            </tr>
          </thead>
          <tbody>
            {call.variables.map(({ name, type, value, address }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="faint">{type}</td>
                <td>
                  {address === null ? (
                    (value ?? <span class="faint">not there</span>)
                  ) : (
                    <button type="button" class="plain" title="show it in memory" onClick={() => store.showMemory(address, 'linear')}>
                      {value}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </div>
  );
}
