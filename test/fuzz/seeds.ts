/** The vectors of the formats, as inputs to start from. */

import { readFileSync, readdirSync } from 'node:fs';
import { vectors } from '../wire/vectors.js';
import { sipVectors } from '../wire/sip/vectors.js';

/** Longer vectors show a bound and make slow seeds. */
const seedBytesMax = 6_000;

export function sipSeeds(): Buffer[] {
  return short(sipVectors().map(({ bytes }) => bytes));
}

export function vectorSeeds(...formats: readonly string[]): Buffer[] {
  return short(formats.flatMap((format) => vectors(format).map(({ bytes }) => bytes)));
}

/** The octets that the scenarios of MSRP send, with `{TO}` and `{FROM}` in them. */
export function scenarioSeeds(): Buffer[] {
  const folder = new URL('../vectors/msrp-scenarios/', import.meta.url);
  return short(
    readdirSync(folder).map((name) => {
      const { steps } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
        steps: readonly (readonly [string, unknown])[];
      };
      const sent = steps.filter(([kind]) => kind === 'send' || kind === 'bytes');
      return Buffer.from(sent.map(([, text]) => String(text)).join(''), 'latin1');
    }),
  );
}

/** The bodies of multipart vectors, which all have a boundary of their own. */
export function boundaryOf(body: Buffer): string {
  const line = /^--([^\r\n]{1,70}?)(?:--)?[ \t]*\r?$/m.exec(body.toString('latin1'));
  return line?.[1] ?? 'bb';
}

function short(inputs: readonly Buffer[]): Buffer[] {
  return inputs.filter((bytes) => bytes.length > 0 && bytes.length <= seedBytesMax);
}
