import { isPlain, type Plain, Refusal, type Resource } from './resource.ts';

/** Applies a JSON Patch (RFC 6902) to a copy. */
export function patched(resource: Resource, patch: unknown): Resource {
  if (!Array.isArray(patch)) throw new Refusal(400, 'a JSON Patch is an array');
  const copy = structuredClone(resource) as unknown;
  for (const operation of patch) {
    if (!isPlain(operation) || typeof operation.path !== 'string')
      throw new Refusal(400, 'no operation of JSON Patch');
    const { op, path, value, from } = operation;
    switch (op) {
      case 'add':
      case 'replace':
        put(copy, path, value, op === 'add');
        break;
      case 'remove':
        take(copy, path);
        break;
      case 'copy':
        put(copy, path, structuredClone(get(copy, String(from))), true);
        break;
      case 'move':
        put(copy, path, take(copy, String(from)), true);
        break;
      case 'test':
        if (JSON.stringify(get(copy, path)) !== JSON.stringify(value))
          throw new Refusal(422, 'a test of the patch failed');
        break;
      default:
        throw new Refusal(400, 'no operation of JSON Patch');
    }
  }
  return copy as Resource;
}

function steps(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function get(from: unknown, path: string): unknown {
  return steps(path).reduce<unknown>(
    (value, step) => (Array.isArray(value) ? value[Number(step)] : isPlain(value) ? value[step] : undefined),
    from,
  );
}

function parentOf(from: unknown, path: string): { parent: unknown[] | Plain; last: string } {
  const all = steps(path);
  const last = all.pop() ?? '';
  const parent = get(
    from,
    all.length === 0
      ? ''
      : `/${all.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
  );
  if (!Array.isArray(parent) && !isPlain(parent)) throw new Refusal(422, 'the patch names what is not there');
  return { parent, last };
}

function put(from: unknown, path: string, value: unknown, insert: boolean): void {
  const { parent, last } = parentOf(from, path);
  if (!Array.isArray(parent)) parent[last] = value;
  else if (last === '-') parent.push(value);
  else parent.splice(Number(last), insert ? 0 : 1, value);
}

function take(from: unknown, path: string): unknown {
  const { parent, last } = parentOf(from, path);
  if (Array.isArray(parent)) return parent.splice(Number(last), 1)[0];
  const value = parent[last];
  delete parent[last];
  return value;
}
