import type { Random } from './random.ts';

/** Names that nobody has: every person of the demo must be recognisable as invented. */
const GIVEN_F =
  'Zorbina Quillana Marvessa Plinia Ottolina Fennika Brisanda Yolundra Tessilou Wimberta Junipra Kessandra Lumelia Ravenka Sorrelia Velmara Xandrine Ysolina Dorabelle Primelda'.split(
    ' ',
  );
const GIVEN_M =
  'Zorbin Quillan Marvess Plinius Ottoleo Fenniko Brisand Yolundo Tessilo Wimbert Juniper Kessander Lumelio Raveno Sorrel Velmar Xandrin Ysolo Doraban Primeld'.split(
    ' ',
  );
const FAMILY_START =
  'Tester Sample Fict Mock Dummy Place Imagin Exampl Invent Pretend Nobod Somewhere Madeup Ficta Never Blank Fable Toy Stub Proto'.split(
    ' ',
  );
const FAMILY_END =
  'wright ingham worth by son mann ley croft haven field brook dale sworth stead ridge holm ton ford combe gate'.split(
    ' ',
  );
const CITIES = ['Nowhere', 'Exampleton', 'Mockborough', 'Sampleford', 'Testbury'];
const STREETS = [
  'Invented Lane',
  'Fictional Street',
  'Placeholder Road',
  'Nonesuch Avenue',
  'Imaginary Square',
];

export interface Person {
  readonly sex: 'F' | 'M';
  readonly first: string;
  readonly last: string;
  readonly title: string;
  readonly birth: string;
  readonly home: string;
  readonly mobile: string;
  readonly email: string;
  readonly street: string;
  readonly city: string;
  readonly postcode: string;
}

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/** A calendar day that every month has. */
export function day(random: Random, fromYear: number, years: number): string {
  return `${fromYear + random.below(years)}-${pad(1 + random.below(12))}-${pad(1 + random.below(28))}`;
}

/** A moment in consulting hours. */
export function moment(random: Random, fromYear: number, years: number): string {
  return `${day(random, fromYear, years)} ${pad(8 + random.below(10))}:${pad(5 * random.below(12))}:00`;
}

/** Numbers of 555-01xx are kept for fiction; so is example.org (RFC 2606). */
export const phone = (random: Random): string => `555-01${pad(random.below(100))}`;

/** Invents people; the same name is never given twice by one inventor. */
export function inventor(random: Random): () => Person {
  const taken = new Set<string>();
  return () => {
    for (;;) {
      const sex = random.chance(50) ? 'F' : 'M';
      const first = random.pick(sex === 'F' ? GIVEN_F : GIVEN_M);
      const last = random.pick(FAMILY_START) + random.pick(FAMILY_END);
      const email = `${first}.${last}@example.org`.toLowerCase();
      if (taken.has(email)) continue;
      taken.add(email);
      return {
        sex,
        first,
        last,
        title: random.chance(20) ? 'Dr' : sex === 'F' ? 'Ms' : 'Mr',
        birth: day(random, 1932, 85),
        home: phone(random),
        mobile: phone(random),
        email,
        street: `${1 + random.below(180)} ${random.pick(STREETS)}`,
        city: random.pick(CITIES),
        postcode: `X${pad(random.below(10_000), 4)}`,
      };
    }
  };
}
