/** Where in the source. Shared between instructions: make one per statement or expression, never change it. */
import type { SourceLocation } from '../image/object.ts';

export type Location = SourceLocation;
