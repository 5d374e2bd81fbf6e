/** INVITEs that are passed on: a dialog with the sender, one with each client, media end to end. */

import type { Effect } from '../machines/effects.js';
import type { Address, Leg, TargetFacts } from '../machines/events.js';
import type { AccountId, Peer, SipAnswer } from '../ports.js';
import { longName } from '../wire/sip/header-name.js';
import type { HeaderField, SipHeaders, SipRequest } from '../wire/sip/message.js';
import { featureParams } from '../wire/sip/feature-params.js';
import type { AnswerParts, Submission } from './account-world.js';
import { refusal } from './answers.js';
import { clientContactOf, contactOf } from './contact.js';
import { hopFields, identityFields, outgoingOf, readable } from './egress-forward.js';
import type { ForwardParts } from './egress-forward.js';
import { formatOwner } from './owner.js';
import { methods } from './product.js';

type Of<Type extends Effect['type']> = Extract<Effect, { readonly type: Type }>;

/** What one side has said of its session, as the other side hears it. */
interface Description {
  readonly fields: readonly HeaderField[];
  readonly body: Buffer;
}

/** Whose session it is, and what an answer needs that comes later. */
interface Bridge {
  readonly account: AccountId;
  readonly by: Address;
  readonly transaction: string;
  readonly transport: Peer['transport'] | undefined;
  readonly localTag: string | undefined;
  /** What the clients were asked with. */
  readonly offer: Description;
  /** Of the client that has accepted. */
  answer: Description | undefined;
  /** Whether the S-CSCF stands between us and the client. */
  readonly legs: Map<Leg, boolean>;
}

/** Fields of one dialog: each of the two has its own. */
const dialogFields: ReadonlySet<string> = new Set([
  'contact',
  'record-route',
  'supported',
  'require',
  'proxy-require',
  'unsupported',
  'session-expires',
  'min-se',
  'rseq',
  'rack',
  'allow',
  'allow-events',
  'replaces',
  'join',
  'target-dialog',
]);

/** What describes the session. */
const contentFields: ReadonlySet<string> = new Set([
  'content-type',
  'content-disposition',
  'content-id',
  'content-language',
  'mime-version',
]);

