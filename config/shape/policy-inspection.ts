import { INJECTION_RULES } from '../../contracts/route-inspection.ts';
import { PAYLOAD } from './payload.ts';
import { choice, object } from './values.ts';

const INJECTION = object(
  {
    title: 'Injection',
    description:
      'The search for injected SQL, script, commands, paths and templates. Unless given, every route blocks and ' +
      'has no exception.',
  },
  {
    mode: choice(
      {
        description:
          '`block`: a request with a finding is refused. `report`: it is recorded and counted, and goes on to the ' +
          'back end.',
        default: 'block',
        examples: ['report'],
      },
      ['block', 'report'],
    ),
    except: {
      type: 'array',
      title: 'Exceptions',
      description: 'Each one place of the request in which one rule does not count.',
      maxItems: 256,
      items: object(
        { title: 'Exception', description: 'One place and one rule.' },
        {
          place: {
            type: 'string',
            description:
              'As a finding names it: `query:NAME`, `form:NAME`, `part:NAME`, `file:NAME`, `header:NAME`, ' +
              '`cookie:NAME`, `path:N`, or a pointer into the body, in which `*` is any one step.',
            examples: ['form:note'],
            minLength: 1,
            maxLength: 512,
          },
          rule: choice(
            { description: 'The rule, as a finding names it.', examples: ['sql-quote'] },
            INJECTION_RULES,
          ),
        },
        ['place', 'rule'],
      ),
    },
    prose: {
      type: 'array',
      title: 'Prose',
      description:
        'Places, as in exceptions, in which people write prose, such as a note of an old web form. They are read like ' +
        'clinical text in FHIR resources: whole statements, running markup and commands are found, fragments are not.',
      examples: [['form:note']],
      maxItems: 256,
      uniqueItems: true,
      items: {
        type: 'string',
        description: 'One place.',
        examples: ['form:note'],
        minLength: 1,
        maxLength: 512,
      },
    },
  },
);

/** How requests of a route are looked into. */
export const ROUTE_INSPECTION = object(
  {
    title: 'Inspection',
    description:
      "How this route's requests are looked into. What it does not say is by default, which refuses.",
  },
  { payload: PAYLOAD, injection: INJECTION },
);
