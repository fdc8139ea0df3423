import { type FileAccess, realFiles } from './files.ts';
import { CHECKER_SCHEMA } from './shape/checker.ts';
import { GATEWAY_SCHEMA } from './shape/gateway.ts';
import { ISSUER_SCHEMA } from './shape/issuer.ts';
import { POLICY_SCHEMA } from './shape/policy.ts';
import { readSource } from './sources.ts';
import { readYaml } from './yaml-text.ts';

export const FILE_KINDS = ['gateway', 'checker', 'issuer', 'policy'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const SCHEMAS = {
  gateway: GATEWAY_SCHEMA,
  checker: CHECKER_SCHEMA,
  issuer: ISSUER_SCHEMA,
  policy: POLICY_SCHEMA,
} as const;

/** Which kind of settings a file holds, by its top-level keys; undefined when that cannot be told. */
export function kindOf(file: string, files: FileAccess = realFiles): FileKind | undefined {
  const { content } = readSource(file, files);
  const data: unknown = typeof content === 'string' ? undefined : readYaml(content).text?.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const fitting = FILE_KINDS.map((kind) => {
    const known = SCHEMAS[kind].properties ?? {};
    return { kind, count: Object.keys(data).filter((key) => Object.hasOwn(known, key)).length };
  }).toSorted((a, b) => b.count - a.count);
  const [best, second] = fitting;
  return best !== undefined && best.count > (second?.count ?? 0) ? best.kind : undefined;
}
