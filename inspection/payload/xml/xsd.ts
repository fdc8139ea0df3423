import {
  ParseOption,
  XmlBufferInputProvider,
  XmlDocument,
  XmlElement,
  XmlLibError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm';
import type { NamedText } from '../../../contracts/payload.ts';
import { fault, type PayloadFault } from '../finding.ts';
import { pointerTo, withXml } from './document.ts';

/** Where the files of a schema are while it is compiled; nothing of the kind exists outside. */
const FOLDER = 'chartgate-xsd/';

export type XmlSchema = (text: string) => PayloadFault | undefined;

export type CompiledXsd =
  | { readonly ok: true; readonly judge: XmlSchema }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles an XML Schema 1.0. What it includes or imports is looked for among the given files, by the last step of its
 * `schemaLocation`; whatever is not there is a fault, and nothing is read from anywhere else.
 */
export function compileXsd(files: readonly NamedText[]): CompiledXsd {
  const [main] = files;
  if (main === undefined) return { ok: false, message: 'names no file' };
  for (const { name, text } of files) {
    if (/<!(?:DOCTYPE|ENTITY)/i.test(text))
      return { ok: false, message: `${name}: a schema has no document type here` };
  }
  const buffers = Object.fromEntries(
    files.map(({ name, text }) => [FOLDER + baseOf(name), new Uint8Array(Buffer.from(text))]),
  );
  let document: XmlDocument | undefined;
  xmlRegisterInputProvider(new XmlBufferInputProvider(buffers));
  try {
    document = XmlDocument.fromString(withPlainLocations(main.text), {
      url: FOLDER + baseOf(main.name),
      option: ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET,
    });
    const validator = XsdValidator.fromDoc(document);
    return { ok: true, judge: (text) => withXml(text, (instance) => judge(validator, instance)) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  } finally {
    xmlCleanupInputProvider();
    document?.dispose();
  }
}

const baseOf = (name: string) => name.replace(/^.*[\\/]/, '');

/** `schemaLocation="../common/types.xsd"` is the given file of that name. */
function withPlainLocations(text: string): string {
  return text.replaceAll(/(\sschemaLocation\s*=\s*["'])[^"']*\/([^"'/]*["'])/g, '$1$2');
}

/** What is wrong with a schema is the operator's own text, and may be told. */
function messageOf(error: unknown): string {
  const first = error instanceof XmlLibError ? error.details[0] : undefined;
  if (first === undefined) return 'is no XML Schema that can be compiled';
  const file = first.file === undefined ? '' : ` ${baseOf(first.file)}`;
  return `is no XML Schema that can be compiled:${file} line ${first.line}: ${first.message.trim().replaceAll(FOLDER, '').slice(0, 300)}`;
}

function judge(validator: XsdValidator, document: XmlDocument): PayloadFault | undefined {
  try {
    validator.validate(document);
    return undefined;
  } catch (error) {
    const path = error instanceof XmlLibError ? error.details[0]?.xpath : undefined;
    return fault(path === undefined ? '' : placeOf(document, path), 'xml-schema', 'unprocessable');
  }
}

function placeOf(document: XmlDocument, path: string): string {
  try {
    // Elements of a default namespace are `*` in such a path.
    const node = document.get(path.replaceAll(/\/([^/[\]*]+:)?([^/[\]*:]+)/g, "/*[local-name()='$2']"));
    return node instanceof XmlElement ? pointerTo(node) : '';
  } catch {
    return '';
  }
}
