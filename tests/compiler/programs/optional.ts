/** ?. and ?? on references. */
import { print, printNumber } from 'palindrome/program';

class Device {
  handled = 0;
  readonly id: i32;
  constructor(id: i32) {
    this.id = id;
  }
  handle(): void {
    this.handled++;
  }
}
class Slot {
  device: Device | null = null;
}
const device = new Device(9);
const empty = new Slot();
const filled = new Slot();
filled.device = device;

function idOf(s: Slot): i32 {
  return s.device?.id ?? -1;
}
function poke(s: Slot): void {
  s.device?.handle();
}
poke(empty);
poke(filled);
poke(filled);
printNumber(idOf(empty));
print(' ');
printNumber(idOf(filled));
print(' ');
printNumber(device.handled);
print('\n');
