/** Prints its arguments: `palindrome run examples/args.ts` gives none, on Linux try `./args one two`. */
import { argument, argumentCount, print, printLine, printNumber } from 'palindrome/program';

printNumber(argumentCount() - 1);
printLine(' arguments');
for (let i = 1; i < argumentCount(); i++) {
  printNumber(i);
  print(': ');
  printLine(argument(i));
}
