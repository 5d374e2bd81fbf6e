/** The IM client over given ports: it starts the parts, routes requests to them and ends them. */

import { Arrivals } from './arrivals.js';
import { Delivery } from './delivery.js';
import { pagerMessage } from './encapsulation.js';
import { ClientError } from './im-client.js';
import type {
  DeleteOptions,
  DeliveredMessage,
  ImClient,
  ListedMessage,
  MessageWaiting,
  Outcome,
  PublishOptions,
  PublishOutcome,
  PublishedSettings,
  RegisterOutcome,
  RetrieveOptions,
  RetrieveOutcome,
  SendLargeOptions,
  SendLargeOutcome,
  SendOptions,
  SendOutcome,
  WatchOptions,
} from './im-client.js';
import { Deletion } from './deletion.js';
import { Intake } from './intake.js';
import { LargeMessage } from './large-message.js';
import { Metadata } from './metadata.js';
import { nodeFiles } from './node-files.js';
import { Publication } from './publication.js';
import type { Content, SipReceived } from '../ports.js';
import { WireError } from '../wire/error.js';
import { tagOf } from '../wire/sip/name-addr.js';
import { Registration } from './registration.js';
import { allow, contact } from './request.js';
import { Retrieval } from './retrieval.js';
import { Submissions } from './submission.js';
import { Watcher } from './watcher.js';
import type { ClientWorld } from './world.js';

const defaultExpires = 3600;

/** Where the ports of a client are open. */
export interface OpenPorts {
  readonly address: { readonly host: string; readonly port: number };
  close(graceMs: number): Promise<void>;
}

export class Client implements ImClient {
  readonly #world: ClientWorld;
  readonly #open: (outside: (received: SipReceived) => void) => Promise<OpenPorts>;
  readonly #intake: Intake;
  readonly #arrivals: Arrivals<DeliveredMessage>;
  readonly #registration: Registration;
  readonly #submissions: Submissions;
  readonly #watchers = new Set<Watcher>();
  readonly #retrievals = new Set<Retrieval>();
  readonly #deliveries = new Set<Delivery>();
  readonly #transfers = new Set<LargeMessage>();
  readonly #deletions = new Set<Deletion>();
  readonly #publication: Publication;
  readonly #metadata: Metadata;
  #ports: OpenPorts | undefined;
  #next = 1;
  #state: 'new' | 'running' | 'stopped' = 'new';

