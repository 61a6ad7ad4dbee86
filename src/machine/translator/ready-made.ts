/** What fixed-modules.ts would make, where it was made before: never in the sources; tools/bundle.ts puts another text in this file's place. */
import type { KnownForm } from './form-key.ts';

export interface ReadyMade {
  /** By the names of fixed-modules.ts: the bytes in base64. */
  readonly modules: Readonly<Record<string, string>>;
  readonly inlinedKeys: readonly string[];
  /** The forms of `functions`, from function 1 on. */
  readonly known: readonly KnownForm[];
}

export const readyMade: ReadyMade | null = null;
