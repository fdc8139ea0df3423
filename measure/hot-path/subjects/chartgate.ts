import { join } from 'node:path';
import { startMeasuredStack, TENANT, tenantAuthority } from '../../stack.ts';
import { probeHttp1 } from '../probe.ts';
import type { Subject } from '../subject.ts';

const READ_SCOPE = 'system/Patient.rs';
const OTHER_SCOPE = 'system/Observation.rs';

/**
 * Chartgate with everything on: TLS 1.3, token, scope, limits, integrity, activity log. One worker on
 * the proxy's core; its checker and the EMR's database run on the load's core, as the back end does.
 */
export const chartgate: Subject = {
  name: 'chartgate',
  title: 'Chartgate, everything on',
  compiled: true,
  start: async (context) => {
    const stack = await startMeasuredStack({
      directory: join(context.directory, 'stack'),
      backends: { [TENANT]: context.backEnd.origin },
      ...(context.core === undefined ? {} : { gatewayCpu: context.core }),
    });
    const { authority } = stack;
    const http1 = tenantAuthority(stack);
    // Tokens live for minutes, a measurement takes longer.
    const token = () => stack.token({ tenant: TENANT, scopes: [READ_SCOPE] });
    const wrongToken = await stack.token({ tenant: TENANT, scopes: [OTHER_SCOPE] });

    /** A gateway that lets everybody in would be measured doing less than it promises. */
    async function verify(): Promise<string[]> {
      const problems: string[] = [];
      const expected: readonly [string, Record<string, string>, number][] = [
        ['without a token', {}, 401],
        ['without the scope', { authorization: `Bearer ${wrongToken}` }, 403],
      ];
      for (const [what, headers, status] of expected) {
        const answer = await probeHttp1({
          authority: http1,
          path: context.backEnd.path,
          trust: authority,
          headers: { accept: 'application/fhir+json', ...headers },
        });
        if (answer.status !== status) {
          problems.push(`a read ${what} was answered ${answer.status}, not ${status}`);
        }
      }
      return problems;
    }

    return {
      version: 'this checkout',
      http1,
      http2: http1,
      authority,
      token,
      pids: () => stack.gatewayPids(),
      verify,
      stop: () => stack.stop(),
    };
  },
};
