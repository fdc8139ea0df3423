import { account } from './en-account.ts';
import { incidents } from './en-incidents.ts';
import { scopes } from './en-scopes.ts';
import { minutes, secondStep } from './en-second-step.ts';
import { emergency, sharing } from './en-sharing.ts';

/** Bytes for people. */
const size = (bytes: number): string =>
  bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;

/** What people read, in plain words. Functions take values that the page escapes; they never make mark-up. */
export const en = {
  frame: {
    failedPrefix: 'Error: ',
    problem: 'Error:',
    problemsTitle: 'Please check this',
    help: 'Need help?',
    reference: 'Reference',
    cancel: 'Cancel',
    back: 'Go back',
    stale: 'This page was open for too long, so nothing was done. Please try again.',
    busy: 'We are very busy at the moment. Please try again in a few seconds.',
  },
  signIn: {
    heading: 'Sign in',
    service: (name: string) => `To continue to ${name}`,
    login: 'Username',
    password: 'Password',
    submit: 'Sign in',
    passkey: 'Sign in with a passkey',
    or: 'or',
    recovery: 'I cannot sign in',
    problems: {
      wrong: 'The username or the password is not right. After several wrong tries you have to wait a while.',
      'login-missing': 'Enter your username',
      'password-missing': 'Enter your password',
    },
  },
  passkey: {
    failed: 'That did not work, or it was cancelled. You can try again or choose another way.',
    unsupported: 'This browser cannot use passkeys, or scripts are switched off. Please choose another way.',
  },
  chooseProvider: {
    heading: 'How do you want to sign in?',
    intro: 'Choose the organisation that you have your account with.',
    with: (name: string) => `Sign in with ${name}`,
  },
  password: {
    headings: {
      change: 'Change your password',
      temporary: 'Choose your own password',
      expired: 'Your password has expired',
      reset: 'Choose a new password',
    },
    intros: {
      change: undefined,
      temporary: 'You signed in with a temporary password. Choose one that only you know.',
      expired: 'Choose a new one to go on.',
      reset: 'Your request was approved. Choose a new password for your account.',
    },
    present: 'Present password',
    temporary: 'Temporary password',
    fresh: 'New password',
    again: 'New password, once more',
    minimum: (count: number) =>
      `At least ${count} characters. A few words that do not belong together are easy to remember and hard to guess. Spaces are fine.`,
    classes: (count: number) =>
      `At least ${count} characters, with a small letter, a capital letter, a digit and another sign.`,
    history: (count: number) => `Not one of your last ${count} passwords.`,
    submit: 'Save password',
    problems: {
      'present-missing': 'Enter your present password',
      'present-wrong': 'The present password is not right',
      missing: 'Enter a new password',
      mismatch: 'The two new passwords are not the same',
      'too-short': (count: number) => `The new password needs at least ${count} characters`,
      malformed: 'The new password is too long, or has signs in it that cannot be typed',
      'too-guessable':
        'The new password would be easy to guess. Make it longer, or use words that do not belong together',
      common: 'The new password is on lists of passwords that many people use. Choose another one',
      'contains-name':
        'The new password contains your name or the name of your organisation. Choose another one',
      'needs-four-classes':
        'The new password needs a small letter, a capital letter, a digit and another sign',
      'used-before': 'You have used this password before. Choose another one',
    },
  },
  ...secondStep,
  account,
  sharing,
  emergency,
  incidents,
  sessions: {
    heading: 'Where you are signed in',
    intro: 'If you do not recognise one, end it and change your password.',
    current: 'This device',
    unknown: 'Unknown browser',
    started: 'Signed in',
    lastSeen: 'Last used',
    method: 'How',
    end: 'End',
    endAbout: (browser: string, started: string) => `the session in ${browser} since ${started}`,
    endOthers: 'End all others',
    ended: (count: number) => (count === 1 ? 'One session was ended.' : `${count} sessions were ended.`),
    onlyOne: 'You are signed in nowhere else.',
    signOut: 'Sign out here',
    factors: 'Second steps and passkeys',
  },
  factors: {
    heading: 'Second steps',
    totp: 'Authenticator app',
    totpSet: 'Set up',
    totpUnset: 'Not set up',
    addTotp: 'Set up an app',
    otherTotp: 'Use another app instead',
    passkeys: 'Passkeys',
    noPasskeys: 'None yet.',
    added: (moment: string) => `Added ${moment}`,
    used: (moment: string) => `last used ${moment}`,
    remove: 'Remove',
    addPasskey: 'Add a passkey',
    codes: 'Recovery codes',
    left: (count: number) => (count === 1 ? 'One is left.' : `${count === 0 ? 'None' : count} are left.`),
    newCodes: 'Make new ones',
    newCodesAbout: 'recovery codes; the old ones end',
    problems: { last: 'This is your only second step; set up another one first' },
  },
  signOut: {
    heading: 'Sign out?',
    intro: 'Anything that you have not saved will be lost.',
    submit: 'Sign out',
    everywhere: 'Sign out on all devices',
    stay: 'Stay signed in',
  },
  signedOut: {
    heading: 'You are signed out',
    asked: 'If others use this device, close the browser too.',
    provider: 'Your organisation ended your session.',
    signIn: 'Sign in again',
  },
  consent: {
    heading: (client: string) => `Allow ${client}?`,
    intro: (client: string) => `${client} asks for access to the following.`,
    site: 'Its website:',
    account: (name: string) => `You are signed in as ${name}.`,
    record: 'Record of',
    choose: 'Untick what you do not want to allow.',
    shares: 'What an app has read it can keep, even if the permission is taken back later.',
    allow: 'Allow',
    deny: 'Do not allow',
    problems: { 'none-chosen': 'Tick at least one, or choose “Do not allow”' },
  },
  scopes,
  choosePatient: {
    heading: 'Whose record?',
    intro: (client: string) => `${client} works with one record at a time. Choose one.`,
    plain: 'Choose one record.',
    typed: 'Patient number',
    legend: 'Records',
    submit: 'Continue',
    problems: { missing: 'Choose a record', unknown: 'There is no such record, or you may not open it' },
  },
  expired: {
    heading: 'Your session has ended',
    reasons: {
      idle: 'You were not active for a while, so we signed you out to protect the records.',
      absolute: 'For safety a session lasts only so long. Please sign in again.',
      ended: 'Your session was ended. Please sign in again.',
    },
    kept: (bytes: number) =>
      `What you were about to send (${size(bytes)}) is kept for 15 minutes. Sign in, and you can send it.`,
    'too-large':
      'What you were about to send was too large to keep. Please go back, copy what you wrote, and sign in again.',
    signIn: 'Sign in to continue',
  },
  continued: {
    heading: 'Send what you entered?',
    intro: 'Your session ended before this was sent. Nothing has been saved yet.',
    to: 'Goes to',
    size: 'Size',
    files: 'Files',
    bytes: size,
    submit: 'Send now',
    discard: 'Discard it',
  },
  error: {
    headings: {
      'bad-request': 'That did not work',
      refused: 'You cannot open this',
      'not-found': 'Not found',
      expired: 'This page has expired',
      'too-many': 'Too many tries',
      failed: 'Something went wrong',
    },
    texts: {
      'bad-request': 'The browser sent something that we could not understand. Go back and try again.',
      refused:
        'Your account may not open it. If you think that it should, ask for help and give the reference below.',
      'not-found': 'There is nothing here, or it is not available to you.',
      expired: 'It was open for too long, or was used already. Start again.',
      'too-many': 'Please wait a few minutes before you try again.',
      failed:
        'It is not your fault. Try again; if it happens again, ask for help and give the reference below.',
    },
    retry: 'Try again',
    home: 'To the start',
  },
  unavailable: {
    headings: { unavailable: 'Not available at the moment', maintenance: 'Under maintenance' },
    texts: {
      unavailable:
        'The service cannot be reached right now. If you were saving something, look whether it is there before you enter it again.',
      maintenance: 'We are working on the service. It will be back soon.',
    },
    urgent: 'If it is urgent, please telephone.',
    soon: (seconds: number) =>
      seconds < 90
        ? 'Try again in about a minute.'
        : `Try again in about ${minutes(Math.round(seconds / 60))}.`,
    retry: 'Try again',
  },
};

export type Texts = typeof en;