  /** `open` opens the ports of `world`; it is given what takes the requests outside of dialogs. */
  constructor(
    world: ClientWorld,
    open: (outside: (received: SipReceived) => void) => Promise<OpenPorts>,
  ) {
    this.#world = world;
    this.#open = open;
    const { spool, files = nodeFiles } = world.options;
    const token = world.random.token(12);
    this.#intake = new Intake(
      world.limits,
      spool === undefined ? undefined : { files, directory: spool, token },
    );
    this.#publication = new Publication(world);
    this.#metadata = new Metadata(world);
    this.#arrivals = new Arrivals(world.limits.queuedMessages);
    this.#registration = new Registration(world);
    this.#submissions = new Submissions(world);
  }

  get address(): { readonly host: string; readonly port: number } {
    if (!this.#ports) throw new ClientError('CLIENT_USAGE', 'the client is not started');
    return this.#ports.address;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new ClientError('CLIENT_USAGE', 'a client starts once');
    this.#state = 'running';
    this.#ports = await this.#open((received) => this.#outside(received));
  }

  async register(options: { readonly expires?: number } = {}): Promise<RegisterOutcome> {
    this.#assertRunning();
    return this.#registration.register(options.expires ?? defaultExpires);
  }

  async unregister(): Promise<RegisterOutcome> {
    this.#assertRunning();
    return this.#registration.unregister();
  }

  async send(to: string, body: Buffer | string, options: SendOptions = {}): Promise<SendOutcome> {
    this.#assertRunning();
    return this.#submissions.send(to, body, options);
  }

  watch(options: WatchOptions = {}): AsyncIterableIterator<MessageWaiting, undefined> {
    this.#assertRunning();
    const watcher: Watcher = new Watcher(this.#world, `watcher/${this.#next++}`, () =>
      this.#watchers.delete(watcher),
    );
    this.#watchers.add(watcher);
    return watcher.watch(options.expires ?? defaultExpires);
  }

  async retrieve(options: RetrieveOptions = {}): Promise<RetrieveOutcome> {
    this.#assertRunning();
    if (options.ids?.length === 0) {
      throw new ClientError('CLIENT_USAGE', 'an empty list of ids names no message');
    }
    const owner = `retrieval/${this.#next++}`;
    const retrieval: Retrieval = new Retrieval(this.#world, this.#intake, owner, options, () =>
      this.#retrievals.delete(retrieval),
    );
    this.#retrievals.add(retrieval);
    return retrieval.run();
  }

  async sendLarge(
    to: string,
    content: Buffer | Content,
    options: SendLargeOptions = {},
  ): Promise<SendLargeOutcome> {
    this.#assertRunning();
    const { transfers } = this.#world.limits;
    if (this.#transfers.size >= transfers) {
      throw new ClientError('CLIENT_OVERFLOW', `${transfers} large messages are on their way`);
    }
    const owner = `transfer/${this.#next++}`;
    const message = { to, content, options };
    const transfer: LargeMessage = new LargeMessage(this.#world, owner, message, () =>
      this.#transfers.delete(transfer),
    );
    this.#transfers.add(transfer);
    return transfer.run();
  }

  async delete(ids: readonly string[], { by = 'refer' }: DeleteOptions = {}): Promise<Outcome> {
    this.#assertRunning();
    if (ids.length === 0) {
      throw new ClientError('CLIENT_USAGE', 'an empty list of ids names no message');
    }
    if (by === 'xcap') return this.#metadata.delete(ids);
    const owner = `deletion/${this.#next++}`;
    const deletion: Deletion = new Deletion(this.#world, owner, by, () =>
      this.#deletions.delete(deletion),
    );
    this.#deletions.add(deletion);
    return deletion.run(ids);
  }

  async publish(
    settings: PublishedSettings,
    options: PublishOptions = {},
  ): Promise<PublishOutcome> {
    this.#assertRunning();
    return this.#publication.publish(settings, options.expires ?? defaultExpires);
  }

  async unpublish(): Promise<PublishOutcome> {
    this.#assertRunning();
    return this.#publication.unpublish();
  }

  async list(): Promise<readonly ListedMessage[]> {
    this.#assertRunning();
    return this.#metadata.list();
  }

  deliveries(): AsyncIterableIterator<DeliveredMessage, undefined> {
    return this.#arrivals.iterate(() => undefined);
  }

  async stop(options: { readonly unregister?: boolean } = {}): Promise<void> {
    if (this.#state !== 'running') {
      this.#state = 'stopped';
      return;
    }
    this.#state = 'stopped';
    await this.#takeLeave(options.unregister ?? true);
    this.#arrivals.close();
    this.#submissions.stop();
    this.#registration.stop();
    this.#publication.stop();
    this.#metadata.stop();
    for (const party of [...this.#watchers, ...this.#deletions]) party.stop();
    for (const session of this.#sessions) session.stop();
    await this.#ports?.close(this.#world.limits.graceMs);
  }

  /** Everybody is told at the same time; nobody is waited for longer than the grace. */
  async #takeLeave(unregister: boolean): Promise<void> {
    for (const session of this.#sessions) session.withdraw();
    const leaving: Promise<unknown>[] = [...this.#watchers].map((watcher) => watcher.leave());
    if (unregister && this.#registration.isRegistered) {
      // Whether the registrar hears it or not, the client goes.
      leaving.push(this.#registration.unregister().catch(() => undefined));
    }
    if (this.#publication.isPublished) {
      leaving.push(this.#publication.unpublish().catch(() => undefined));
    }
    if (leaving.length === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#world.clock.after(this.#world.limits.graceMs, resolve);
      void Promise.all(leaving).then(() => {
        cancel();
        resolve();
      });
    });
  }

  get #sessions(): readonly (Retrieval | Delivery | LargeMessage)[] {
    return [...this.#retrievals, ...this.#deliveries, ...this.#transfers];
  }

  #assertRunning(): void {
    if (this.#state === 'running') return;
    throw this.#state === 'new'
      ? new ClientError('CLIENT_USAGE', 'the client is not started')
      : new ClientError('CLIENT_STOPPED', 'the client was stopped');
  }

  #outside(received: SipReceived): void {
    const { sip } = this.#world;
    try {
      this.#dispatch(received);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      sip.respond(received.transaction, { status: error.status, headers: [] });
      this.#world.log.debug({ code: error.code }, 'a request was refused');
    }
  }

  #dispatch(received: SipReceived): void {
    const { sip } = this.#world;
    const { request, transaction } = received;
    const inDialog = tagOf(request.header('To')) !== undefined;
    // DLG-02: a dialog that nobody here knows any more; a NOTIFY may be for a watcher.
    if (inDialog && request.method !== 'NOTIFY') {
      sip.respond(transaction, { status: 481, headers: [] });
      return;
    }
    switch (request.method) {
      case 'INVITE':
        this.#invited(received);
        return;
      case 'NOTIFY':
        this.#notified(received);
        return;
      case 'MESSAGE':
        void this.#paged(received);
        return;
      case 'OPTIONS': {
        const [name, value] = contact(this.#world);
        sip.respond(transaction, {
          status: 200,
          headers: [
            [name, value],
            ['Allow', allow],
            ['Accept', 'application/sdp, application/simple-message-summary, */*'],
          ],
        });
        return;
      }
      case 'BYE':
        sip.respond(transaction, { status: 481, headers: [] });
        return;
      default:
        sip.respond(transaction, { status: 405, headers: [['Allow', allow]] });
    }
  }

  #invited(received: SipReceived): void {
    const busy = this.#deliveries.size >= this.#world.limits.deliveries;
    const delivery: Delivery = new Delivery(this.#world, this.#intake, {
      owner: `delivery/${this.#next++}`,
      consume: (message) => this.#deliver(message),
      onEnd: () => this.#deliveries.delete(delivery),
    });
    this.#deliveries.add(delivery);
    delivery.invited(received, busy);
  }

  #notified(received: SipReceived): void {
    const { request, transaction } = received;
    if (request.header('Event')?.split(';')[0]?.trim() !== 'message-summary') {
      this.#world.sip.respond(transaction, { status: 489, headers: [] });
      return;
    }
    const callId = request.header('Call-ID');
    const watcher = [...this.#watchers].find((candidate) => candidate.isFor(callId));
    if (watcher) watcher.notified(received);
    else this.#world.sip.respond(transaction, { status: 481, headers: [] });
  }

  /** A MESSAGE that comes by itself: 200 when it is safe with the user (MSG-03). */
  async #paged({ request, transaction }: SipReceived): Promise<void> {
    const callId = request.header('Call-ID') ?? '';
    const message = pagerMessage(callId, request.all(), request.body, request.bytes);
    let taken = false;
    try {
      taken = this.#world.options.push !== 'decline' && (await this.#deliver(message));
    } catch {
      // The consumer has failed: the sender keeps the message.
    }
    this.#world.sip.respond(transaction, { status: taken ? 200 : 480, headers: [] });
  }

  async #deliver(message: DeliveredMessage): Promise<boolean> {
    const { options, clock, limits } = this.#world;
    if (!options.onDelivery) return this.#arrivals.offer(message, clock, limits.consumerMs);
    await options.onDelivery(message);
    return true;
  }
}
