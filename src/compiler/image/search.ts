/** Index of the last entry whose address is not above `address`; -1 if there is none. Entries ascend. */
export function lastAtOrBefore<T>(entries: readonly T[], address: bigint, addressOf: (entry: T) => bigint): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && addressOf(entry) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
