/** fork, pipe, wait: the child counts letters that the parent sends. Needs a kernel: keel, or Linux. */
import { close, exit, fork, pipe, print, printNumber, read, wait, writeAll } from 'palindrome/program';

const ends = new Int32Array(2);
const status = new Int32Array(1);

/** Reads to the end of the pipe; the number of letters is the exit status. */
function child(from: i32): never {
  const buffer = new Uint8Array(16);
  let letters = 0;
  for (;;) {
    const count = read(from, buffer);
    if (count <= 0) break;
    for (const byte of buffer.subarray(0, count)) if (byte >= 97 && byte <= 122) letters++;
  }
  exit(letters);
}

if (pipe(ends) < 0) {
  print('no pipe\n');
  exit(1);
}
const pid = fork();
if (pid === 0) {
  close(ends[1]);
  child(ends[0]);
}
close(ends[0]);
writeAll(ends[1], bytesOf('the quick brown fox jumps over the lazy dog'));
close(ends[1]);
wait(pid, status);
print('the child counted ');
printNumber((status[0] >> 8) & 0xff);
print(' letters\n');
