/** Branded numbers are numbers of their own. */
import { print, printNumber } from 'palindrome/program';

type PageNumber = u64 & { readonly brand: 'PageNumber' };
type Meters = f64 & { readonly brand: 'Meters' };

function page(address: u64): PageNumber | null {
  if (address % 4096n !== 0n) return null;
  return (address / 4096n) as PageNumber;
}
function addressOfPage(p: PageNumber): u64 {
  return p * 4096n;
}
function meters(x: f64): Meters {
  return x as Meters;
}

for (let a: u64 = 0x3000n; a <= 0x3002n; a++) {
  const p = page(a);
  if (p === null) print('none ');
  else {
    printNumber(p);
    print('@');
    printNumber(addressOfPage(p));
    print(' ');
  }
}
printNumber(i32(meters(2.5) + meters(1.5)));
print('\n');
