/** Names that say which shard has drawn them: tags, branches, Call-IDs, tokens of sessions. */

import type { Random } from '../ports.js';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const sign = 'Z';
/** Shorter tokens are numbers that are drawn, not names. */
const shortestName = 10;

/** How many shards can be told apart. */
export const shardsMax = digits.length;

/** Draws tokens that begin with the mark of a shard. */
export function markedRandom(random: Random, shard: number): Random {
  const mark = `${sign}${digits[shard]!}`;
  return {
    token: (length) =>
      length < shortestName ? random.token(length) : mark + random.token(length - mark.length),
  };
}

/** The shard that may have drawn this; undefined: none of ours. Others may have the form as well. */
export function markOf(token: string): number | undefined {
  if (token.length < shortestName || token[0] !== sign) return undefined;
  const shard = digits.indexOf(token[1]!);
  return shard < 0 ? undefined : shard;
}
