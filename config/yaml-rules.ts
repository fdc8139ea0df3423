import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';

/** Levels of nesting; no settings file needs more than six. */
const DEEPEST = 24;

export interface RemarkStep {
  readonly step: string;
  readonly inList: boolean;
}

/** Something YAML allows and a configuration does not. */
export interface Remark {
  /** In UTF-16 units from the text's start. */
  readonly offset: number;
  readonly steps: readonly RemarkStep[];
  readonly message: string;
}

/**
 * What remains of YAML when everything that surprises people is taken away: no anchors, aliases (and
 * thus no expansion bombs), tags, directives, merge keys, duplicate keys, or numbers that are not
 * plain decimal integers (`0777`, `1e3`, `.inf`, `0x1F`).
 */
export function examine(document: Document.Parsed): {
  readonly remarks: readonly Remark[];
  /** False when the document is nested too deeply or refers to itself, so that it must not be walked again. */
  readonly structureIsSound: boolean;
} {
  const remarks: Remark[] = [];
  const directives = document.directives;
  if (
    document.warnings.some((warning) => warning.code === 'BAD_DIRECTIVE') ||
    directives.yaml.explicit ||
    Object.keys(directives.tags).some((handle) => handle !== '!!')
  ) {
    remarks.push({ offset: 0, steps: [], message: 'directives (%YAML, %TAG) are not allowed' });
  }
  const structureIsSound = visit(document.contents, [], remarks);
  return { remarks, structureIsSound };
}

function visit(node: unknown, steps: readonly RemarkStep[], remarks: Remark[]): boolean {
  let sound = true;
  const start = (node as Node | null)?.range?.[0] ?? 0;
  const remark = (message: string) => remarks.push({ offset: start, steps, message });
  if (steps.length > DEEPEST) {
    remark('nested too deeply');
    return false;
  }
  if (isAlias(node)) {
    remark('aliases (*name) are not allowed; write the value out, or quote a text that begins with *');
    return false;
  }
  properties(node, remark);
  if (isMap(node)) {
    const seen = new Set<string>();
    for (const pair of node.items) {
      const key = pair.key as Node | null;
      const step = isScalar(key) ? String(key.value) : '';
      const there = [...steps, { step, inList: false }];
      const keyRemark = (message: string) =>
        remarks.push({ offset: key?.range?.[0] ?? start, steps: there, message });
      properties(key, keyRemark);
      if (!isScalar(key) || step === '') keyRemark('a key must be a plain, non-empty text');
      if (seen.has(step)) keyRemark('this key is written twice in the same mapping');
      seen.add(step);
      sound = visit(pair.value, there, remarks) && sound;
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      sound = visit(item, [...steps, { step: String(index), inList: true }], remarks) && sound;
    }
  } else if (isScalar(node)) {
    scalar(node, remark);
  }
  return sound;
}

function properties(node: unknown, remark: (message: string) => void): void {
  if (node === null || isAlias(node)) return;
  const { anchor, tag } = node as { anchor?: string; tag?: string };
  if (anchor !== undefined) remark('anchors (&name) are not allowed; quote a text that begins with &');
  if (tag !== undefined) remark('tags (!name) are not allowed; quote a text that begins with !');
}

function scalar(node: Scalar, remark: (message: string) => void): void {
  if (typeof node.value === 'number' && !/^(0|-?[1-9][0-9]{0,14})$/.test(node.source ?? '')) {
    remark('a number must be a plain decimal integer such as 8443; put it in quotes if it is a text');
  }
  if (typeof node.value === 'string' && /\p{Cc}/u.test(node.value)) {
    remark('the text holds a line break or control character; for a long text use ">-"');
  }
}
