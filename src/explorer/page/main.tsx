/** Starts the page: asks what trace it is, and goes to the position that the URL names, the finding, or the begin. */
import { render } from 'preact';
import type { SpacesInfo, TraceInfo } from '../protocol.ts';
import { App } from './app.tsx';
import { ask } from './client.ts';
import { parsePosition } from './format.ts';
import { Store } from './store.ts';
import { restoreTheme } from './theme.ts';

restoreTheme();
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');
try {
  const [info, spaces] = await Promise.all([ask<TraceInfo>('trace'), ask<SpacesInfo>('spaces')]);
  document.title = `${info.name} – Palindrome explorer`;
  const store = new Store(info, spaces);
  // What a finding says of a translation is looked at first.
  const suspect = /translation of (0x[0-9a-f]+)/.exec(info.findings[0]?.message ?? '')?.[1];
  if (suspect !== undefined) store.update({ walkAddress: suspect });
  render(<App store={store} />, root);
  const named = parsePosition(/^#at=(\d+)$/.exec(location.hash)?.[1] ?? '');
  void store.readMarks();
  store.goTo(named ?? info.findings[0]?.at ?? info.start);
} catch (error) {
  render(<p role="alert">{error instanceof Error ? error.message : String(error)}</p>, root);
}
