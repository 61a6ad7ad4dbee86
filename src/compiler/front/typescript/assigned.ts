/** Which names a piece of source assigns to. */

import ts from 'typescript';
import type { SourceModule } from './modules.ts';

const K = ts.SyntaxKind;

/** Names that are assigned to in a piece of source: what a loop may change; members as `.name`. */
export function assignedNames(module: SourceModule, node: ts.Node): ReadonlySet<string> {
  const { assigned } = module.parsed;
  const known = assigned.get(node);
  if (known !== undefined) return known;
  const into = new Set<string>();
  assigned.set(node, into);
  const visit = (n: ts.Node): void => {
    if (ts.isBinaryExpression(n) && n.operatorToken.kind >= K.FirstAssignment && n.operatorToken.kind <= K.LastAssignment) note(n.left);
    else if (ts.isPrefixUnaryExpression(n) || ts.isPostfixUnaryExpression(n)) {
      if (n.operator === K.PlusPlusToken || n.operator === K.MinusMinusToken) note(n.operand);
    }
    ts.forEachChild(n, visit);
  };
  const note = (target: ts.Expression): void => {
    const inner = ts.isParenthesizedExpression(target) ? target.expression : target;
    if (ts.isIdentifier(inner)) into.add(inner.text);
    else if (ts.isPropertyAccessExpression(inner)) into.add(`.${inner.name.text}`);
  };
  visit(node);
  return into;
}
