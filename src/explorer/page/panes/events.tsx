/** The events around the cursor as a table: what the timeline shows, for those who do not see it. */
import { useEffect, useRef } from 'preact/hooks';
import { LANES, type Lane } from '../../protocol.ts';
import { grouped } from '../format.ts';
import { type Store, useStore } from '../store.ts';
import { LANE_NAMES } from '../timeline/layout.ts';
import { centre } from './centre.ts';
import { Pane } from './pane.tsx';

export function Events({ store }: { readonly store: Store }) {
  const { events, position, lanes } = useStore(store);
  const next = useRef<HTMLTableRowElement>(null);
  useEffect(() => centre(next.current), [events]);
  const toggle = (lane: Lane): void => {
    const chosen = new Set(store.state.lanes);
    if (!chosen.delete(lane)) chosen.add(lane);
    store.showLanes(chosen);
  };
  const upcoming = events.findIndex(({ at }) => at >= position);
  const tools = (
    <>
      <button type="button" onClick={() => store.goToEvent('back')} title="previous event (p)">
        ⇤ previous
      </button>
      <button type="button" onClick={() => store.goToEvent('forward')} title="next event (n)">
        next ⇥
      </button>
    </>
  );
  return (
    <Pane id="events" title="Events" tools={tools}>
      <fieldset class="lanes">
        <legend class="hidden">Kinds of event that are listed, and that n and p go to</legend>
        {LANES.map((lane) => (
          <label key={lane}>
            <input type="checkbox" checked={lanes.has(lane)} onChange={() => toggle(lane)} />
            <span class={`chip lane-${lane}`} aria-hidden="true" />
            {LANE_NAMES[lane]}
          </label>
        ))}
      </fieldset>
      <table class="list events">
        <caption class="hidden">Events around the position; choose one to go there</caption>
        <thead class="hidden">
          <tr>
            <th scope="col">position</th>
            <th scope="col">event</th>
          </tr>
        </thead>
        <tbody>
          {events.map(({ at, text, lane }, index) => (
            <tr
              key={`${at} ${text}`}
              ref={index === upcoming ? next : null}
              class={`${at === position ? 'current' : ''} ${at < position ? 'past' : ''}`}
              aria-current={at === position ? 'step' : undefined}
            >
              <td class="position">
                <button type="button" class="plain" onClick={() => store.goTo(at)} aria-label={`go to ${grouped(at)}`}>
                  {grouped(at)}
                </button>
              </td>
              <td>
                <span class={`chip lane-${lane}`} aria-hidden="true" />
                {text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {events.length === 0 && <p class="faint">No event of these kinds.</p>}
    </Pane>
  );
}
