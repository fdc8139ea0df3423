import type { ContentLimits } from '../../contracts/content.ts';

/** Where settings say nothing; the same as the defaults of `config/shape/content.ts`. */
export const CONTENT_LIMITS: ContentLimits = Object.freeze({
  jsonDepth: 64,
  jsonValues: 200_000,
  formFields: 1000,
  parts: 100,
  partHeaderBytes: 4096,
  wholeBytes: 16 * 1024 * 1024,
  heldBytes: 256 * 1024 * 1024,
  answerBytes: 16 * 1024 * 1024,
});
