/** What fixed-modules.ts would make, where it was made before: never in the sources; tools/bundle.ts puts another text in this file's place. */

export interface ReadyMade {
  /** By the names of fixed-modules.ts: the bytes in base64. */
  readonly modules: Readonly<Record<string, string>>;
  readonly inlinedKeys: readonly string[];
}

export const readyMade: ReadyMade | null = null;
