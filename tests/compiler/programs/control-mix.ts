/** Narrowing, disposal and generics mixed. */
import { print, printNumber } from 'palindrome/program';

class N {
  next: N | null = null;
  v = 1;
}
const a = new N();
const b = new N();
b.v = 2;
a.next = b;
function walk(start: N | null): i32 {
  let at = start;
  let sum = 0;
  while (at !== null) {
    const here = at;
    sum += here.v;
    if (here.next === null) break;
    at = here.next;
    if (at.v > 5) continue;
    sum += at.v * 10;
  }
  return sum;
}
function sw(x: N | null, k: i32): i32 {
  switch (k) {
    case 0:
      if (x === null) return -1;
      return x.v;
    case 1: {
      if (x === null) break;
      return x.v + 1;
    }
    case 2:
      return x?.v ?? 50;
  }
  return x === null ? 77 : x.v + 100;
}
class R {
  id: i32;
  constructor(id: i32) {
    this.id = id;
  }
  [Symbol.dispose](): void {
    print('~');
    printNumber(this.id);
  }
}
function mk(i: i32): R | null {
  return i < 0 ? null : new R(i);
}
function loops(): i32 {
  let total = 0;
  outer: for (let i = 0; i < 3; i++) {
    using r = mk(i);
    for (let j = 0; j < 3; j++) {
      using q = mk(10 + j - i * 20);
      if (q === null) continue outer;
      if (j === 1 && i === 0) break;
      total += q.id;
      if (r !== null && r.id === 2) return total;
    }
  }
  return total;
}
function tern(f: boolean): i32 {
  const c = f ? a : b;
  const d = f ? null : a;
  return c.v * 10 + (d === null ? 0 : d.v);
}
function big(n: u64): u64 | null {
  return n > 10n ? n : null;
}
function opt(): u64 {
  const x = big(5n) ?? big(20n);
  let y: u64 | null = null;
  if (x !== null) y = x + 1n;
  y = y === null ? 0n : y;
  return y;
}
let gl: N | null = null;
function useGl(): i32 {
  if (gl === null) return 0;
  const g = gl;
  gl = null;
  return g.v;
}
class G<T> {
  v: T;
  constructor(v: T) {
    this.v = v;
  }
  map<U>(f: (x: T) => U): G<U> | null {
    return null;
  }
  get(): T {
    return this.v;
  }
}
const g1 = new G<u8>(5);
const g2 = new G<string>('str');
const g3 = new G<N>(a);
printNumber(walk(a));
print(' ');
for (let k = 0; k < 4; k++) {
  printNumber(sw(a, k));
  printNumber(sw(null, k));
  print(' ');
}
printNumber(loops());
print(' ');
printNumber(tern(true));
printNumber(tern(false));
printNumber(opt());
gl = b;
printNumber(useGl());
printNumber(useGl());
printNumber(g1.get());
print(g2.get());
printNumber(g3.get().v);
function defaults(a: i32, b: i32 = 5, c: string = 'd', d: boolean = true): void {
  printNumber(a + b);
  print(c);
  print(d ? 'y' : 'n');
}
defaults(1);
defaults(1, 2);
defaults(1, 2, 'e', false);
const fn = (x: i32): i32 => {
  if (x > 3) return x * 2;
  return x;
};
printNumber(fn(5) + fn(1));
const table: readonly ((x: i32) => i32)[] = [fn, (y) => y - 1];
let acc = 1;
for (const f of table) acc = f(acc + 5);
printNumber(acc);
print('\n');
let shadow = 1;
{
  const shadow = 2;
  printNumber(shadow);
  {
    let shadow = 3;
    shadow++;
    printNumber(shadow);
  }
}
printNumber(shadow);
for (let i = 0, j = 10; i < j; i++) printNumber(i * j);
print('\n');
const i8s = new Int8Array(3);
i8s[0] = -5;
i8s[1] = i8s[0];
const u16s = new Uint16Array([1, 65535]);
printNumber(i8s[1] * u16s[1]);
const f64s = new Float64Array([1.5, 2.5]);
printNumber(i32(f64s[0] + f64s[1]));
const bs = new BigInt64Array([-5n, 6n]);
printNumber(bs[0] * bs[1]);
print('\n');
type Maybe<T> = T | null;
function orElse<T>(x: Maybe<T>, d: T): T {
  return x === null ? d : x;
}
printNumber(orElse<u32>(null, 4));
printNumber(orElse(big(50n), 1n));
const nested = array(3, () => array(2, () => 7));
nested[1][0] = 5;
let ns = 0;
for (const r of nested) for (const c of r) ns += c;
printNumber(ns);
print('\n');
