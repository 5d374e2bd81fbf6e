/** XCAP about a served user, as events of the account and as what is said of its store (D-31, D-41). */

import type { SettingsFacts } from '../../machines/facts.js';
import { serialSet } from '../../machines/serial-set.js';
import { parseSettings } from '../../wire/xml/settings.js';
import type { Conversation } from './conversation.js';
import type { Deed } from './deed.js';
import type { Identities } from './identities.js';
import { eventFor, type Alternative } from './inbound.js';
import { deleted } from './inbound-settings.js';
import { Settled } from './settled.js';
import { readable } from './session-media.js';
import type { TrackedAccount } from './tracked-account.js';
import type { UserFlow } from './user-flow.js';
import { isChange, type XcapExchange } from './xcap-exchange.js';
import { agreement, doubledIn, historiesIn } from './xcap-histories.js';
import { changedSettings, type ChangedSettings } from './xcap-settings.js';
import { viewsOf } from './xcap-views.js';

type Write = (user: string, deed: Deed) => void;

export class XcapDeeds {
  readonly #identities: Identities;
  readonly #settled: Settled;
  readonly #write: Write;
  readonly #pass: (what: string) => void;
  /** Addresses of XDMSes that show the store itself. */
  readonly #views: ReadonlySet<string>;

  constructor(
    conversation: Conversation,
    identities: Identities,
    { write, pass }: { readonly write: Write; readonly pass: (what: string) => void },
  ) {
    this.#identities = identities;
    this.#settled = new Settled(conversation.exchanges);
    this.#write = write;
    this.#pass = pass;
    this.#views = viewsOf(conversation, (exchange) => this.#isOfOwner(exchange));
  }

  /** The question, or its answer. */
  take(exchange: XcapExchange, isAnswer: boolean): void {
    const { subject, method } = exchange;
    if (!isAnswer && subject === 'other') this.#pass(`${method} of other documents over XCAP`);
    else if (subject === 'settings') this.#settings(exchange, isAnswer);
    else if (subject === 'history') this.#history(exchange, isAnswer);
  }

