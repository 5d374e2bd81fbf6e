/** Operator policy as data: rules in order, the first that fits decides. */

import type { PolicyPort, PolicyQuestion, PolicyVerdict } from '../ports.js';
import { canonicalAor } from '../wire/sip/uri.js';

/** Everything that is given has to fit; of the patterns of one field, one. */
export interface PolicyRule {
  readonly action: 'refuse' | 'store';
  readonly operation?: PolicyQuestion['operation'] | undefined;
  readonly method?: readonly string[] | undefined;
  /** Patterns for the identity of the sender, else for From: `*@spam.example`, `+49*`. */
  readonly sender?: readonly string[] | undefined;
  /** Patterns for the served user. */
  readonly recipient?: readonly string[] | undefined;
  /** `video/mp4`, `video/*`. */
  readonly contentType?: readonly string[] | undefined;
  /** Octets, both included. */
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
  readonly status?: number | undefined;
  readonly reason?: string | undefined;
}

type Fits = (question: PolicyQuestion) => boolean;

const allowed: PolicyVerdict = { allowed: true };

export function policyOf(rules: readonly PolicyRule[]): PolicyPort {
  const compiled = rules.map((rule) => ({ fits: conditionsOf(rule), verdict: verdictOf(rule) }));
  return {
    judge(question) {
      for (const { fits, verdict } of compiled) {
        if (fits.every((condition) => condition(question))) return verdict;
      }
      return allowed;
    },
  };
}

function verdictOf({ action, status, reason = 'refused' }: PolicyRule): PolicyVerdict {
  if (action === 'store') return allowed;
  return { allowed: false, reason, ...(status !== undefined && { status }) };
}

function conditionsOf(rule: PolicyRule): readonly Fits[] {
  const { operation, method, sender, recipient, contentType, minSize, maxSize } = rule;
  const fits: Fits[] = [];
  if (operation !== undefined) fits.push((question) => question.operation === operation);
  if (method) fits.push((question) => method.includes(question.method));
  if (sender) {
    const matches = matcherOf(sender);
    fits.push(({ identities, from }) =>
      (identities.length > 0 ? identities : [from]).some((uri) => matches(aorOf(uri))),
    );
  }
  if (recipient) {
    const matches = matcherOf(recipient);
    fits.push(({ account }) => matches(account));
  }
  if (contentType) {
    const matches = matcherOf(contentType);
    fits.push(({ contentType: type }) => type !== undefined && matches(type));
  }
  if (minSize !== undefined) fits.push(({ size }) => size !== undefined && size >= minSize);
  if (maxSize !== undefined) fits.push(({ size }) => size !== undefined && size <= maxSize);
  return fits;
}

/** Compared without regard to case: a list that is got round by a capital letter refuses nobody. */
function matcherOf(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set<string>();
  const open: (readonly string[])[] = [];
  for (const pattern of patterns) {
    const pieces = bare(pattern).toLowerCase().split('*');
    if (pieces.length === 1) exact.add(pieces[0]!);
    else open.push(pieces);
  }
  return (text) => {
    const folded = text.toLowerCase();
    return exact.has(folded) || open.some((pieces) => fitsPieces(pieces, folded));
  };
}

/** `*` stands for any text. No pattern and no text costs more than the product of their lengths. */
function fitsPieces(pieces: readonly string[], text: string): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = text.indexOf(pieces[i]!, from);
    if (found < 0) return false;
    from = found + pieces[i]!.length;
  }
  return from <= end;
}

function aorOf(uri: string): string {
  return canonicalAor(uri) ?? bare(uri);
}

function bare(uri: string): string {
  return uri.replace(/^(?:sips?|tel):/i, '');
}
