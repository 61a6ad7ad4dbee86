/**
 * The compiler's diagnostics: ONE table of what can be wrong in a source, numbered for ever, and how it is shown.
 *
 *     examples/a.ts:3:9: error P1302: a value of type i32 does not go where u8 is wanted
 *       let x: u8 = y + 1;
 *                   ^
 *       help: convert it with u8(…), which traps if it does not fit, or wrapping.u8(…)
 *
 * `{0}`, `{1}` stand for what is at hand. P10xx syntax and subset · P11xx names and modules · P12xx types · P13xx conversions and operators ·
 * P14xx null · P15xx classes and objects · P16xx storage and ownership · P17xx control flow · P18xx intrinsics, assembly, linking.
 */

// biome-ignore format: one diagnostic a line
export const DIAGNOSTICS = {
  P1001: ['syntax: {0}', 'the parser of TypeScript says so; see the line above or below too'],
  P1002: ['{0} is not part of bare TypeScript', '{1}'],
  P1003: ['`{0}` compares with conversion', 'write {0}='],
  P1004: ['`var` is not part of bare TypeScript', 'use `let` or `const`'],
  P1005: ['a declaration needs an initialiser or a type', 'write `let {0}: T;` or give it a value'],
  P1006: ['each name is declared by itself', 'destructuring is not part of bare TypeScript: bind the object, then its fields'],
  P1007: ['malformed attribute @{0}', '{1}'],

  P1008: ['the source is nested too deeply', 'give parts of the expression names of their own'],

  P1101: ['cannot find the name `{0}`', 'declare or import it; docs/bare-typescript.md lists what is there without import'],
  P1102: ['cannot find the module `{0}`', 'a path is relative and ends in `.ts`; libraries: palindrome/program, palindrome/intrinsics'],
  P1103: ['the module `{0}` does not export `{1}`', 'write `export` before its declaration, or mend the name'],
  P1104: ['`palindrome/intrinsics` may be imported in trusted folders only', 'use what the trusted modules export; the options of the compilation name the trusted folders'],
  P1105: ['`{0}` is declared twice', 'rename one of them'],
  P1106: ['`{0}` is used before its initialiser has run', 'initialisers run in the order of the modules; move it up, or into the module that is imported first'],
  P1107: ['the function `{0}` has no body', 'functions of assembly are declared with /** @extern name */ declare function'],
  P1108: ['the linker symbol `{0}` is given twice', 'each @export and @extern name is used once'],
  P1109: ['`{0}` is a {1}, not a value', 'use it where a type stands'],
  P1110: ['`{0}` is not a type', 'use `typeof {0}` for the type of a value'],

  P1201: ['`{0}` is no type of bare TypeScript', '{1}'],
  P1202: ['the union `{0}` has no representation', 'unions are `T | null`, string literals, or numbers'],
  P1203: ['`{0}` takes {1} type arguments, not {2}', 'write as many as the declaration has'],
  P1204: ['cannot infer the type argument `{0}`', 'write it: `f<T>(…)`'],
  P1205: ['the type `{0}` does not satisfy `{1}`: {2}', 'give it the member, or use another type'],
  P1206: ['a parameter needs a type', 'write `name: T`'],
  P1207: ['the type of `{0}` depends on itself', 'annotate it'],
  P1208: ['a {0} contains itself', 'hold a reference: a field that is not `readonly … = new …`, of type `T | null`'],
  P1209: ['`{0}` has methods, so it is a bound and not storage', 'use it as `<T extends {0}>`, or as the type of a parameter'],

  P1210: ['the type arguments of `{0}` grow without end', 'a generic function may not call itself with ever larger types'],

  P1301: ['the constant {0} does not fit {1}', '{1} holds {2}'],
  P1302: ['a value of type {0} does not go where {1} is wanted', '{2}'],
  P1303: ['`{0}` is not for {1} and {2}', '{3}'],
  P1304: ['`{0}` is not for {1}', '{2}'],
  P1305: ['a condition is a boolean, not {0}', 'compare: `x !== 0`, `x !== null`, `s.length > 0`'],
  P1306: ['this constant expression traps: {0}', 'the values are known here; mend them or use wrapping.T(…)'],
  P1307: ['`{0}` takes {1} arguments, not {2}', 'mend the call'],
  P1308: ['{0} needs a constant here', 'use a literal, a `const` of one, or arithmetic on them'],
  P1309: ['{0} cannot be assigned to', '{1}'],
  P1310: ['`{0}` cannot be called', 'only functions and methods can'],
  P1311: ['`as {0}` changes the value of a {1}', 'convert with {0}(…); `as` is for brands'],
  P1312: ['only the module that declares the brand `{0}` may make its values', 'call a function of that module that checks the value'],
  P1313: ['the result of this {0} is not used', 'use it, or leave it out'],

  P1401: ['this may be null', 'test it first: `if (x === null) return …`'],
  P1402: ['`!` is not checked, so it is not part of bare TypeScript', 'test for null and return or assert'],
  P1403: ['{0} is never null', 'leave out the test'],

  P1501: ['{0} has no member `{1}`', 'its members: {2}'],
  P1502: ['`{0}` is private to {1}', 'use what the class offers'],
  P1503: ['classes do not inherit', 'use a field, or an interface as the bound of a type parameter'],
  P1504: ['the constructor of {0} is private', 'only its own static methods make one'],
  P1505: ['`this` stands for an object in methods only', 'name the class for its static members'],
  P1506: ['the function captures `{0}`', 'functions that are values capture nothing: pass it as a parameter'],
  P1507: ['a field of {0} is missing in the literal: `{1}`', 'give every field of the interface'],
  P1508: ['an object literal needs a type here', 'annotate the variable with an interface'],
  P1509: ['`{0}` needs `readonly` to hold its object in place', 'write `readonly {0} = new …`, or declare a reference of type `T | null`'],

  P1510: ['`{0}` of {1} has no value: it is not of a type that may be null', 'give it an initialiser, assign it in the constructor, or add `| null`'],

  P1601: ['an object of this frame may not be {0}', 'it ends with the function: make it at module level, or have the caller pass one'],
  P1602: ['passing an object of this frame to `{0}`, which keeps parameter `{1}`', 'make the object at module level'],
  P1603: ['the owned value of {0} must be bound', 'write `using x = …;` or `const x = …;` or return it'],
  P1604: ['a function cannot return a reference to the owned class {0}', 'return what was made here: new {0}(…), a call that gives one, or a const that holds one'],
  P1605: ['`using` is for values of owned classes, not {0}', 'give the class a method [Symbol.dispose](): void'],
  P1606: ['`{0}` is disposed when this function returns', 'bind it with `const` to return it'],
  P1607: ['storage in a function needs a constant size', 'use a constant, or storage at module level'],
  P1608: ['frame storage of {0} bytes is too large', 'make it at module level (the limit is {1})'],

  P1701: ['the end of `{0}` can be reached without a return', 'return a value on every path'],
  P1702: ['`{0}` stands outside of a loop or switch', 'use return'],
  P1703: ['there is no label `{0}`', 'mend the name'],
  P1704: ['the case {0} stands twice', 'remove one'],
  P1705: ['`{0}` is read before it is assigned', 'give it a value where it is declared'],
  P1706: ['a function that returns {0} must return a value', 'write `return …;`'],
  P1707: ['a function that returns nothing cannot return a value', 'give it a result type'],

  P1801: ['the intrinsic `{0}` is called, not used as a value', 'wrap it in a function'],
  P1802: ['assembly: {0}', 'Intel syntax; the registers and labels as in the manual'],
  P1803: ['`{0}` is no 64-bit general register', 'rax rbx rcx rdx rsi rdi r8 … r15'],
  P1804: ['linking: {0}', 'declare the symbol in assembly with .global, or mend the name'],
  P1806: ['@{0} may be used in trusted folders only', 'what assembly defines and where things are linked is not checked: use what the trusted modules export'],
} as const satisfies Record<string, readonly [message: string, help: string]>;

