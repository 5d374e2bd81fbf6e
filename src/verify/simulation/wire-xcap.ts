/** What a user asks the XDMS: metadata and settings, by requests that are cut off as others are. */

import { deferredListAuid } from '../../transport/xcap/deferred-list.js';
import type { XcapExchange, XcapResponse } from '../../transport/xcap/exchange.js';
import { Identification } from '../../transport/xcap/identity.js';
import { StoreError } from '../../store/store-error.js';
import { parseHistoryList } from '../../wire/xml/history.js';
import { parseSettings, writeSettings } from '../../wire/xml/settings.js';
import { serverAddress } from './wire-server.js';
import { settingsOf, xcapRoot } from './wire-xdms.js';
import type { WireSimulation } from './wire-simulator.js';

const trusted = new Identification(['198.18.0.0/15'], undefined);

interface Question {
  readonly method: 'GET' | 'PUT';
  readonly target: string;
  readonly body?: Buffer;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

interface XcapUser {
  readonly address: string;
  readonly aor: string;
}

export class WireXcap {
  readonly #world: WireSimulation;
  readonly #user: XcapUser;
  /** The setting that holds; undefined: nobody knows, for an answer was lost. */
  #isActive: boolean | undefined = true;
  /** Nothing was put yet: there is no document. */
  #isUnset = true;
  #isAsking = false;

  constructor(world: WireSimulation, user: XcapUser) {
    this.#world = world;
    this.#user = user;
  }

  /** The serials of the messages that metadata names; undefined: no answer. */
  async list(): Promise<readonly number[] | undefined> {
    const answer = await this.#ask({
      method: 'GET',
      target: this.#document(deferredListAuid, 'deferred-list'),
    });
    if (answer?.status === 404) return [];
    if (answer?.status !== 200) return undefined;
    return parseHistoryList(answer.body).map(({ reference }) => Number(/\d+/.exec(reference)?.[0]));
  }

  /** Whether messages are to be pushed; what was acknowledged is what is read from then on. */
  async set(isActive: boolean): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#isActive = undefined;
    const body = Buffer.from(writeSettings({ offlineDelivery: isActive }));
    const answer = await this.#ask({ method: 'PUT', target: this.#settings(), body });
    this.#isUnset = false;
    if (answer && answer.status < 300) this.#isActive = isActive;
    this.#isAsking = false;
  }

  async check(): Promise<void> {
    const expected = this.#isActive;
    if (this.#isAsking || this.#isUnset || expected === undefined) return;
    this.#isAsking = true;
    const answer = await this.#ask({ method: 'GET', target: this.#settings() });
    this.#isAsking = false;
    if (!answer || answer.status === 503) return;
    const isActive =
      answer.status === 200 ? parseSettings(answer.body).offlineDelivery : answer.status;
    if (isActive !== expected) {
      const text = `${this.#user.aor} has set ${expected}, and reads ${String(isActive)}`;
      this.#world.breach('settings', text);
    }
  }

  #settings(): string {
    return this.#document(settingsOf.auid, settingsOf.name);
  }

  #document(auid: string, name: string): string {
    return `${xcapRoot}/${auid}/users/${this.#user.aor}/${name}`;
  }

  /** Undefined: the question or its answer was lost. */
  async #ask(question: Question): Promise<Answer | undefined> {
    this.#world.figures.xcap++;
    const server = (await this.#passes()) ? this.#world.server : undefined;
    const exchange = server?.xcap;
    if (!exchange) return undefined;
    const asked = this.#answer(exchange, question);
    const answer = await Promise.race([asked, server.died]);
    if (!answer || !(await this.#passes())) return undefined;
    return answer;
  }

  async #answer(exchange: XcapExchange, question: Question): Promise<Answer | undefined> {
    const { method, target, body = Buffer.alloc(0) } = question;
    const type = body.length > 0 ? settingsOf.contentType : undefined;
    const none = { ifMatch: undefined, ifNoneMatch: undefined };
    const { aor, address } = this.#user;
    const asserted = `"${aor}"`;
    const claim = { asserted, intended: undefined, isPrivate: false, authorization: [] };
    const identify = () => trusted.identify({ ...claim, address, method, uri: target, body });
    try {
      const response = await exchange.answer({ method, target, type, body, ...none, identify });
      return { status: response.status, body: await octetsOf(response) };
    } catch (error) {
      if (error instanceof StoreError) return { status: 503, body: Buffer.alloc(0) };
      if (isOfAccounts(error)) return { status: 503, body: Buffer.alloc(0) };
      this.#world.breach('stops', `XCAP ${method}: ${String(error)}`);
      return undefined;
    }
  }

  /** Whether it comes to the other end, when it does. */
  #passes(): Promise<boolean> {
    const { network } = this.#world;
    return new Promise((resolve) => {
      network.clock.after(network.weather.passage(), () => {
        resolve(!network.isCut(this.#user.address, serverAddress));
      });
    });
  }
}

async function octetsOf({ body = '' }: XcapResponse): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** As the HTTP face tells what is to be tried again. */
function isOfAccounts(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^ACCOUNTS?_/.test(String(error.code));
}
