import type { Content } from '../../contracts/content.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { InspectionFinding, Inspector } from '../../contracts/inspection.ts';
import type { Route, RouteMatch } from '../../contracts/policy.ts';

/** An inspector that threw has looked at nothing: its contract is a finding for whatever goes wrong. */
const FAILED: InspectionFinding = Object.freeze({
  status: 'bad-request',
  reason: 'inspection-failed',
  place: '',
  rule: 'inspection-failed',
});

/** The inspectors of a configuration, asked in order; the first finding counts. */
export class Inspection {
  readonly #inspectors: readonly Inspector[];

  constructor(inspectors: readonly Inspector[]) {
    this.#inspectors = inspectors;
  }

  wants(route: Route, mediaType: string | undefined): boolean {
    return this.#inspectors.some((inspector) => inspector.wants(route, mediaType));
  }

  /** @param reported told of what is only reported, after which the request goes on */
  head(
    facts: RequestFacts,
    match: RouteMatch,
    reported: (found: InspectionFinding) => void,
  ): InspectionFinding | undefined {
    for (const inspector of this.#inspectors) {
      try {
        const found = inspector.head(facts, match);
        if (found === undefined) continue;
        if (found.reportOnly !== true) return found;
        reported(found);
      } catch {
        return FAILED;
      }
    }
    return undefined;
  }

  content(
    facts: RequestFacts,
    match: RouteMatch,
    content: Content,
    reported: (found: InspectionFinding) => void,
  ): InspectionFinding | undefined {
    for (const inspector of this.#inspectors) {
      try {
        const found = inspector.content(facts, match, content);
        if (found === undefined) continue;
        if (found.reportOnly !== true) return found;
        reported(found);
      } catch {
        return FAILED;
      }
    }
    return undefined;
  }

  close(): void {
    for (const inspector of this.#inspectors) inspector.close();
  }
}
