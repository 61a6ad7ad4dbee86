/** Writes to a page, gives it back, and reads it again: a kernel that invalidates the page in the TLB ends it by SIGSEGV. */
import { addressOf, load64, store64 } from 'palindrome/intrinsics';
import { exit, MAP_ANONYMOUS, MAP_PRIVATE, mmap, munmap, PROT_READ, PROT_WRITE, print, printHex } from 'palindrome/program';

const PAGE: u64 = 4096n;
const word = new BigUint64Array(1);

function fill(page: u64): void {
  store64(page, 0x5ec2e7n);
}

const page = wrapping.u64(mmap(0n, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
fill(page);
munmap(page, PAGE);
const other = wrapping.u64(mmap(page + 16n * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
store64(other, 0xd1ffe2e47n);
word[0] = load64(page);
print('read after munmap: ');
printHex(word[0]);
print('\n');
exit(addressOf(word) === 0n ? 1 : 0);
