// An issuer as a process of its own, over state that somebody else filled: see hostile.test.ts.
import { issuerWiring } from '../../../../console/issuer.ts';
import { runIssuer } from '../../../../identity/issuer/index.ts';
import { QUICK } from '../../accounts/support/world.ts';
import { secretOf } from '../../factors/support.ts';
import { AUDIENCE, CLIENTS, FHIR } from './clinic.ts';

const told = JSON.parse(process.env.ISSUER ?? '') as Record<
  'socket' | 'issuer' | 'file' | 'secret' | 'key',
  string
>;
const settings = {
  file: told.file,
  issuer: told.issuer,
  socket: told.socket,
  secret: secretOf(Buffer.from(told.secret, 'base64')),
  state: { kind: 'sqlite', file: told.file } as const,
  stateKeys: [secretOf(Buffer.from(told.key, 'base64'))],
  brand: { name: 'Riverside Clinic' },
  accounts: QUICK,
  secondFactor: { required: true, exemptRoles: [] },
  tokens: { accessMs: 300_000, refreshIdleMs: 86_400_000, refreshMs: 30 * 86_400_000, sessionMs: 43_200_000 },
  tenants: [{ id: 'clinic', name: 'Riverside Clinic', audience: AUDIENCE, fhir: FHIR }],
  clients: CLIENTS,
  backChannelAuthority: undefined,
};
await runIssuer(settings, { ...issuerWiring(settings), log: () => {} });
