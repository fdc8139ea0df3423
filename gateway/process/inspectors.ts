import type { Inspector } from '../../contracts/inspection.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { createInjectionInspector, createPayloadInspector } from '../../inspection/index.ts';

/** What makes an inspector, each of which throws where it cannot work: a worker that cannot inspect does not start. */
const FACTORIES: readonly ((settings: GatewaySettings) => Inspector)[] = Object.freeze([
  createPayloadInspector,
  createInjectionInspector,
]);

/** Payloads first, whose types pin what injection need not look at. */
export function createInspectors(settings: GatewaySettings): readonly Inspector[] {
  const made: Inspector[] = [];
  try {
    for (const create of FACTORIES) made.push(create(settings));
    return made;
  } catch (error) {
    for (const inspector of made) inspector.close();
    throw error;
  }
}

/** What inspectors are made from, so that a reload that changes none of it keeps them. */
export function inspectionSettings(settings: GatewaySettings): unknown {
  return [...settings.policies].map(([name, { routes }]) => [name, routes]);
}
