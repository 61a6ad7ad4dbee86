/** Memory of the moment in hexadecimal. A click on a byte asks who wrote it. */
import { useRef } from 'preact/hooks';
import type { WriterLink } from '../../protocol.ts';
import { grouped, parseAddress } from '../format.ts';
import { type Picked, type Store, useStore } from '../store.ts';
import { Pane } from './pane.tsx';

const ROW = 16;
const STEP = 256n;
const TOP = (1n << 64n) - 1n;

export function Memory({ store }: { readonly store: Store }) {
  const { memory, memoryBefore, memoryAddress, memorySpace, picked } = useStore(store);
  const input = useRef<HTMLInputElement>(null);
  const go = (address: bigint): void =>
    store.showMemory(`0x${(address < 0n ? 0n : address > TOP ? TOP : address).toString(16)}`, memorySpace);
  const base = BigInt(memory?.address ?? '0x0');
  const tools = (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const address = parseAddress(input.current?.value ?? '');
        if (address === null) store.say('An address has up to 16 hexadecimal digits.');
        else store.showMemory(address, memorySpace);
      }}
    >
      <select
        aria-label="Kind of address"
        value={memorySpace}
        onChange={(event) => store.showMemory(memoryAddress, event.currentTarget.value === 'physical' ? 'physical' : 'linear')}
      >
        <option value="linear">linear</option>
        <option value="physical">physical</option>
      </select>
      <input
        ref={input}
        key={memoryAddress}
        defaultValue={memoryAddress}
        aria-label="Address of the memory shown"
        size={19}
        spellcheck={false}
      />
      <button type="button" aria-label="256 bytes back" onClick={() => go(base - STEP)}>
        ▲
      </button>
      <button type="button" aria-label="256 bytes on" onClick={() => go(base + STEP)}>
        ▼
      </button>
    </form>
  );
  const isSamePlace = memoryBefore?.address === memory?.address && memoryBefore?.space === memory?.space;
  const old = isSamePlace ? (memoryBefore?.bytes ?? '') : '';
  const bytes = memory?.bytes ?? '';
  const rows = Math.ceil(bytes.length / 2 / ROW);
  return (
    <Pane id="memory" title="Memory" tools={tools}>
      {picked !== null && <Writer store={store} picked={picked} />}
      {memory !== null && <p class="note pages">{pagesText(memory.space, memory.pages)}</p>}
      <table class="hex">
        <caption class="hidden">Bytes; choose one to find who wrote it</caption>
        <tbody>
          {Array.from({ length: rows }, (_, row) => {
            const address = base + BigInt(row * ROW);
            const cells = Array.from({ length: ROW }, (_cell, column) => {
              const at = 2 * (row * ROW + column);
              return {
                at: address + BigInt(column),
                byte: bytes.slice(at, at + 2),
                isChanged: old !== '' && old.slice(at, at + 2) !== bytes.slice(at, at + 2),
              };
            });
            return (
              <tr key={address}>
                <th scope="row" class="hex-address">
                  {address.toString(16).padStart(12, '0')}
                </th>
                <td class="bytes">
                  {cells.map(({ at, byte, isChanged }) => (
                    <button
                      type="button"
                      key={at}
                      class={`byte ${isChanged ? 'changed' : ''} ${picked !== null && BigInt(picked.address) === at ? 'picked' : ''}`}
                      tabIndex={at === address ? 0 : -1}
                      aria-label={`byte ${byte} at 0x${at.toString(16)}${isChanged ? ', changed' : ''}; who wrote it?`}
                      disabled={byte === '..'}
                      onClick={() => store.pick(`0x${at.toString(16)}`, memorySpace)}
                      onKeyDown={moveAmongBytes}
                    >
                      {byte}
                    </button>
                  ))}
                </td>
                <td class="ascii" aria-hidden="true">
                  {cells.map(({ byte }) => printable(byte)).join('')}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Pane>
  );
}

function Writer({ store, picked: { address, space, writer } }: { readonly store: Store; readonly picked: Picked }) {
  const next = (direction: 'forward' | 'back', what: 'read' | 'write') => store.search({ direction, what, address, space, length: 1 });
  return (
    <fieldset class="writer" aria-label="Who wrote the byte">
      <p>
        <strong>{address}</strong> {writer === null && 'looking for who wrote it …'}
      </p>
      {writer !== null && (
        <ol class="chain">
          {writer.links.map((link) => (
            <li key={`${link.depth} ${link.place} ${link.at}`} class={`depth-${Math.min(link.depth, 6)}`}>
              <LinkText store={store} link={link} />
            </li>
          ))}
        </ol>
      )}
      <span class="searches">
        <button type="button" onClick={() => next('forward', 'write')}>
          next write ⇥
        </button>
        <button type="button" onClick={() => next('back', 'read')}>
          ⇤ last read
        </button>
        <button type="button" onClick={() => next('forward', 'read')}>
          next read ⇥
        </button>
        {space === 'linear' && (
          <button type="button" onClick={() => store.showWalk(address)}>
            its page tables
          </button>
        )}
      </span>
    </fieldset>
  );
}

function LinkText({ store, link }: { readonly store: Store; readonly link: WriterLink }) {
  const { how, place, at, instruction, process, before, after, end } = link;
  return (
    <>
      {how === 'copied' && '← copied from '}
      {how === 'computed' && '⇠ computed from '}
      {place}: {before !== null && <span class="old">{before}</span>} {before !== null && '→'} <span class="new">{after}</span>
      {instruction !== null && (
        <>
          {' by '}
          <code>{instruction.text}</code>
          <span class="note">
            {' '}
            {instruction.symbol ?? instruction.rip}
            {instruction.file !== null && ` · ${instruction.file}:${instruction.line}`}
            {process !== null && ` · ${process}`}
          </span>
        </>
      )}
      {end !== null && <span class="note"> {end}</span>}
      {at !== null && (
        <button type="button" class="strong" onClick={() => store.goTo(at)}>
          go to {grouped(at)}
        </button>
      )}
    </>
  );
}

/** Arrow keys go from byte to byte; only the first of a row is in the order of Tab. */
function moveAmongBytes(event: KeyboardEvent): void {
  const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ROW, ArrowDown: ROW };
  const step = steps[event.key];
  const here = event.currentTarget;
  if (step === undefined || !(here instanceof HTMLElement)) return;
  event.preventDefault();
  event.stopPropagation();
  const all = [...(here.closest('table')?.querySelectorAll<HTMLElement>('button.byte') ?? [])];
  all[all.indexOf(here) + step]?.focus();
}

function printable(byte: string): string {
  const code = Number.parseInt(byte, 16);
  return code >= 32 && code < 127 ? String.fromCharCode(code) : '·';
}

function pagesText(space: string, pages: readonly { readonly linear: string; readonly physical: string | null }[]): string {
  if (space === 'physical') return pages.some(({ physical }) => physical === null) ? 'partly outside of RAM' : 'physical memory';
  return pages.map(({ linear, physical }) => (physical === null ? `${linear} is not mapped` : `physical ${physical}`)).join(' · ');
}
