/** The forms that tier 0's body inlines: given as machine code, one example of each form. (Chosen by counting; see bench/tier0.ts.) */
import { bug } from '../isa/bug.ts';
import { type Decoded, decode } from '../isa/decode.ts';

const HOT = '';

export function hotForms(): Decoded[] {
  return HOT.split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const bytes = Uint8Array.from((line.split('|')[0] ?? '').trim().split(' '), (b) => Number.parseInt(b, 16));
      const decoded = decode(bytes, 0, 64, bytes.length);
      return typeof decoded === 'string' ? bug(`hot form ${line} does not decode: ${decoded}`) : decoded;
    });
}
