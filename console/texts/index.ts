import { en, type Texts } from './en.ts';

export type { Texts } from './en.ts';

/** Languages that the pages exist in. Another one is a file beside `en.ts`, of the type `Texts`, and a line here. */
export const LANGUAGES = ['en'] as const;
export type Language = (typeof LANGUAGES)[number];

export const TEXTS: Readonly<Record<Language, Texts>> = Object.freeze({ en });
