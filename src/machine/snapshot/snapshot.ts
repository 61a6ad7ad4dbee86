/**
 * Snapshots of the whole machine. One holds the state of CPU and devices as bytes (laid out by the declared fields) and a reference to
 * each page of RAM; pages that did not change are shared with the snapshot before. Taking one copies what was dirtied since the last;
 * restoring copies back what was dirtied, and what differs between that last snapshot and this one.
 */

/** Pages by frame number; absent frames are zero. */
export type SnapshotPages = ReadonlyMap<number, Uint8Array>;

export interface Snapshot {
  /** Count of retired instructions at which it was taken. */
  readonly count: bigint;
  /** CPU, TLB, device and run state, canonical. */
  readonly state: Uint8Array;
  /** RAM pages whose bytes differ from those in `base` (null: from all-zero RAM). Cost: what differs. The bytes are shared: do not write. */
  changedPages(base: Snapshot | null): Map<number, Uint8Array>;
}
