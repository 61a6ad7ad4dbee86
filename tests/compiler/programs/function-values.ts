/** Functions as values: in variables, tables and fields. */
import { print, printNumber } from 'palindrome/program';

function twice(x: i32): i32 {
  return x * 2;
}
function square(x: i32): i32 {
  return x * x;
}

type Step = (x: i32) => i32;
const STEPS: readonly Step[] = [twice, square, (x) => x + 1];

function apply(f: Step, x: i32, times: i32): i32 {
  let result = x;
  for (let i = 0; i < times; i++) result = f(result);
  return result;
}

interface Command {
  readonly name: string;
  readonly run: (argument: i32) => void;
}

function show(x: i32): void {
  print('show ');
  printNumber(x);
  print('\n');
}

const COMMANDS: readonly Command[] = [
  { name: 'show', run: show },
  {
    name: 'hide',
    run: (x) => {
      print('hide ');
      printNumber(-x);
      print('\n');
    },
  },
];

class Handler {
  callback: Step | null = null;
  call(x: i32): i32 {
    const f = this.callback;
    return f === null ? -1 : f(x);
  }
}

const handler = new Handler();
printNumber(handler.call(5));
handler.callback = square;
printNumber(handler.call(5));
print('\n');
for (const f of STEPS) {
  printNumber(apply(f, 3, 2));
  print(' ');
}
print('\n');
for (const c of COMMANDS) {
  print(c.name);
  print(': ');
  c.run(7);
}
let chosen: Step = twice;
for (let i = 0; i < 3; i++) {
  printNumber(chosen(i + 1));
  chosen = chosen === twice ? square : twice;
}
print('\n');
