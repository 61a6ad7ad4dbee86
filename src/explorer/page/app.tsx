/** The page: a bar, the timeline, and the panes of the moment. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { grouped } from './format.ts';
import { Help } from './help.tsx';
import { listenToKeys } from './keys.ts';
import { Events } from './panes/events.tsx';
import { Findings } from './panes/findings.tsx';
import { Instructions } from './panes/instructions.tsx';
import { Memory } from './panes/memory.tsx';
import { Processes } from './panes/processes.tsx';
import { Registers } from './panes/registers.tsx';
import { Source } from './panes/source.tsx';
import { Tabs } from './panes/tabs.tsx';
import { Variables } from './panes/variables.tsx';
import { Walk } from './panes/walk.tsx';
import { type Store, useStore } from './store.ts';
import { nextTheme, shownTheme } from './theme.ts';
import { Timeline } from './timeline/timeline.tsx';

export function App({ store }: { readonly store: Store }) {
  const { said, isHelpShown, isBusy } = useStore(store);
  const [theme, setTheme] = useState(shownTheme());
  useEffect(() => listenToKeys(store), [store]);
  return (
    <>
      <Bar store={store} theme={theme} switchTheme={() => setTheme(nextTheme())} />
      <main>
        <h1 class="hidden">Palindrome explorer</h1>
        <Timeline store={store} theme={theme} />
        <Findings store={store} />
        <div class="panes">
          <div class="column">
            <Instructions store={store} />
            <Source store={store} />
          </div>
          <div class="column">
            <Registers store={store} />
            <Events store={store} />
          </div>
          <div class="column">
            <Memory store={store} />
            <Tabs
              label="Page tables, variables, processes"
              tabs={[
                { id: 'walk', title: 'Page tables', content: <Walk store={store} /> },
                { id: 'variables', title: 'Variables', content: <Variables store={store} /> },
                { id: 'processes', title: 'Processes', content: <Processes store={store} /> },
              ]}
            />
          </div>
        </div>
      </main>
      <footer aria-busy={isBusy}>
        <span class={isBusy ? 'busy' : 'idle'} aria-hidden="true" />
        <output>{said}</output>
      </footer>
      {isHelpShown && <Help store={store} />}
    </>
  );
}

interface BarProps {
  readonly store: Store;
  readonly theme: string;
  readonly switchTheme: () => void;
}

function Bar({ store, theme, switchTheme }: BarProps) {
  const { info, position, moment, marks } = useStore(store);
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    const text = (input.current?.value ?? '').replaceAll(',', '');
    if (text !== '') void store.goToText(text);
    input.current?.blur();
  };
  return (
    <header class="bar">
      <span class="name" title={info.artefacts.map(({ role, name }) => `${role} ${name}`).join(', ')}>
        {info.name}
      </span>
      <form onSubmit={submit}>
        <button type="button" aria-label="one instruction back" title="one instruction back (←)" onClick={() => store.step(-1)}>
          ◀
        </button>
        <label>
          <span class="hidden">Position</span>
          <input
            ref={input}
            id="position"
            key={position}
            defaultValue={grouped(position)}
            size={15}
            inputMode="numeric"
            autocomplete="off"
          />
        </label>
        <button type="button" aria-label="one instruction on" title="one instruction on (→)" onClick={() => store.step(1)}>
          ▶
        </button>
        <span class="faint"> of {grouped(info.end)}</span>
      </form>
      <span class="process">{moment?.process ?? ''}</span>
      {info.isCut && <span class="warning">the trace is cut: up to its last whole block</span>}
      <span class="space" />
      <nav aria-label="Marks">
        {marks.map(({ at, name }) => (
          <button type="button" key={at} onClick={() => store.goTo(at)} title={grouped(at)}>
            ⚑ {name}
          </button>
        ))}
        <button type="button" onClick={() => void store.mark()} title="set or remove a mark here (m)">
          mark
        </button>
      </nav>
      <button type="button" onClick={switchTheme} title="light, dark, or as the system says">
        theme: {theme}
      </button>
      <button type="button" onClick={() => store.update({ isHelpShown: true })} title="keys (?)">
        keys
      </button>
    </header>
  );
}
