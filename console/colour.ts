/** A colour of sRGB; each part 0 to 255. */
export interface Colour {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

/** @returns undefined for anything but `#rrggbb` */
export function parseColour(text: string): Colour | undefined {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match === null) return undefined;
  const [red = 0, green = 0, blue = 0] = match.slice(1).map((part) => Number.parseInt(part, 16));
  return { red, green, blue };
}

export function colourText({ red, green, blue }: Colour): string {
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance"). */
export function luminance({ red, green, blue }: Colour): number {
  const [r = 0, g = 0, b = 0] = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(one: Colour, other: Colour): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

export const WHITE: Colour = Object.freeze({ red: 255, green: 255, blue: 255 });
export const BLACK: Colour = Object.freeze({ red: 0, green: 0, blue: 0 });

/** Text on a ground: white or black, whichever reads better. One of the two always has 4.58 or more. */
export function inkOn(ground: Colour): Colour {
  return contrast(WHITE, ground) >= contrast(BLACK, ground) ? WHITE : BLACK;
}

/**
 * The colour itself where its contrast with every ground suffices; otherwise the nearest mixture with black or white
 * (whichever leads away from the grounds) that does.
 */
export function readable(colour: Colour, grounds: readonly Colour[], ratio: number): Colour {
  const suffices = (tried: Colour): boolean => grounds.every((ground) => contrast(tried, ground) >= ratio);
  const end = grounds.every((ground) => luminance(ground) > 0.18) ? BLACK : WHITE;
  for (let share = 0; share < 100; share++) {
    const tried = mix(colour, end, share / 100);
    if (suffices(tried)) return tried;
  }
  return end;
}

function mix(one: Colour, other: Colour, share: number): Colour {
  const part = (a: number, b: number): number => Math.round(a + (b - a) * share);
  return {
    red: part(one.red, other.red),
    green: part(one.green, other.green),
    blue: part(one.blue, other.blue),
  };
}
