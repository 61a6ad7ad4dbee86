/**
 * A program with a call of `probe(n)` in front of every statement of its functions, twice: as it is compiled, and for Node, where the probe is also
 * given the variables in scope. Lines stay what they are.
 */
import ts from 'typescript';

export interface Instrumented {
  readonly native: string;
  readonly node: string;
}

/** Registers that a call may change: the probe changes them all, so that nobody trusts what is left in them. */
const CALLER_SAVED = ['rax', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11'];
const SPOIL = [
  ...CALLER_SAVED.map((register) => `mov ${register}, 0x5a5a5a5a`),
  ...Array.from({ length: 16 }, (_, n) => `movq xmm${n}, rax`),
].join('\\n');
/** Behind the first line, so that lines stay. gdb stops in `probed`. */
const NATIVE_HEAD = [
  "import { asm } from 'palindrome/intrinsics';",
  'let last: u32 = 0;',
  '/** @noinline */ function probed(n: u32): void { last = n; }',
  `/** @noinline */ function probe(n: u32): void { asm('${SPOIL}'); probed(n); }`,
].join(' ');

export function instrument(text: string): Instrumented {
  const file = ts.createSourceFile('program.ts', text, ts.ScriptTarget.Latest, true);
  const insertions: { at: number; native: string; node: string }[] = [];
  let count = 0;

  const probe = (at: number, names: readonly string[]): void => {
    const n = count++;
    insertions.push({ at, native: `probe(u32(${n})); `, node: `probe(${n}, () => ({ ${names.join(', ')} })); ` });
  };
  const declaredBy = (statement: ts.Statement): string[] =>
    ts.isVariableStatement(statement) ? statement.declarationList.declarations.map((d) => d.name.getText(file)) : [];
  const list = (statements: readonly ts.Statement[], outer: readonly string[]): void => {
    // What the block will declare hides the outer ones, but cannot be read yet.
    const hidden = statements.flatMap(declaredBy);
    const names = outer.filter((name) => !hidden.includes(name));
    for (const statement of statements) {
      probe(statement.getStart(file), names);
      inside(statement, names);
      names.push(...declaredBy(statement));
    }
  };
  const inside = (node: ts.Node, names: readonly string[]): void => {
    if (ts.isBlock(node)) return list(node.statements, names);
    if (ts.isFunctionLike(node)) return;
    if (ts.isCaseOrDefaultClause(node)) return list(node.statements, names);
    const own = [...names];
    if ((ts.isForStatement(node) || ts.isForOfStatement(node)) && node.initializer !== undefined) {
      if (ts.isVariableDeclarationList(node.initializer)) own.push(...node.initializer.declarations.map((d) => d.name.getText(file)));
    }
    ts.forEachChild(node, (child) => {
      const isBody = (ts.isIterationStatement(node, false) || ts.isIfStatement(node)) && ts.isStatement(child) && !ts.isBlock(child);
      if (!isBody) return inside(child, own);
      // A statement without a block around it gets one.
      insertions.push({ at: child.getStart(file), native: '{ ', node: '{ ' });
      list([child], own);
      insertions.push({ at: child.getEnd(), native: ' }', node: ' }' });
    });
  };
  const functions = (node: ts.Node): void => {
    const isMethod = ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node) || ts.isGetAccessor(node) || ts.isSetAccessor(node);
    if ((ts.isFunctionDeclaration(node) || isMethod) && node.body !== undefined) {
      const name = ts.isConstructorDeclaration(node) ? 'new' : (node.name?.getText(file) ?? '');
      insertions.push({ at: node.body.getStart(file) + 1, native: '', node: ` enter('${name}'); try {` });
      list(
        node.body.statements,
        node.parameters.map((q) => q.name.getText(file)),
      );
      insertions.push({ at: node.body.getEnd() - 1, native: '', node: '} finally { leave(); } ' });
      return;
    }
    ts.forEachChild(node, functions);
  };
  functions(file);
  const apply = (of: 'native' | 'node'): string => {
    let done = '';
    let from = 0;
    for (const insertion of insertions.toSorted((a, b) => a.at - b.at)) {
      done += text.slice(from, insertion.at) + insertion[of];
      from = insertion.at;
    }
    return done + text.slice(from);
  };
  const [first = '', ...rest] = apply('native').split('\n');
  return { native: [`${first} ${NATIVE_HEAD}`, ...rest].join('\n'), node: apply('node') };
}
