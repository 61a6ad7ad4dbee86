/** (being written) Encodings in the manual's notation: see `Encoding`. */
export interface Encoding {
  /** Number in the whole table, dense from 0: readers may index arrays by it. */
  readonly id: number;
  /** As written in the row. */
  readonly text: string;
}
