/** A class whose objects only itself makes. */
import { print, printNumber } from 'palindrome/program';

class Capability<_Name extends string> {
  private constructor() {}
  static grant<Name extends string>(): Capability<Name> {
    return new Capability<Name>();
  }
}

let uses = 0;
function mapMemory(may: Capability<'map'>, pages: i32): i32 {
  uses++;
  return inner(may, pages * 2);
}
function inner(_may: Capability<'map'>, pages: i32): i32 {
  return pages + uses;
}

const may = Capability.grant<'map'>();
printNumber(mapMemory(may, 4));
print('\n');
