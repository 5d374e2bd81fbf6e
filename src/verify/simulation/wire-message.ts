/** The octets of a simulated message: they follow from its id, and name it. */

import { SeededRandom } from '../virtual-clock.js';

/** The octets of a message name it. */
const idPattern = /<<(\w+)>>/;

/** No two have the same; how many octets it has is part of it. */
export function messageId(number: number, size: number): string {
  return `m${number}_${size}`;
}

/** No text throughout, and no two alike. */
export function bodyOf(id: string): Buffer {
  const [number, size] = id.slice(1).split('_').map(Number) as [number, number];
  const random = new SeededRandom(number);
  const rest = Buffer.alloc(size);
  for (let at = 0; at < size; at++) rest[at] = random.below(256);
  return Buffer.concat([Buffer.from(`<<${id}>>`), rest]);
}

/** The id that stands in a message. */
export function idOf(octets: Buffer): string | undefined {
  return idPattern.exec(octets.toString('latin1'))?.[1];
}
