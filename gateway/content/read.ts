import type { Content, ContentLimits } from '../../contracts/content.ts';
import type { RequestFacts } from '../../contracts/facts.ts';
import type { ContentFault } from './fault.ts';
import { readForm } from './form.ts';
import { decodeText, readJson, type Spans } from './json.ts';
import { readMultipart } from './multipart.ts';
import { readXml } from './xml.ts';

/** How the bodies of a media type are read. */
export type ContentKind = Content['kind'];

const JSON_TYPE =
  /^(?:application\/json|text\/json|application\/json\+fhir|[a-z]+\/[a-z0-9!#$&^_.-]+\+json)$/;
const XML_TYPE = /^(?:application\/xml|text\/xml|application\/xml\+fhir|[a-z]+\/[a-z0-9!#$&^_.-]+\+xml)$/;

/** RFC 6839 §3.1 for the suffixes; `application/json+fhir` is DSTU2's. */
export function kindOf(mediaType: string): ContentKind {
  if (JSON_TYPE.test(mediaType)) return 'json';
  if (XML_TYPE.test(mediaType)) return 'xml';
  if (mediaType === 'application/x-www-form-urlencoded') return 'form';
  if (mediaType === 'multipart/form-data') return 'multipart';
  return mediaType.startsWith('text/') ? 'text' : 'opaque';
}

/** What was read, and for JSON where each value stood. */
export interface ReadContent {
  readonly ok: true;
  readonly content: Content;
  readonly source: { readonly text: string; readonly spans: Spans } | undefined;
}

/**
 * A whole body with its one meaning. Never throws.
 * @param spans whether parts of it may be sent on in another body
 */
export function readWhole(
  bytes: Buffer,
  facts: Pick<RequestFacts, 'mediaType' | 'headers'>,
  limits: ContentLimits,
  spans: boolean,
): ReadContent | (ContentFault & { ok: false }) {
  const mediaType = facts.mediaType ?? '';
  const contentType = facts.headers.get('content-type') ?? '';
  const kind = kindOf(mediaType);
  if (kind !== 'opaque' && kind !== 'multipart' && !isUtf8(contentType))
    return { ok: false, status: 'unsupported-media', rule: 'content-charset', place: '' };
  const common = { bytes, mediaType };
  switch (kind) {
    case 'json': {
      const read = readJson(bytes, {
        depth: limits.jsonDepth,
        values: limits.jsonValues,
        strict: true,
        spans,
      });
      if (!read.ok) return read;
      return done({ ...common, kind, value: read.value }, read);
    }
    case 'xml': {
      const read = readXml(bytes);
      return read.ok ? done({ ...common, kind, text: read.text }) : read;
    }
    case 'form': {
      const read = readForm(bytes, limits);
      return read.ok ? done({ ...common, kind, fields: read.fields }) : read;
    }
    case 'multipart': {
      const read = readMultipart(bytes, contentType, limits);
      return read.ok ? done({ ...common, kind, parts: read.parts }) : read;
    }
    case 'text': {
      const read = decodeText(bytes);
      if ('rule' in read) return { ok: false, status: 'bad-request', rule: `text-${read.rule}`, place: '' };
      return done({ ...common, kind, text: read.text });
    }
    case 'opaque':
      return done({ ...common, kind });
  }
}

function done(content: Content, source?: ReadContent['source']): ReadContent {
  return { ok: true, content, source };
}

/** Whether the type says nothing of the character set, or says UTF-8 once; a part of UTF-8 will do. */
export function isUtf8(contentType: string): boolean {
  if (!/charset/i.test(contentType)) return true;
  const charsets = [...contentType.matchAll(/;[\t ]*charset[\t ]*=[\t ]*("?)([^";,\s]*)\1/gi)];
  const mentions = contentType.match(/charset/gi)?.length ?? 0;
  if (mentions !== charsets.length || charsets.length > 1) return false;
  return charsets.length === 0 || /^(?:utf-?8|us-ascii)$/i.test(charsets[0]?.[2] ?? '');
}