export type Code = keyof typeof DIAGNOSTICS;

export interface Diagnostic {
  readonly code: Code;
  readonly file: string;
  /** Both from 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly help: string;
  /** The guilty line, and how many of its columns the caret underlines. */
  readonly source: string;
  readonly width: number;
}

function fill(template: string, values: readonly string[]): string {
  return template.replace(/\{(\d)\}/g, (_, index) => values[Number(index)] ?? '?');
}

/** A diagnostic from the table; `at` counts from 1. */
export function diagnostic(
  code: Code,
  at: { file: string; line: number; column: number; source: string; width: number },
  values: readonly string[],
): Diagnostic {
  const [message, help] = DIAGNOSTICS[code];
  return { code, ...at, message: fill(message, values), help: fill(help, values) };
}

/** As a person reads it: place, message, source line, caret, help. */
export function formatDiagnostic(d: Diagnostic): string {
  const carets = '^'.repeat(Math.max(1, Math.min(d.width, d.source.length - d.column + 1)));
  const indent = d.source.slice(0, d.column - 1).replace(/[^\t]/g, ' ');
  return `${d.file}:${d.line}:${d.column}: error ${d.code}: ${d.message}\n  ${d.source}\n  ${indent}${carets}\n  help: ${d.help}\n`;
}
