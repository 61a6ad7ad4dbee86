/** What a reader of hostile bytes throws: the text names the part that is wrong. The trace reader turns it into a `Damage` with offset and block. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}
