/**
 * Looking for what is not zero in RAM. Page tables are nearly empty, and those who judge them read thousands a second: a loop in WebAssembly passes over
 * four entries at a time, which costs a tenth of reading them one by one.
 */
import { ModuleBuilder, OP } from '../translator/wasm.ts';

/** Bytes that are passed over at a time. */
const STRIDE = 32;

/**
 * The address in the memory of the first 8 bytes from `from` on that are not all zero; `to` where there are none before. All three are multiples of 8;
 * addresses above 2^31 come out negative.
 */
export type NextUsed = (from: number, to: number) => number;

export function nextUsedIn(memory: WebAssembly.Memory): NextUsed {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(scanCode()), { env: { memory } });
  return instance.exports['next'] as NextUsed;
}

function scanCode(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  const f = module.func(module.type(['i32', 'i32'], ['i32']));
  const [at, to] = [0, 1];
  const isAtMostTo = (bytes: number) => {
    f.get(at);
    f.i32(bytes);
    f.op(OP.i32.add);
    f.get(to);
    f.op(OP.i32.le_u);
  };
  const advance = (bytes: number) => {
    f.get(at);
    f.i32(bytes);
    f.op(OP.i32.add);
    f.set(at);
  };
  const isAny = (bytes: number) => {
    for (let offset = 0; offset < bytes; offset += 8) {
      f.get(at);
      f.load('i64', offset);
      if (offset > 0) f.op(OP.i64.or);
    }
    f.op(OP.i64.eqz, OP.i32.eqz);
  };
  for (const stride of [STRIDE, 8]) {
    const done = f.block();
    const again = f.loop();
    isAtMostTo(stride);
    f.op(OP.i32.eqz);
    f.brIf(done);
    isAny(stride);
    f.brIf(done);
    advance(stride);
    f.br(again);
    f.end();
    f.end();
  }
  f.get(at);
  module.exportFunction('next', f);
  return module.build();
}
