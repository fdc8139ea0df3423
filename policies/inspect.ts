import {
  INJECTION_RULES,
  type InjectionException,
  type RouteInspection,
} from '../contracts/route-inspection.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import type { FaultList } from './faults.ts';

/** As findings name places: where, a colon and a name; or a pointer into the body. */
const PLACE =
  /^(?:(?:query|form|part|file|header|cookie):[A-Za-z0-9_.:\-[\]$]{1,64}|path:\d{1,3}|(?:\/[^/\s]{1,128}){1,32})$/;

/** Every exception is one place and one rule, so that each can be read, and taken back, by itself. */
export function compileInspection(
  route: RouteDocument,
  at: string,
  faults: FaultList,
): RouteInspection | undefined {
  const { inspect } = route;
  if (inspect === undefined) return undefined;
  return Object.freeze({
    injection: compileInjection(inspect.injection, `${at}/inspect/injection`, faults),
    // The same object: what was compiled for it at load is found by it.
    payload: inspect.payload,
  });
}

function compileInjection(
  injection: NonNullable<RouteDocument['inspect']>['injection'],
  at: string,
  faults: FaultList,
): RouteInspection['injection'] {
  if (injection === undefined) return undefined;
  const { mode } = injection;
  if (mode !== undefined && mode !== 'block' && mode !== 'report') {
    faults.add(`${at}/mode`, 'must be "block" or "report"');
  }
  const except = (injection.except ?? []).flatMap(({ place, rule }, index): InjectionException[] => {
    const known = INJECTION_RULES.find((each) => each === rule);
    if (known === undefined) {
      faults.add(`${at}/except/${index}/rule`, 'is not a rule; docs/injection.md lists them');
    }
    judgePlace(place, `${at}/except/${index}/place`, faults);
    return known === undefined ? [] : [Object.freeze({ place, rule: known })];
  });
  const prose = injection.prose ?? [];
  prose.forEach((place, index) => {
    judgePlace(place, `${at}/prose/${index}`, faults);
  });
  return Object.freeze({
    mode: mode === 'report' ? 'report' : 'block',
    except: Object.freeze(except),
    prose: Object.freeze([...prose]),
  });
}

function judgePlace(place: string, at: string, faults: FaultList): void {
  if (PLACE.test(place)) return;
  faults.add(
    at,
    'must name one place, such as query:q, form:note, header:referer, cookie:theme, path:2 or /note/text',
  );
}
