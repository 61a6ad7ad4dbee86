/** How the page tables of the moment translate an address, level by level, and what the TLB still holds of it. */
import { useRef } from 'preact/hooks';
import { parseAddress } from '../format.ts';
import { type Store, useStore } from '../store.ts';

export function Walk({ store }: { readonly store: Store }) {
  const { walk, walkAddress } = useStore(store);
  const input = useRef<HTMLInputElement>(null);
  const form = (
    <form
      class="walk-form"
      onSubmit={(event) => {
        event.preventDefault();
        const address = parseAddress(input.current?.value ?? '');
        if (address === null) store.say('An address has up to 16 hexadecimal digits.');
        else store.showWalk(address);
      }}
    >
      <input
        ref={input}
        key={walkAddress}
        defaultValue={walkAddress}
        aria-label="Linear address that is translated"
        size={19}
        spellcheck={false}
      />
      <button type="submit">walk</button>
      {walk !== null && <span class="note">CR3 {walk.root}</span>}
    </form>
  );
  return (
    <div class="body walk-body">
      {form}
      {walk !== null && (
        <>
          <table class="walk">
            <caption class="hidden">The walk of {walk.address}</caption>
            <thead>
              <tr>
                <th scope="col">level</th>
                <th scope="col">entry at</th>
                <th scope="col">value</th>
                <th scope="col">bits</th>
              </tr>
            </thead>
            <tbody>
              {walk.levels.map(({ name, index, address, entry, flags }) => (
                <tr key={name} class={flags.includes('P') ? '' : 'absent'}>
                  <th scope="row">
                    {name}[{index}]
                  </th>
                  <td>
                    <button
                      type="button"
                      class="plain"
                      title="show the entry in memory"
                      onClick={() => store.showMemory(address, 'physical')}
                    >
                      {address}
                    </button>
                  </td>
                  <td>{entry}</td>
                  <td>{flags.join(' ') || 'none'}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {walk.result === null ? (
            <p class="absent">Not mapped: {walk.ends}.</p>
          ) : (
            <p>
              → physical <strong>{walk.result.physical}</strong>, {walk.result.rights}
              {walk.result.size > 4096 && `, page of ${walk.result.size >> 20} MiB`}
            </p>
          )}
          {walk.cached.map(({ tag, frame, rights, isUsed, isStale }) => (
            <p key={`${tag} ${frame}`} class={isStale ? 'stale' : 'note'}>
              {isStale ? '⚠ stale in the TLB' : 'in the TLB'}: {tag > 4095 ? 'global' : `PCID ${tag}`}
              {!isUsed && ' (another one)'}, frame {frame}, {rights}
              {isStale && ' (the tables no longer say so)'}
            </p>
          ))}
        </>
      )}
    </div>
  );
}
