/** Runs programs in turn, again and again, each as a process of its own whose output comes through a pipe: `every ROUNDS PROGRAM…`. */
import { argument, argumentCount, close, dup2, execute, exit, fork, pipe, print, printHex, read, STDOUT, wait } from 'palindrome/program';

const ends = new Int32Array(2);
const status = new Int32Array(1);
const buffer = new Uint8Array(4096);
let checksum: u32 = 1;

function add(value: u32): void {
  checksum = wrapping.add(wrapping.mul(checksum, 31), value);
}

function run(program: string): void {
  if (pipe(ends) < 0) exit(1);
  const pid = fork();
  if (pid < 0) exit(2);
  if (pid === 0) {
    dup2(ends[1], STDOUT);
    close(ends[0]);
    close(ends[1]);
    execute(program);
    exit(127);
  }
  close(ends[1]);
  for (let count = read(ends[0], buffer); count > 0; count = read(ends[0], buffer)) {
    for (const byte of buffer.subarray(0, count)) add(u32(byte));
  }
  close(ends[0]);
  wait(pid, status);
  add(u32(status[0]));
}

let rounds = 0;
for (const digit of bytesOf(argument(1))) rounds = rounds * 10 + i32(digit) - 48;
for (; rounds > 0; rounds--) {
  for (let i = 2; i < argumentCount(); i++) run(argument(i));
}
print('checksum ');
printHex(checksum, 8);
print('\n');
