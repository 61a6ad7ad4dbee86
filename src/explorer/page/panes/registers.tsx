/** The registers; those that changed since the position that was shown before are bold and marked. A click shows what a register points to. */
import { useState } from 'preact/hooks';
import type { RegisterValue } from '../../protocol.ts';
import { type Store, useStore } from '../store.ts';
import { Pane } from './pane.tsx';

const GROUPS = ['general', 'control', 'segments', 'vector', 'msr'] as const;
type Group = (typeof GROUPS)[number];

export function Registers({ store }: { readonly store: Store }) {
  const { moment, before } = useStore(store);
  const [group, setGroup] = useState<Group>('general');
  const old = new Map((before?.registers[group] ?? []).map(({ name, value }) => [name, value]));
  const tools = (
    <select aria-label="Which registers" value={group} onChange={(event) => setGroup(event.currentTarget.value as Group)}>
      {GROUPS.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
  const flags = moment?.registers.general.find(({ name }) => name === 'RFLAGS')?.note ?? '';
  const title = moment === null ? 'Registers' : `Registers · CPL ${moment.registers.cpl} · ${flags}`;
  return (
    <Pane id="registers" title={title} tools={tools}>
      <dl class={`registers ${group === 'general' ? 'columns' : ''}`}>
        {(moment?.registers[group] ?? []).map((register) => (
          <Register
            key={register.name}
            store={store}
            register={register}
            isChanged={old.has(register.name) && old.get(register.name) !== register.value}
          />
        ))}
      </dl>
    </Pane>
  );
}

interface RegisterProps {
  readonly store: Store;
  readonly register: RegisterValue;
  readonly isChanged: boolean;
}

function Register({ store, register: { name, value, note }, isChanged }: RegisterProps) {
  const digits = value.slice(2);
  const zeros = /^0*(?=.)/.exec(digits)?.[0].length ?? 0;
  return (
    <div class={isChanged ? 'changed' : ''}>
      <dt>{name}</dt>
      <dd>
        <button
          type="button"
          class="plain"
          title={`show memory at ${name}`}
          aria-label={`${name} ${value}${isChanged ? ', changed' : ''}; show memory there`}
          onClick={() => digits.length <= 16 && store.showMemory(`0x${(BigInt(value) & ~15n).toString(16)}`, 'linear')}
        >
          <span class="zeros">{digits.slice(0, zeros)}</span>
          {digits.slice(zeros)}
        </button>
        {isChanged && <span class="dot" aria-hidden="true" title="changed" />}
        {note !== '' && <span class="note">{note}</span>}
      </dd>
    </div>
  );
}
