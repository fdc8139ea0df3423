/** One's own account at the embedded issuer. */
export const account = {
  heading: 'Your account',
  as: (name: string, login: string) => `${name} (${login})`,
  signIn: 'How you sign in',
  password: 'Change password',
  factors: 'Second steps and passkeys',
  sessions: 'Where you are signed in',
  sessionsHint: 'If you do not recognise one, end it and change your password.',
  session: (moment: string) => `Since ${moment}`,
  used: (services: string) => `Used for ${services}.`,
  usedForNothing: 'Used for no service yet.',
  strengths: {
    password: 'With a password alone.',
    'second-step': 'With a second step.',
    passkey: 'With a passkey.',
  },
  current: 'This browser',
  end: 'End',
  endAbout: (moment: string) => `the session since ${moment}`,
  endOthers: 'End all others',
  ended: (count: number) =>
    count === 0
      ? 'No other session was found.'
      : count === 1
        ? 'One session was ended.'
        : `${count} sessions were ended.`,
  apps: 'Apps with your permission',
  noApps: 'No app has your permission.',
  since: (moment: string) => `Allowed ${moment}`,
  take: 'Take back',
  takeAbout: (app: string) => `the permission of ${app}`,
  taken: (count: number) =>
    count === 0 ? 'That app has no permission any more.' : 'The permission was taken back; it ended at once.',
  signOut: 'Sign out here',
};
