/** Strings are slices of bytes that do not change: looking for palindromes. */
import { print, printLine } from 'palindrome/program';

const PHRASES: readonly string[] = ['A man, a plan, a canal: Panama', 'Never odd or even', 'This one is not', 'Madam, I am Adam', ''];

function isLetter(c: u8): boolean {
  return c >= 97 && c <= 122;
}

function lowerCase(c: u8): u8 {
  return c >= 65 && c <= 90 ? u8(c + 32) : c;
}

/** It reads the same forwards and backwards, letters alone. */
function isPalindrome(text: string): boolean {
  let low = 0;
  let high = text.length - 1;
  while (low < high) {
    const a = lowerCase(text.charCodeAt(low));
    const b = lowerCase(text.charCodeAt(high));
    if (!isLetter(a)) low++;
    else if (!isLetter(b)) high--;
    else if (a !== b) return false;
    else {
      low++;
      high--;
    }
  }
  return true;
}

for (const phrase of PHRASES) {
  print(isPalindrome(phrase) ? 'yes  ' : 'no   ');
  printLine(phrase);
}
