/** What the tester does next: plain data, so that a path of steps can be planned, told and replayed. */

/** What is wrong with a retrieval that is meant to be refused; the earlier check answers (D-60). */
export type RetrievalFault = 'tag' | 'identity' | 'uri' | 'media' | 'account';

export type Step =
  /** A MESSAGE for the user; `brief` expires in a few seconds, `reports` asks for every report. */
  | {
      readonly do: 'submit';
      readonly message: number;
      readonly kind: 'plain' | 'urgent' | 'reports' | 'brief' | 'zero';
    }
  /** A REGISTER with a client for IM, with one that is none, or the end of the registration. */
  | { readonly do: 'register'; readonly client: 'im' | 'other' | 'none' }
  | {
      readonly do: 'subscribe';
      readonly fault?: 'event' | 'accept' | 'identity' | 'brief';
    }
  | { readonly do: 'refresh' }
  | { readonly do: 'unsubscribe' }
  | {
      readonly do: 'retrieve';
      readonly faults: readonly RetrievalFault[];
      /** Absent: everything. */
      readonly list?: readonly ListEntry[];
    }
  /** The push is accepted by a client that connects, or by one that waits. */
  | { readonly do: 'accept'; readonly role: 'active' | 'passive' }
  | { readonly do: 'refuse'; readonly status: 486 | 603 }
  /** The next SEND is taken, or refused. */
  | { readonly do: 'take' }
  | { readonly do: 'reject'; readonly status: 413 | 415 }
  | { readonly do: 'hang-up' }
  | { readonly do: 'disconnect' }
  | { readonly do: 'publish'; readonly deliver: boolean }
  | { readonly do: 'unpublish' }
  | { readonly do: 'delete'; readonly entry: ListEntry }
  /** Time passes until the next short timer of the account. */
  | { readonly do: 'wait' };

/** A message by the order of its submission, or a URI that names none. */
export type ListEntry = number | 'unknown';

/** `submit plain message 0`: a step in words. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case 'submit':
      return `submit ${step.kind === 'plain' ? '' : `${step.kind} `}message ${step.message + 1}`;
    case 'register':
      return { im: 'register', other: 'register without IM', none: 'deregister' }[step.client];
    case 'subscribe':
      return step.fault === undefined ? 'subscribe' : `subscribe (wrong ${step.fault})`;
    case 'retrieve': {
      const { faults, list } = step;
      const what = list === undefined ? 'all' : list.map(nameOfEntry).join(' and ');
      return `retrieve ${what}${faults.length > 0 ? ` (wrong ${faults.join(' and ')})` : ''}`;
    }
    case 'accept':
      return `accept push, ${step.role}`;
    case 'refuse':
      return `refuse push with ${step.status}`;
    case 'reject':
      return `refuse SEND with ${step.status}`;
    case 'publish':
      return `publish offline-delivery ${step.deliver ? 'on' : 'off'}`;
    case 'delete':
      return `delete ${nameOfEntry(step.entry)}`;
    default:
      return step.do;
  }
}

function nameOfEntry(entry: ListEntry): string {
  return entry === 'unknown' ? 'an unknown URI' : `message ${entry + 1}`;
}
