/** Talks to a child by a pipe, and waits for it: context switches, system calls, page faults. */
import { close, exit, fork, pipe, print, printNumber, read, wait, write } from 'palindrome/program';

class Account {
  balance: i32 = 0;
  readonly history = new Int32Array(4);
  changes: i32 = 0;

  deposit(amount: i32): void {
    this.balance += amount;
    this.history[this.changes] = amount;
    this.changes++;
  }
}

const account = new Account();
const ends = new Int32Array(2);
const message = new Uint8Array(8);
const status = new Int32Array(1);

function sum(values: Int32Array, count: i32): i32 {
  let total: i32 = 0;
  for (let i = 0; i < count; i++) total += values[i];
  return total;
}

function child(): never {
  const length = read(ends[0], message);
  account.deposit(100);
  print('child: ');
  printNumber(account.balance + length);
  print('\n');
  exit(7);
}

pipe(ends);
account.deposit(20);
account.deposit(22);
if (fork() === 0) child();
close(ends[0]);
write(ends[1], message);
wait(-1, status);
print('parent: ');
printNumber(sum(account.history, account.changes));
print('\n');
exit(0);
