/** How much memory this process holds while it works, all threads together: a few samples, however long it takes. */

export interface MemorySample {
  readonly seconds: number;
  /** Resident memory, in MiB. */
  readonly mebibytes: number;
}

const MOST_SAMPLES = 64;

export class MemoryLog {
  readonly #start = performance.now();
  readonly #timer = setInterval(() => this.#tick(), 1000).unref();
  #samples: MemorySample[] = [];
  /** Seconds from one sample to the next: they double where there are too many. */
  #apart = 1;

  #tick(): void {
    const seconds = Math.round((performance.now() - this.#start) / 1000);
    if (seconds < (this.#samples.at(-1)?.seconds ?? 0) + this.#apart) return;
    this.#samples.push({ seconds, mebibytes: this.now });
    if (this.#samples.length < MOST_SAMPLES) return;
    this.#samples = this.#samples.filter((_, index) => index % 2 === 1);
    this.#apart *= 2;
  }

  get now(): number {
    return Math.round(process.memoryUsage.rss() / 2 ** 20);
  }

  /** Ends the sampling: what was seen, and the end. */
  stop(): readonly MemorySample[] {
    clearInterval(this.#timer);
    const seconds = Math.round((performance.now() - this.#start) / 1000);
    return [...this.#samples.filter((sample) => sample.seconds < seconds), { seconds, mebibytes: this.now }];
  }
}

/** What was held at each quarter of the time: one line. */
export function describeMemory(samples: readonly MemorySample[]): string {
  const end = samples.at(-1)?.seconds ?? 0;
  const quarters = [1, 2, 3, 4].map((quarter) => samples.find(({ seconds }) => seconds >= (end * quarter) / 4));
  return `memory: ${quarters.flatMap((sample) => (sample ? [`${sample.mebibytes} MiB after ${sample.seconds} s`] : [])).join(', ')}`;
}
