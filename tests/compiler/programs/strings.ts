/** Strings are bytes that do not change. */
import { print, printLine, printNumber } from 'palindrome/program';

const greeting = 'hello';
printNumber(greeting.length);
print(' ');
for (let i = 0; i < greeting.length; i++) {
  printNumber(greeting.charCodeAt(i));
  print(',');
}
print('\n');

function count(text: string, byte: i32): i32 {
  let found = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === byte) found++;
  return found;
}

function same(a: string, b: string): string {
  return a === b ? 'same' : 'different';
}

printNumber(count('a banana, a cabana', 97));
print('\n');
printLine(same('abc', 'abc'));
printLine(same('abc', 'abd'));
printLine(same('abc', 'ab'));
printLine(same('', ''));
printLine(same('hello'.slice(1, 3), 'el'));
printLine('hello world'.slice(6));
const quoted = 'tab\there "quotes" \u0041';
printLine(quoted);
let changing = 'first';
changing = 'second';
printLine(changing);
printLine(`plain template`);