export class Bridges {
  readonly #parts: ForwardParts;
  readonly #bridges = new Map<string, Bridge>();
  /** By the INVITE of the sender, until it is answered. */
  readonly #invites = new Map<string, Bridge>();

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /** The INVITE goes to one of the clients. */
  invite(
    account: AccountId,
    by: Address,
    { target, leg }: { readonly target: TargetFacts; readonly leg: Leg },
    asked: AnswerParts = {},
  ): void {
    const { submission, transaction } = asked;
    const request = submission && readable(this.#parts, submission);
    if (!request || transaction === undefined) {
      this.#parts.tell(account, by, { type: 'leg.failed', leg });
      return;
    }
    const bridge = this.#bridgeOf(account, by, transaction, request, asked);
    bridge.legs.set(leg, target.trusted === true);
    this.#send(bridge, leg, target, request, submission);
  }

  /** Whether that INVITE is passed on: then its bridge hears that nobody waits for it. */
  cancel(transaction: string): void {
    const bridge = this.#invites.get(transaction);
    if (bridge) this.#parts.tell(bridge.account, bridge.by, { type: 'invite.cancelled' });
  }

  /** A response goes back to the sender; a 2xx opens the dialog with him. */
  pass(account: AccountId, by: Address, effect: Of<'sip.pass'>, asked: AnswerParts = {}): void {
    const { sip, product } = this.#parts;
    const bridge = this.#bridges.get(keyOf(account, by));
    const { response } = asked;
    if (!bridge || !response || effect.leg === undefined) {
      sip.respond(effect.transaction, refusal(500, product));
      return;
    }
    const { status, reason, body } = response;
    const trusted = bridge.legs.get(effect.leg) === true;
    const headers = [...passed(response, trusted)];
    const answer: SipAnswer = {
      ...{ status, reason },
      ...(body.length > 0 && { body }),
      ...(bridge.localTag !== undefined && { localTag: bridge.localTag }),
      headers,
    };
    if (status < 200 || status >= 300) {
      if (status >= 300) headers.push(...redirections(response));
      sip.respond(effect.transaction, answer);
      return;
    }
    headers.push(...ours(contactOf(this.#parts.sip, account, by, bridge.transport), response));
    bridge.answer = descriptionOf(response);
    const owner = formatOwner({ account, address: by, leg: 'caller' });
    sip.respond(effect.transaction, { ...answer, owner });
    this.#invites.delete(bridge.transaction);
  }

  /** What the other side has said of its session, once more. */
  refresh(
    account: AccountId,
    by: Address,
    { transaction, leg }: Of<'sip.refresh'>,
    { transport }: AnswerParts = {},
  ): void {
    const { sip, product } = this.#parts;
    const bridge = this.#bridges.get(keyOf(account, by));
    const description = leg === 'caller' ? bridge?.answer : bridge?.offer;
    if (!description) {
      sip.respond(transaction, refusal(481, product));
      return;
    }
    const { fields, body } = description;
    const contact = leg === 'caller' ? contactOf : clientContactOf;
    const headers: HeaderField[] = [
      ['Contact', contact(sip, account, by, transport)],
      ['Server', product.name],
      ['Allow', methods.dialog],
      ...fields,
    ];
    sip.respond(transaction, { status: 200, headers, body });
  }

  /** The legs that there are of a bridge, that of the sender included. */
  legs(account: AccountId, by: Address): readonly Leg[] {
    const bridge = this.#bridges.get(keyOf(account, by));
    return bridge ? ['caller', ...bridge.legs.keys()] : [];
  }

  release(account: AccountId, by: Address): void {
    const key = keyOf(account, by);
    const bridge = this.#bridges.get(key);
    if (!bridge) return;
    this.#bridges.delete(key);
    this.#invites.delete(bridge.transaction);
  }

  #bridgeOf(
    account: AccountId,
    by: Address,
    transaction: string,
    request: SipRequest,
    { transport, localTag }: AnswerParts,
  ): Bridge {
    const key = keyOf(account, by);
    const known = this.#bridges.get(key);
    if (known) return known;
    const bridge: Bridge = {
      ...{ account, by, transaction, transport, localTag },
      offer: descriptionOf(request),
      answer: undefined,
      legs: new Map(),
    };
    this.#bridges.set(key, bridge);
    this.#invites.set(transaction, bridge);
    return bridge;
  }

  #send(
    bridge: Bridge,
    leg: Leg,
    target: TargetFacts,
    request: SipRequest,
    submission: Submission,
  ): void {
    const { account, by } = bridge;
    const owner = { account, address: by, leg };
    const outgoing = outgoingOf(this.#parts, owner, target, request, submission);
    this.#parts.sip.request({
      ...outgoing,
      id: 'invite',
      headers: [
        ...outgoing.headers.filter(([name]) => !dialogFields.has(longName(name))),
        ...ours(clientContactOf(this.#parts.sip, account, by), request),
      ],
    });
  }
}

/** Our side of a dialog, with what the other party says of its own capabilities (RFC 3840). */
function ours(own: string, message: SipHeaders): HeaderField[] {
  const [contact] = message.list('contact');
  const features = contact === undefined ? '' : featureParams(contact);
  return [
    ['Contact', `${own}${features}`],
    ['Allow', methods.dialog],
  ];
}

function keyOf(account: AccountId, by: Address): string {
  return `${account}#${by}`;
}

/** RFC 3325 5: what a client asserts of itself is no assertion. */
function passed(response: SipHeaders, trusted: boolean): HeaderField[] {
  return response.all().filter(([name]) => {
    const long = longName(name);
    if (hopFields.has(long) || dialogFields.has(long)) return false;
    return trusted || !identityFields.has(long);
  });
}

/** What a refusal says of where else, or of what is lacking. */
function redirections(response: SipHeaders): HeaderField[] {
  const said = new Set(['contact', 'allow', 'unsupported', 'min-se']);
  return response.all().filter(([name]) => said.has(longName(name)));
}

function descriptionOf(message: SipHeaders & { readonly body: Buffer }): Description {
  const fields = message.all().filter(([name]) => contentFields.has(longName(name)));
  return { fields, body: message.body };
}