  #userOf({ user }: XcapExchange): string {
    return this.#identities.of(user);
  }

  #isOfOwner({ asker, user }: XcapExchange): boolean {
    return asker !== undefined && this.#identities.of(asker) === this.#identities.of(user);
  }

  // ------------------------------------------------------------------------------ settings

  #settings(exchange: XcapExchange, isAnswer: boolean): void {
    const isOwn = this.#views.has(exchange.request.observed.target);
    if (isChange(exchange)) {
      // When a server hears of what another host is told, nobody knows.
      this.#change(exchange, isAnswer, (account, at) => [
        ...settingsEvents(exchange, changedSettings(exchange), { account, at }),
        ...(isOwn ? [] : [undefined]),
      ]);
    } else if (isAnswer && isOwn && exchange.method === 'GET') this.#settingsRead(exchange);
  }

  /** What was put is what is read, as long as nobody has changed it in another way. */
  #settingsRead(exchange: XcapExchange): void {
    const { answer, status, node } = exchange;
    const body = answer?.body;
    const said = body && readable(() => parseSettings(body));
    if (answer === undefined || status !== 200 || said === undefined || node !== undefined) return;
    const { observed } = answer;
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          const known = account.provisioned;
          const isSame = known === undefined || known === said.offlineDelivery;
          const found = `offline-delivery active="${said.offlineDelivery}" is told`;
          return isSame ? account : { clause: 'D-41', found, unknown: 0 };
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  /**
   * What an exchange has changed is so when it is answered; what else was seen in between may have
   * come before it, or after it.
   */
  #change(
    exchange: XcapExchange,
    isAnswer: boolean,
    events: (account: TrackedAccount, at: number) => readonly Alternative[],
  ): void {
    const { request, answer, id } = exchange;
    const isBetween = answer === undefined || answer.observed.number > request.observed.number + 1;
    if (!isAnswer && !isBetween) return;
    const { observed } = isAnswer ? answer! : request;
    const play = (flow: UserFlow): void => {
      flow.feed(observed, (account) => {
        const alternatives = events(account, observed.at);
        return isAnswer ? alternatives : [undefined, ...alternatives];
      });
      // HTTP has answered it.
      flow.forgive(({ effect }) => effect.type === 'sip.respond' && effect.transaction === id);
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  // ------------------------------------------------------------------------------- history

  #history(exchange: XcapExchange, isAnswer: boolean): void {
    const { method, request } = exchange;
    const isView = this.#views.has(request.observed.target);
    if (method === 'GET' && isView) this.#read(exchange, isAnswer);
    else if (method === 'PUT') this.#put(exchange, isAnswer, isView);
    else if (method === 'DELETE' && isView) this.#deletion(exchange, isAnswer);
    else if (method === 'DELETE' && this.#isOfOwner(exchange)) this.#request(exchange, isAnswer);
    else if (method === 'DELETE') this.#removed(exchange, isAnswer);
    else if (!isAnswer) this.#pass(`${method} of metadata that is kept elsewhere`);
  }

  /** Of a view nothing else is told than what the store has. */
  #read(exchange: XcapExchange, isAnswer: boolean): void {
    const { answer, status, node } = exchange;
    if (!isAnswer || answer === undefined) return;
    const reference = referenceIn(exchange);
    const isWhole = node === undefined || isRoot(exchange);
    if (status === 404 && this.#isOfOwner(exchange)) {
      if (reference !== undefined) this.#absent(exchange, reference);
      else if (isWhole) this.#listed(exchange, []);
      return;
    }
    const { body } = answer;
    if (status !== 200 || body === undefined) return;
    if (!isWhole && reference === undefined) return;
    const histories = historiesIn(body, isWhole);
    if (histories !== undefined) this.#listed(exchange, histories, doubledIn(body));
  }

  #listed(
    exchange: XcapExchange,
    histories: NonNullable<ReturnType<typeof historiesIn>>,
    doubled?: string,
  ): void {
    const { request, answer } = exchange;
    const { observed } = answer!;
    const { number, at } = request.observed;
    const isWhole = referenceIn(exchange) === undefined;
    const asked = {
      ...{ at, until: observed.at, isWhole },
      isSettled: (callId: string) => this.#settled.isBefore(callId, number),
    };
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          if (doubled === undefined) return agreement(account, histories, asked);
          return { clause: 'XCAP-03', found: `${doubled} is listed twice`, unknown: 0 };
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  /** The owner is told that there is none of that reference. */
  #absent(exchange: XcapExchange, reference: string): void {
    const { observed } = exchange.answer!;
    const clause = exchange.method === 'DELETE' ? 'D-31' : 'S1-META-ADD';
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          const serial = account.notes.serials.get(reference);
          if (serial === undefined || !account.keeps(serial, observed.at)) return account;
          return { clause, found: `${reference} is not found`, unknown: 0 };
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  /** D-31: the owner's DELETE of a history is a request to delete the message. */
  #deletion(exchange: XcapExchange, isAnswer: boolean): void {
    const { status = 0 } = exchange;
    const reference = referenceIn(exchange);
    if (reference === undefined) {
      if (isAnswer && status < 300) this.#pass('DELETE over XCAP that names no message by itself');
      return;
    }
    if (isAnswer && status === 404) {
      if (this.#isOfOwner(exchange)) this.#absent(exchange, reference);
      return;
    }
    if (!isChange(exchange)) return;
    if (isAnswer) this.#wasThere(exchange, reference);
    this.#change(exchange, isAnswer, (account, at) =>
      deletionEvents(exchange, reference, { account, at }),
    );
  }

  /** Whether a server hears of what its users delete elsewhere is not known. */
  #request(exchange: XcapExchange, isAnswer: boolean): void {
    const reference = referenceIn(exchange);
    if (!isAnswer) this.#pass('DELETE of metadata that is kept elsewhere');
    if (reference === undefined || !isChange(exchange)) return;
    this.#change(exchange, isAnswer, (account, at) => [
      undefined,
      ...deletionEvents(exchange, reference, { account, at }),
    ]);
  }

  /** What is deleted with success was there. */
  #wasThere(exchange: XcapExchange, reference: string): void {
    const { answer, request } = exchange;
    const { observed } = answer!;
    const { at } = request.observed;
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          const rows = account.listable(at);
          const { serials, names } = account.notes;
          const serial = serials.get(reference);
          const isThere = rows.some((one) =>
            serial === undefined ? !names.has(`${one.serial}`) : one.serial === serial,
          );
          const found = `${reference} is deleted, which is not there`;
          return isThere
            ? account
            : { clause: 'D-31', found, unknown: serial === undefined ? 1 : 0 };
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  // ------------------------------------------------------------ metadata that is kept elsewhere

  /** D-81: the store puts a history for each of its messages, and nobody else makes any. */
  #put(exchange: XcapExchange, isAnswer: boolean, isView: boolean): void {
    const { request, status = 0, node } = exchange;
    if (isAnswer !== isView) return;
    const isDone = status >= 200 && status < 300;
    if (!isDone) return;
    const { body } = request;
    const isWhole = node === undefined;
    const histories = body && historiesIn(body, isWhole);
    if (histories === undefined || (!isWhole && referenceIn(exchange) === undefined)) {
      this.#pass('PUT of metadata that is not there to be read');
      return;
    }
    const { observed } = isView ? exchange.answer! : request;
    const { at } = request.observed;
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          const found = 'metadata is taken in from a user';
          if (isView) return { clause: 'S1-META-ADD', found, unknown: 0 };
          // An outbox may be late, and tell of what has gone since.
          const never = { at: -Infinity, until: at, isWhole: false, isSettled: () => false };
          const put = agreement(account, histories, never);
          return 'clause' in put ? { ...put, clause: 'S1-META-ADD' } : put;
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }

  /** S1 12.4.2.8: metadata goes after its message. */
  #removed(exchange: XcapExchange, isAnswer: boolean): void {
    const reference = referenceIn(exchange);
    if (isAnswer || reference === undefined) return;
    const { observed } = exchange.request;
    const play = (flow: UserFlow): void => {
      flow.agree({
        observed,
        agreement: (account) => {
          const serial = account.notes.serials.get(reference);
          if (serial === undefined || !account.keeps(serial, observed.at)) return account;
          const found = `the history of ${reference} is deleted before its message`;
          return { clause: 'S1-META-DEL', found, unknown: 0 };
        },
      });
    };
    this.#write(this.#userOf(exchange), { observed, play });
  }
}

