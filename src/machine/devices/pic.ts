/**
 * The pair of 8259A interrupt controllers, masked after reset. IRQ 0–7 come in at the master, 8–15 at the slave, which hangs on the
 * master's line 2. What they ask for reaches the CPU as ExtINT through the local APIC's LINT0.
 */
import { PIC_MASTER_PORT, PIC_SLAVE_PORT } from '../platform/ports.ts';
import { fieldsOf } from '../snapshot/fields.ts';
import type { PortDevice } from './device.ts';

const CASCADE = 2;
/** What INTA gives when the request has gone away. */
const SPURIOUS = 7;

export class Pic implements PortDevice {
  readonly name: string;
  readonly firstPort: number;
  readonly portCount = 2;
  readonly width = 1;
  mask = 0xff;
  request = 0;
  inService = 0;
  /** Lines by level, to find edges. */
  lines = 0;
  vectorBase = 0;
  /** The next initialisation word, 0: none; 1: word 2 of a controller that is alone and gets no word 3. */
  expects = 0;
  needsWord4 = false;
  readsInService = false;
  autoEnd = false;

  readonly #changed: () => void;

  constructor(isMaster: boolean, changed: () => void) {
    this.name = isMaster ? 'pic-master' : 'pic-slave';
    this.firstPort = isMaster ? PIC_MASTER_PORT : PIC_SLAVE_PORT;
    this.#changed = changed;
  }

  /** Edge-triggered: a rising line makes a request. */
  setLine(irq: number, level: boolean): void {
    const bit = 1 << irq;
    if (level && (this.lines & bit) === 0) this.request |= bit;
    if (!level) this.request &= ~bit;
    this.lines = level ? this.lines | bit : this.lines & ~bit;
    this.#changed();
  }

  /** The line that would interrupt now, −1: none. Line 0 comes first; a line waits while it or a higher one is in service. */
  pendingLine(): number {
    const open = this.request & ~this.mask;
    for (let irq = 0; irq < 8; irq++) {
      const bit = 1 << irq;
      if ((this.inService & bit) !== 0) return -1;
      if ((open & bit) !== 0) return irq;
    }
    return -1;
  }

  /** Takes the pending line into service; gives it. */
  acknowledge(): number {
    const irq = this.pendingLine();
    if (irq < 0) return SPURIOUS;
    this.request &= ~(1 << irq);
    if (!this.autoEnd) this.inService |= 1 << irq;
    this.#changed();
    return irq;
  }

  readPort(offset: number): number {
    if (offset === 1) return this.mask;
    return this.readsInService ? this.inService : this.request;
  }

  writePort(offset: number, _size: number, word: number): void {
    const value = word & 0xff;
    if (offset === 0 && (value & 0x10) !== 0) {
      // ICW1
      this.mask = 0;
      this.request = 0;
      this.inService = 0;
      this.autoEnd = false;
      this.readsInService = false;
      this.needsWord4 = (value & 1) !== 0;
      this.expects = (value & 2) !== 0 ? 1 : 2;
    } else if (offset === 0 && (value & 0x08) !== 0) {
      // OCW3
      if ((value & 2) !== 0) this.readsInService = (value & 1) !== 0;
    } else if (offset === 0) {
      // OCW2: end of interrupt, of the highest or of a named line
      if ((value & 0x60) === 0x60) this.inService &= ~(1 << (value & 7));
      else if ((value & 0x20) !== 0) this.inService &= this.inService - 1;
    } else if (this.expects === 1 || this.expects === 2) {
      this.vectorBase = value & 0xf8;
      this.expects = this.expects === 2 ? 3 : this.needsWord4 ? 4 : 0;
    } else if (this.expects === 3) {
      this.expects = this.needsWord4 ? 4 : 0;
    } else if (this.expects === 4) {
      this.autoEnd = (value & 2) !== 0;
      this.expects = 0;
    } else {
      this.mask = value;
    }
    this.#changed();
  }
}

export const PIC_FIELDS = fieldsOf<Pic>('pic', {
  mask: 'u8',
  request: 'u8',
  inService: 'u8',
  lines: 'u8',
  vectorBase: 'u8',
  expects: 'u8',
  needsWord4: 'flag',
  readsInService: 'flag',
  autoEnd: 'flag',
});

/** Both controllers, wired. `changed` is told when what they ask for may have changed. */
export class PicPair {
  readonly master: Pic;
  readonly slave: Pic;

  constructor(changed: () => void) {
    this.master = new Pic(true, changed);
    this.slave = new Pic(false, () => this.master.setLine(CASCADE, this.slave.pendingLine() >= 0));
  }

  setLine(irq: number, level: boolean): void {
    if (irq < 8) this.master.setLine(irq, level);
    else this.slave.setLine(irq - 8, level);
  }

  get isPending(): boolean {
    return this.master.pendingLine() >= 0;
  }

  /** INTA: the vector. */
  acknowledge(): number {
    const line = this.master.acknowledge();
    if (line !== CASCADE) return this.master.vectorBase + line;
    // The slave's output drops while it is acknowledged: what it has next is a new edge.
    this.master.setLine(CASCADE, false);
    return this.slave.vectorBase + this.slave.acknowledge();
  }
}
