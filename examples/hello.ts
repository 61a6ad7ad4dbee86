/** The smallest program. */
import { print } from 'palindrome/program';

print('Hello from ring 3.\n');
