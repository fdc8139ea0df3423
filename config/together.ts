import { timingSafeEqual } from 'node:crypto';
import type { Fault, PointedFault } from '../contracts/errors.ts';
import type { CheckerSettings, GatewaySettings } from '../contracts/settings.ts';
import { faultsOf } from './origins.ts';
import { nearest } from './suggest.ts';

/**
 * What only a look at both processes' settings shows: each side is sound, but they do not meet. The
 * processes themselves can never do this, since neither may read the other's file.
 */
export function faultsTogether(gateway: GatewaySettings, checker: CheckerSettings): readonly Fault[] {
  const faults: PointedFault[] = [];
  if (gateway.integrity.socket !== checker.socket) {
    faults.push({
      pointer: '/integrity/socket',
      message: `is not the checker's socket, which is ${checker.socket}`,
    });
  }
  const ours = gateway.integrity.secret.reveal();
  const theirs = checker.secret.reveal();
  if (ours.length !== theirs.length || !timingSafeEqual(ours, theirs)) {
    faults.push({
      pointer: '/integrity/secret/file',
      message: "holds another secret than the checker's; they must be the same",
    });
  }
  const known = checker.databases.map((database) => database.id);
  for (const [index, tenant] of gateway.tenants.entries()) {
    if (known.includes(tenant.database)) continue;
    const guess = nearest(tenant.database, known);
    faults.push({
      pointer: `/tenants/${index}/database`,
      message: `is not a database of the checker, which knows ${known.join(', ')}${guess === undefined ? '' : `; did you mean "${guess}"?`}`,
    });
  }
  return faultsOf(gateway, faults);
}
