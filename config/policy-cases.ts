import { dirname, resolve } from 'node:path';
import type { PolicyCase, PolicyCasesDocument } from '../contracts/policy-cases.ts';
import { refuseRepeats } from './unique.ts';
import type { View } from './view.ts';

/** The table as written. */
export function policyCasesOf(root: View, file: string): PolicyCasesDocument {
  const { items } = root.at('cases');
  refuseRepeats(
    items.map((item) => item.at('name')),
    (line) => `is the name of another case already (line ${line})`,
  );
  return {
    file,
    policy: resolve(dirname(file), root.at('policy').text ?? ''),
    cases: items.map(caseOf),
  };
}

function caseOf(view: View): PolicyCase {
  const at = view.at('at');
  if (at.text !== undefined && (Number.isNaN(Date.parse(at.text)) || !/(?:Z|[+-]\d\d:\d\d)$/.test(at.text)))
    at.fault('must be a moment with its zone, such as 2027-01-31T08:30:00Z');
  const [from, route] = [view.at('from').text, view.at('route').text];
  const [certificate, upgrade] = [view.at('certificate').flag, view.at('upgrade').flag];
  const headers = view.at('headers');
  return {
    name: view.at('name').text ?? '',
    as: view.at('as').text ?? '',
    request: view.at('request').text ?? '',
    expect: (view.at('expect').text ?? '') as PolicyCase['expect'],
    ...(at.text === undefined ? {} : { at: at.text }),
    ...(from === undefined ? {} : { from }),
    ...(route === undefined ? {} : { route }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(upgrade === undefined ? {} : { upgrade }),
    ...(headers.exists
      ? { headers: Object.fromEntries(headers.entries.map(([name, value]) => [name, value.text ?? ''])) }
      : {}),
    ...(view.at('reasons').exists
      ? { reasons: view.at('reasons').texts as PolicyCase['reasons'] & object }
      : {}),
  };
}
