import { XmlElement } from 'libxml2-wasm';
import type { JsonObject } from '../../../contracts/content.ts';
import { definitionsOf } from '../../../inspection/payload/fhir/definitions.ts';
import { narrativeFault } from '../../../inspection/payload/fhir/narrative.ts';
import { patchFault } from '../../../inspection/payload/fhir/patch.ts';
import { searchFault } from '../../../inspection/payload/fhir/search.ts';
import { fhirValidator } from '../../../inspection/payload/fhir/validator.ts';
import { readFhirXml } from '../../../inspection/payload/fhir/xml.ts';
import { compileFields } from '../../../inspection/payload/fields.ts';
import { childrenOf, withXml } from '../../../inspection/payload/xml/document.ts';
import type { Target } from './targets.ts';

const R4 = definitionsOf('R4');
const NO_MORE: ReadonlyMap<string, string> = new Map();

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Everything that a narrative must not have, whoever reads it. */
function mustBeHarmless(element: XmlElement): void {
  must(
    !/script|iframe|object|embed|form|style|svg|math|link|meta|base|input/i.test(element.name),
    'has an element that is not allowed',
  );
  for (const { name, value } of element.attrs) {
    must(!/^on/i.test(name), 'has a handler');
    must(
      !/^\s*(?:javascript|vbscript|data:text)/i.test(value) || !/href|src/.test(name),
      'has a link that runs',
    );
  }
  for (const child of childrenOf(element)) if (child instanceof XmlElement) mustBeHarmless(child);
}

/** The readers of payloads. What one of them takes, a second reader must find to be what was promised. */
export const PAYLOAD_TARGETS: readonly Target[] = [
  {
    name: 'narratives',
    seeds: [
      '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">&lt;5 mg <b>x</b><br/></p><!-- c --><img src="#a" alt="b"/></div>',
      '<div xmlns="http://www.w3.org/1999/xhtml"><table border="1"><tr><td style="color:red"><a href="http://a/b">c</a></td></tr></table></div>',
    ],
    words: [
      '<script>',
      'onload="1"',
      'href="javascript:1"',
      '<svg>',
      '<!--',
      '-->',
      '<![CDATA[',
      '&#106;',
      '</p>',
      'style="x:url(a)"',
      "'",
      '<?x?>',
    ],
    run(bytes) {
      const text = bytes.toString('utf8');
      if (narrativeFault(text) !== undefined) return false;
      const found = withXml(text, (document) => {
        mustBeHarmless(document.root);
        return undefined;
      });
      must(found === undefined, 'is no XML to another reader');
      return true;
    },
  },
  {
    name: 'FHIR in JSON',
    seeds: [
      '{"resourceType":"Patient","id":"1","name":[{"family":"a","given":["b",null],"_given":[null,{"id":"c"}]}],"birthDate":"2000-02-29","active":true}',
      '{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://a","code":"b"}]},"valueQuantity":{"value":1.5,"unit":"g"},"contained":[{"resourceType":"Device","id":"d"}],"device":{"reference":"#d"}}',
    ],
    words: [
      '"resourceType":"Bundle"',
      'null',
      '[]',
      '{}',
      '"__proto__":{}',
      '"constructor":1',
      '"extension":[{"url":"a"}]',
      '"_id":{}',
    ],
    run(bytes) {
      let resource: unknown;
      try {
        resource = JSON.parse(bytes.toString('utf8'));
      } catch {
        return false;
      }
      if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) return false;
      if (fhirValidator('R4').validate(resource as JsonObject) !== undefined) return false;
      const { resourceType } = resource as { resourceType?: unknown };
      must(typeof resourceType === 'string' && R4.resources.has(resourceType), 'is no resource');
      return true;
    },
  },
  {
    name: 'FHIR in XML',
    seeds: [
      '<Patient xmlns="http://hl7.org/fhir"><id value="1"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a</div></text><active value="true"/><name id="n"><family value="a"/><given value="b"><extension url="c"><valueInteger value="1"/></extension></given></name></Patient>',
    ],
    words: [
      '<!DOCTYPE a>',
      '<id value="2"/>',
      ' value="1"',
      '<contained>',
      '</contained>',
      '&#0;',
      'xmlns="urn:a"',
      '<a:b/>',
      '<![CDATA[x]]>',
    ],
    run(bytes) {
      const read = readFhirXml(bytes.toString('utf8'), R4);
      if ('rule' in read) return false;
      must(typeof read.resource.resourceType === 'string', 'is no resource');
      return fhirValidator('R4').validate(read.resource) === undefined;
    },
  },
  {
    name: 'search parameters',
    seeds: [
      'birthdate=ge2000-01-01',
      'identifier=http://a|b,c',
      '_has:Observation:patient:code=1',
      'organization.name:exact=x',
      '_include=Patient:link',
    ],
    words: [':missing', '.', ',', '|', '\\,', '_has:', ':Organization', '$', 'eq', 'constructor'],
    run(bytes) {
      const [name = '', ...rest] = bytes.toString('utf8').split('=');
      const value = rest.join('=');
      if (searchFault([[name, [value]]], 'Patient', R4, NO_MORE, 'query') !== undefined) return false;
      must(!/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(name + value), 'has a control');
      if (name === 'birthdate') must(/^[a-z0-9T:.,Z+ -]*$/.test(value), 'is no date');
      return true;
    },
  },
  {
    name: 'patches',
    seeds: ['[{"op":"replace","path":"/active","value":true},{"op":"move","from":"/a/0","path":"/b/-"}]'],
    words: ['"path":"/id"', '"op":"test"', '"__proto__":1', '/resourceType', 'null', '~1'],
    run(bytes) {
      let patch: unknown;
      try {
        patch = JSON.parse(bytes.toString('utf8'));
      } catch {
        return false;
      }
      if (patchFault(patch as never) !== undefined) return false;
      for (const { op, path } of patch as { op: string; path: string }[]) {
        must(op === 'test' || !/^\/(?:id|resourceType)(?:\/|$)/.test(path), 'changes what a resource is');
      }
      return true;
    },
  },
  {
    name: 'fields and files',
    seeds: [
      'a.pdf|application/pdf|%PDF-1.7',
      'x ray.png|image/png|\u0089PNG\r\n\u001a\n',
      'a.txt|text/plain|abc',
    ],
    words: ['.php', '../', '\0', '<?php', '<html>', '#!', '%00', '.pdf', '|'],
    run(bytes) {
      const [fileName = '', mediaType = '', ...content] = bytes.toString('latin1').split('|');
      const part = { name: 'f', fileName, mediaType, bytes: Buffer.from(content.join('|'), 'latin1') };
      if (FILES.parts([part]) !== undefined) return false;
      must(!/[/\\\0]|\.\.|\.php/i.test(fileName), 'has a name that leads elsewhere');
      must(!/^\s*<(?:html|script)|<\?php/i.test(part.bytes.toString('latin1')), 'has a page in it');
      return true;
    },
  },
];

const FILES = compileFields({
  f: { type: 'file', required: true, mediaTypes: ['application/pdf', 'image/png', 'text/plain'] },
});
