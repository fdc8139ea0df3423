import { timingSafeEqual } from 'node:crypto';
import type { Fault, PointedFault } from '../contracts/errors.ts';
import { issuerKey } from '../contracts/issuer-link.ts';
import type { IssuerProcessSettings } from '../contracts/issuer-settings.ts';
import type { GatewaySettings } from '../contracts/settings.ts';
import { faultsOf } from './origins.ts';

/** What only a look at the gateway's and the embedded issuer's settings together shows, as places in the former. */
export function faultsWithIssuer(gateway: GatewaySettings, issuer: IssuerProcessSettings): readonly Fault[] {
  const at = gateway.issuers.findIndex(
    (each) => each.embedded !== undefined && each.issuer === issuer.issuer,
  );
  const mounted = gateway.issuers[at];
  if (mounted?.embedded === undefined) {
    return faultsOf(gateway, [
      { pointer: '/issuers', message: `has no entry with "embedded" for the issuer ${issuer.issuer}` },
    ]);
  }
  const faults: PointedFault[] = [];
  const { socket, secret } = mounted.embedded;
  if (socket !== issuer.socket) {
    faults.push({
      pointer: `/issuers/${at}/embedded/socket`,
      message: `is not the issuer's socket, which is ${issuer.socket}`,
    });
  }
  // What is sent, not the secret: of one length whatever the secrets are.
  const [ours, theirs] = [secret, issuer.secret].map((each) => Buffer.from(issuerKey(each.reveal())));
  if (ours === undefined || theirs === undefined || !timingSafeEqual(ours, theirs)) {
    faults.push({
      pointer: `/issuers/${at}/embedded/secret/file`,
      message: "holds another secret than the issuer's; they must be the same",
    });
  }
  const known = issuer.tenants.map(({ audience }) => audience);
  for (const [index, tenant] of gateway.tenants.entries()) {
    if (!tenant.issuers.includes(mounted.id) || known.includes(tenant.audience)) continue;
    faults.push({
      pointer: `/tenants/${index}/audience`,
      message: `is not the audience of a tenant of the embedded issuer, which knows ${known.join(', ')}`,
    });
  }
  return faultsOf(gateway, faults);
}