/** The one history that the node selects by its reference. */
function referenceIn({ node }: XcapExchange): string | undefined {
  if (node === undefined || node === 'unknown') return undefined;
  const { steps, terminal } = node;
  const { attribute, position } = steps[1] ?? {};
  if (steps.length !== 2 || terminal !== undefined || position !== undefined) return undefined;
  return attribute?.name === 'history-reference' ? nameOf(attribute.value) : undefined;
}

function nameOf(reference: string): string {
  return reference.replace(/^sips?:/i, '').replace(/[;?].*$/, '');
}

function isRoot({ node }: XcapExchange): boolean {
  if (node === undefined || node === 'unknown') return false;
  return node.steps.length === 1 && node.terminal === undefined;
}

function deletionEvents(
  { id }: XcapExchange,
  reference: string,
  { account, at }: { readonly account: TrackedAccount; readonly at: number },
): readonly Alternative[] {
  return deleted([reference], account, true).map((serials) =>
    eventFor('mailbox', {
      ...{ type: 'deletion.requested', at, transaction: id, limits: account.limits },
      ...{ foreign: [], serials: serialSet(serials) },
    }),
  );
}

function settingsEvents(
  { id }: XcapExchange,
  changed: ChangedSettings,
  { account, at }: { readonly account: TrackedAccount; readonly at: number },
): readonly Alternative[] {
  const possible: readonly SettingsFacts[] =
    changed === 'unknown' ? [{ offlineDelivery: true }, { offlineDelivery: false }, {}] : [changed];
  return possible.map((settings) =>
    eventFor('mailbox', {
      ...{ type: 'settings.received', at, transaction: id, settings, limits: account.limits },
    }),
  );
}
