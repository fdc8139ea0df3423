import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { factsOf as requestOf } from '../../../cli/policy/made-up.ts';
import type { Content } from '../../../contracts/content.ts';
import type { InspectionFinding } from '../../../contracts/inspection.ts';
import type { RouteMatch } from '../../../contracts/policy.ts';
import type { RouteDocument } from '../../../contracts/settings.ts';
import { readForm } from '../../../gateway/content/form.ts';
import { CONTENT_LIMITS } from '../../../gateway/content/limits.ts';
import { createInjectionInspector } from '../../../inspection/injection/index.ts';
import { compilePolicy } from '../../../policies/index.ts';
import { atLeast, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';

interface UnseenAttack {
  readonly class: string;
  readonly value: string;
}

const ROUTES: readonly RouteDocument[] = [
  { id: 'search', methods: ['GET'], path: '/search', scopes: ['a'] },
  {
    id: 'form',
    methods: ['POST'],
    path: '/form',
    scopes: ['a'],
    mediaTypes: ['application/x-www-form-urlencoded'],
  },
  {
    id: 'prose',
    methods: ['POST'],
    path: '/prose',
    scopes: ['a'],
    mediaTypes: ['application/x-www-form-urlencoded'],
    inspect: { injection: { prose: ['form:note'] } },
  },
  { id: 'json', methods: ['POST'], path: '/json', scopes: ['a'], mediaTypes: ['application/json'] },
  {
    id: 'fhir',
    methods: ['POST'],
    path: '/fhir/{type}',
    smart: { contexts: ['user'], resource: '{type}', permission: 'c' },
    fhir: { version: 'R4', interaction: 'create' },
    mediaTypes: ['application/fhir+json'],
  },
];

/**
 * Attacks and clinical prose that nobody had seen who wrote the rules: written after the rules were done, run as they are,
 * and not used to change a rule. A rate, not a promise. Whoever changes a rule because of one of these moves it to the
 * tests and writes another.
 */
export async function measureUnseen(options: MeasureOptions): Promise<MeasureResult> {
  const read = (name: string) =>
    readFileSync(join(import.meta.dirname, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  const attacks = read('attacks.ndjson').map((line) => JSON.parse(line) as UnseenAttack);
  const lines = read('clinical.txt');
  const screen = await openScreen();
  options.progress(`${attacks.length} attacks, ${lines.length} lines`);
  try {
    const classes = [...new Set(attacks.map((each) => each.class))];
    const found = (value: string) => ({
      query: screen.query(value),
      form: screen.form('form', value),
      json: screen.json(value),
    });
    const rows = classes.map((name) => {
      const mine = attacks
        .filter((each) => each.class === name)
        .map(({ value }) => ({ value, ...found(value) }));
      return { name, mine };
    });
    const all = rows.flatMap(({ mine }) => mine);
    const share = (held: number, of: number) => Math.round((1000 * held) / of) / 10;
    const count = (list: typeof all, place: 'query' | 'form' | 'json') =>
      list.filter((each) => each[place] !== undefined).length;
    const refused = {
      fhir: lines.filter((line) => screen.fhir(line) !== undefined),
      prose: lines.filter((line) => screen.form('prose', line) !== undefined),
      form: lines.filter((line) => screen.form('form', line) !== undefined),
    };
    const attackShare = share(count(all, 'query'), all.length);
    return part({
      tables: [
        table(
          'Attacks that were unseen, refused in a free parameter',
          ['class', 'attacks', 'query', 'form', 'JSON'],
          [
            ...rows.map(({ name, mine }) => [
              name,
              String(mine.length),
              String(count(mine, 'query')),
              String(count(mine, 'form')),
              String(count(mine, 'json')),
            ]),
            [
              'all',
              String(all.length),
              ...(['query', 'form', 'json'] as const).map(
                (place) => `${share(count(all, place), all.length)} %`,
              ),
            ],
          ],
        ),
        table(
          'Clinical lines that were unseen, refused',
          ['where', 'lines', 'refused', 'share'],
          (
            [
              ['text of a FHIR resource', refused.fhir],
              ['field of a form that the route calls prose', refused.prose],
              ['any field of a form', refused.form],
            ] as const
          ).map(([where, list]) => [
            where,
            String(lines.length),
            String(list.length),
            `${share(list.length, lines.length)} %`,
          ]),
          1,
          ['In a free field of a form nothing is promised of prose.'],
        ),
      ],
      floors: [atLeast('unseen: attacks', attacks.length, 100), atLeast('unseen: lines', lines.length, 200)],
      notes: [
        ...all
          .filter((each) => each.query === undefined)
          .map(({ value }) => `let through: ${JSON.stringify(value)}`),
        ...refused.fhir.map((line) => `refused: ${JSON.stringify(line)} (${screen.fhir(line)?.rule})`),
      ],
      figures: {
        unseen: {
          attacks: attacks.length,
          refusedPercent: attackShare,
          lines: lines.length,
          linesRefused: refused.fhir.length,
          linesRefusedAsProse: refused.prose.length,
          linesRefusedInForms: refused.form.length,
        },
      },
    });
  } finally {
    screen.close();
  }
}

/** The inspector as a gateway has it, on routes of a policy. */
async function openScreen() {
  const compiled = compilePolicy('unseen', { file: '', routes: ROUTES }, { hideDeadlineMs: 100 });
  if (!compiled.ok) throw new Error(compiled.faults.map(({ message }) => message).join('; '));
  const { policy } = compiled;
  const inspector = createInjectionInspector();
  const ask = (line: string, content?: Content): InspectionFinding | undefined => {
    const facts = requestOf({ line });
    const match = policy.match(facts);
    if (match === undefined) throw new Error(`no route for ${line}`);
    return content === undefined ? inspector.head(facts, match) : judged(content, match);
    function judged(body: Content, route: RouteMatch): InspectionFinding | undefined {
      return inspector.content(facts, route, body);
    }
  };
  const REFUSED = {
    status: 'bad-request',
    reason: 'content-malformed',
    place: '',
    rule: 'canonical',
  } as const;
  return {
    query(value: string): InspectionFinding | undefined {
      try {
        return ask(`GET /search?q=${encodeURIComponent(value)}`);
      } catch {
        // Refused before anybody looks for injections, as controls are.
        return REFUSED;
      }
    },
    form(route: 'form' | 'prose', value: string): InspectionFinding | undefined {
      const bytes = Buffer.from(new URLSearchParams({ note: value }).toString());
      const read = readForm(bytes, CONTENT_LIMITS);
      if (!read.ok) return REFUSED;
      const mediaType = 'application/x-www-form-urlencoded';
      return ask(`POST /${route}`, { kind: 'form', mediaType, bytes, fields: read.fields });
    },
    json(value: string): InspectionFinding | undefined {
      return ask('POST /json', jsonOf('application/json', { note: value }));
    },
    fhir(value: string): InspectionFinding | undefined {
      const resource = {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'note' },
        valueString: value,
      };
      return ask('POST /fhir/Observation', jsonOf('application/fhir+json', resource));
    },
    close: () => inspector.close(),
  };
}

function jsonOf(mediaType: string, value: Extract<Content, { kind: 'json' }>['value']): Content {
  return { kind: 'json', mediaType, value, bytes: Buffer.from(JSON.stringify(value)) };
}
