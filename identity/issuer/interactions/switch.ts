import { signOutSession } from '../sessions.ts';
import type { Step } from './step.ts';

/** Signs the account out that was signed in with this browser until now, as if it had asked for it. */
export async function switchAccount({ parts, provider, interaction }: Step): Promise<void> {
  const uid = interaction.session?.uid;
  const session = uid === undefined ? undefined : await provider.Session.findByUid(uid);
  if (session !== undefined) await signOutSession(parts, provider, session);
  // The interaction goes on without the session that it began in.
  const mutable = interaction as unknown as { session?: unknown; save(seconds: number): Promise<unknown> };
  delete mutable.session;
  await mutable.save(Math.max(1, interaction.exp - Math.floor(parts.clock.wall() / 1000)));
}
