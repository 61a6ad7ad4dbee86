import { expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { commonForms } from '../../../src/machine/translator/common-forms.ts';
import { FIXED_MODULES, fixedBytes, fixedModule, inlinedKeys } from '../../../src/machine/translator/fixed-modules.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine } from './flat-machine.ts';

test('fixed modules follow from the sources alone: the same bytes each time', () => {
  for (const name of FIXED_MODULES) {
    const bytes = fixedBytes(name);
    expect(WebAssembly.validate(bytes), name).toBe(true);
    expect(fixedBytes(name), name).toEqual(bytes);
  }
  expect(new Set(inlinedKeys()).size).toBe(inlinedKeys().length);
});

test.each([false, true])(
  'functions of common forms that were made before do what those made when they are met do (path recorded: %s)',
  (hasPath) => {
    const maker = new FormLibrary({ hasPath });
    for (const { decoded, segmentation } of commonForms()) maker.find(decoded, segmentation);
    const shared = {
      hasPath,
      hasAddresses: false,
      modules: [fixedModule(hasPath ? 'functions+path' : 'functions')],
      known: maker.share().known,
    };
    const given = new FormLibrary({ hasPath, shared });
    const { bytes } = assembleInline(`
    mov ecx, 60
    again: push rcx
    imul rcx, rcx, 100
    xadd rax, rcx
    pop rcx
    rol rax, 7
    bsr rdx, rax
    cmovs rdx, rax
    sete bl
    movd xmm0, eax
    mov [rsp - 16], rdx
    dec ecx
    jne again
    hlt`);
    const [one, other] = [new FormLibrary({ hasPath }), given].map((library) => {
      const m = new FlatMachine({ library });
      m.ram.set(bytes, 0x1000);
      m.state.rip = 0x1000n;
      m.state.gpr[4] = 0x8000n;
      while (m.interpreter.run(7) === 'budget');
      return { gpr: [...m.state.gpr], rflags: m.state.readRflags(), count: m.state.count, ram: Buffer.from(m.ram).toString('base64') };
    });
    expect(one?.count).toBeGreaterThan(600n);
    expect(other).toEqual(one);
  },
);
