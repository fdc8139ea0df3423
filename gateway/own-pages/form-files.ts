/** A part with a file (RFC 7578 §4.2); browsers write an empty name where no file was chosen. */
const FILE =
  /^content-disposition:[ \t]*form-data;[^\r\n]*;[ \t]*filename\*?=(?!""?[ \t]*(?:;|\r|$))[^\r\n]+$/gim;

/**
 * How many files are in a form, for whoever is asked whether to send it. For showing only: what stands in a file may
 * look like the head of a part.
 */
export function filesIn(contentType: string, body: Buffer): number {
  if (!/^multipart\/form-data\b/i.test(contentType)) return 0;
  return [...body.toString('latin1').matchAll(FILE)].length;
}
