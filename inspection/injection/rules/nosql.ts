import { type EngineRule, EVERYWHERE, expression, STRICT } from '../rule.ts';

const OPERATORS =
  'eq|ne|gte?|lte?|in|nin|not|nor|or|and|exists|type|mod|regex|options|text|where|all|elemMatch|size|expr|jsonSchema|geoIntersects|geoWithin|near|nearSphere|slice|meta|comment|rand|natural|function|accumulator|lookup|out|merge|set|unset|inc|push|pull|pop|rename|currentDate|bit|addToSet|each|position|sort|group|match|project|unwind|limit|skip|facet|graphLookup';

export const NOSQL_RULES: readonly EngineRule[] = [
  expression(
    'nosql-operator',
    STRICT,
    String.raw`\[\s*\$(?:${OPERATORS})\s*\]`,
    String.raw`^\$(?:${OPERATORS})$`,
    String.raw`[{,]\s*["']?\$(?:${OPERATORS})["']?\s*:`,
    String.raw`\bdb\.\w+\.(?:find|insert|update|remove|drop|aggregate|count|distinct|mapReduce)\w*\s*\(`,
    String.raw`\bthis\.\w+\s*(?:[=!<>]=|\.match\b|\.length\b)`,
    String.raw`;\s*return\b.{0,40}(?:true|false|\d|this|sleep)`,
    String.raw`\|\|\s*this\.`,
    // A filter of LDAP (RFC 4515) that closes the one it was put into.
    String.raw`\)\s*\(\s*[|&!]\s*\(`,
    String.raw`\*\)\s*\(\s*[\w|&!]`,
  ),
  expression(
    'nosql-operator',
    ['clinical'],
    String.raw`[{,]\s*["']\$(?:ne|gte?|lte?|regex|where|nin|or|and|exists|expr)["']\s*:`,
    String.raw`\$where\s*["':]`,
  ),
  expression(
    'object-prototype',
    EVERYWHERE,
    '__proto__',
    String.raw`\bconstructor\b\W{1,6}prototype\b`,
    String.raw`\bprototype\s*[\[.]\s*["']?\w+["']?\s*\]?\s*=`,
    String.raw`\.constructor\.constructor\b`,
    '__(?:define|lookup)[GS]etter__',
  ),
  // What lookups of an object-relational mapper look like; only names of parameters end so.
  expression(
    'orm-lookup',
    STRICT,
    String.raw`^\w+__(?:i?exact|i?contains|i?startswith|i?endswith|i?regex|isnull|range|gte?|lte?|in|year|iso_year|month|day|week|week_day|quarter|hour|minute|second|date|time|search|overlap|contained_by|has_keys?|has_any_keys|trigram_similar|unaccent|len|connector|negated)$`,
    '^_(?:connector|negated)$',
  ),
];
