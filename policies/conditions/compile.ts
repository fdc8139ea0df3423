import type { AtomDocument, ConditionDocument } from '../../contracts/conditions.ts';
import type { FaultList } from '../faults.ts';
import { satisfy } from './analyse.ts';
import { compileAtom } from './atoms.ts';
import { ALWAYS, allOf, atomsOf, type Node } from './node.ts';

/** How deep conditions may lie in each other. */
const DEEPEST = 8;

/**
 * Compiles a condition and proves of it and of each part that it can hold and that it can fail: what always holds
 * says nothing, and what never holds was not meant.
 */
export function compileCondition(
  document: ConditionDocument,
  at: string,
  faults: FaultList,
  depth = 0,
): Node {
  if (depth > DEEPEST) {
    faults.add(at, `lies more than ${DEEPEST} deep`);
    return ALWAYS;
  }
  const before = faults.size;
  const node = compileNode(document, at, faults, depth);
  // The roles that exclude each other belong to the policy, and are looked at with the whole rule.
  if (faults.size === before) judge(node, at, faults);
  return node;
}

function compileNode(document: ConditionDocument, at: string, faults: FaultList, depth: number): Node {
  if ('all' in document || 'any' in document) {
    const op = 'all' in document ? 'all' : 'any';
    const parts = 'all' in document ? document.all : document.any;
    if (parts.length === 0) faults.add(`${at}/${op}`, 'must list at least one condition');
    const nodes = parts.map((part, i) => compileCondition(part, `${at}/${op}/${i}`, faults, depth + 1));
    return { op, nodes };
  }
  if ('not' in document) {
    return { op: 'not', node: compileCondition(document.not, `${at}/not`, faults, depth + 1) };
  }
  const atoms = headersApart(document).map((each) =>
    compileAtom(each, (below, message) => faults.add(`${at}/${below}`, message)),
  );
  return allOf(atoms.map((atom) => ({ op: 'atom', atom })));
}

/** Several headers are several atoms. */
function headersApart(document: AtomDocument): readonly AtomDocument[] {
  if (!('headers' in document)) return [document];
  const entries = Object.entries(document.headers);
  if (entries.length < 2) return [document];
  return entries.map(([name, values]) => ({ headers: { [name]: values } }));
}

function judge(node: Node, at: string, faults: FaultList): void {
  const holds = satisfy(node, []);
  if (holds === 'complex') {
    faults.add(at, 'asks for too many things at once to be checked; split the rule, or list fewer');
    return;
  }
  if (holds === undefined) {
    faults.add(at, `contradicts itself and can never hold${inside(node)}`);
    return;
  }
  const fails = satisfy({ op: 'not', node }, []);
  if (fails === undefined) faults.add(at, `always holds${inside(node)}; leave it out`);
}

function inside(node: Node): string {
  const details = [...new Set(atomsOf(node).map(({ atom }) => atom.detail))];
  return details.length === 0 || details.length > 6 ? '' : ` (${details.join('; ')})`;
}
