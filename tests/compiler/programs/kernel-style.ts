/** A system call as keel would write it: brands, owned frames, locks, capabilities. */
import { print, printNumber } from 'palindrome/program';

// Owned, locks, capability idioms as in the kernel's style
const EINVAL = -22;
const ENOMEM = -12;
const EEXIST = -17;
type Errno = typeof EINVAL | typeof ENOMEM | typeof EEXIST;
type UserPage = u64 & { readonly brand: 'UserPage' };
function userPage(a: u64): UserPage | null {
  return a >= 0x1000n && a < 0x800000000000n && a % 4096n === 0n ? (a as UserPage) : null;
}
class Held {
  readonly lock: Lock;
  constructor(lock: Lock) {
    this.lock = lock;
  }
  [Symbol.dispose](): void {
    this.lock.isHeld = false;
    print('u');
  }
}
class Lock {
  isHeld = false;
  acquire(): Held {
    assert(!this.isHeld);
    this.isHeld = true;
    print('l');
    return new Held(this);
  }
}
class Frame {
  readonly address: u64;
  #kept = true;
  readonly pool: FramePool;
  constructor(pool: FramePool, address: u64) {
    this.pool = pool;
    this.address = address;
  }
  zero(): void {
    print('z');
  }
  leak(): void {
    this.#kept = false;
  }
  [Symbol.dispose](): void {
    if (this.#kept) {
      this.pool.free(this.address);
      print('f');
    }
  }
}
class FramePool {
  #bits: u64 = 0n;
  #next = 0;
  allocate(): Frame | null {
    for (let i = 0; i < 4; i++) {
      const bit = 1n << u64(i);
      if ((this.#bits & bit) !== 0n) continue;
      this.#bits |= bit;
      return new Frame(this, u64(i) * 4096n);
    }
    return null;
  }
  free(address: u64): void {
    this.#bits &= wrapping.not(1n << (address / 4096n));
  }
  get used(): i32 {
    let n = 0;
    let b = this.#bits;
    while (b !== 0n) {
      n++;
      b &= b - 1n;
    }
    return n;
  }
}
class PageTable {
  readonly lock = new Lock();
  readonly pages = new BigUint64Array(4);
  count = 0;
  isMapped(page: UserPage, _held: Held): boolean {
    for (const p of this.pages.subarray(0, this.count)) if (p === page) return true;
    return false;
  }
  map(page: UserPage, _frame: u64, _held: Held): boolean {
    if (this.count === this.pages.length) return false;
    this.pages[this.count] = page;
    this.count++;
    return true;
  }
}
class Capability<_N extends string> {
  private constructor() {}
  static grant<N extends string>(): Capability<N> {
    return new Capability<N>();
  }
}
function sysMap(_may: Capability<'map-user-memory'>, table: PageTable, pool: FramePool, address: u64): Errno | 0 {
  const page = userPage(address);
  if (page === null) return EINVAL;
  using frame = pool.allocate();
  if (frame === null) return ENOMEM;
  frame.zero();
  using held = table.lock.acquire();
  if (table.isMapped(page, held)) return EEXIST;
  if (!table.map(page, frame.address, held)) return ENOMEM;
  frame.leak();
  return 0;
}
const may = Capability.grant<'map-user-memory'>();
const table = new PageTable();
const pool = new FramePool();
const ADDRESSES: readonly u64[] = [0n, 0x1000n, 0x1000n, 0x2000n, 0x2001n, 0x3000n, 0x4000n, 0x5000n];
for (const a of ADDRESSES) {
  printNumber(sysMap(may, table, pool, a));
  printNumber(pool.used);
  print(' ');
}
print('\n');
