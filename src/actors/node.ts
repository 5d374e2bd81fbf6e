/** The actors of one node, ready to be joined to transports. */

import assert from 'node:assert';
import type { AccountEvent, Address } from '../machines/events.js';
import type {
  AccountId,
  MsrpHandler,
  OperatorPort,
  Owner,
  ProvisioningPort,
  SipHandler,
} from '../ports.js';
import { Admission, admissionLimits } from './admission.js';
import { limitsOf } from './account-limits.js';
import type { Actors, Withdrawal } from './actors.js';
import { Accounts } from './accounts.js';
import { Authentication } from './authentication.js';
import { ProvenAnswers } from './authentication-info.js';
import { isInitial, transactionOf } from './account-world.js';
import type { AccountWorld, Input } from './account-world.js';
import { createCounters } from './counters.js';
import type { Counters } from './counters.js';
import { Courier } from './courier.js';
import { Directory } from './directory.js';
import { Budget } from './held-messages.js';
import { Egress } from './egress.js';
import type { EgressEvent } from './egress.js';
import { MetadataRounds } from './metadata-rounds.js';
import { MsrpIngress } from './ingress-msrp.js';
import { defaultSettingsPackage } from './ingress-publish.js';
import { SipIngress } from './ingress.js';
import { LocalTransactions } from './local-transactions.js';
import { MediaSessions } from './media-sessions.js';
import { defaultBounds } from './options.js';
import type { ActorsOptions, Bounds } from './options.js';
import { Pace } from './pace.js';
import { Policy } from './policy.js';
import type { PolicyRule } from './policy-rules.js';
import { formatOwner } from './owner.js';
import { product } from './product.js';
import type { Profile } from './profile.js';
import { omaIm } from './profiles/oma-im.js';
import { PushOpenings } from './push-opening.js';
import type { Product } from './product.js';
import { Recordings } from './recordings.js';
import { RegistrationWatches } from './registration-watches.js';
import { Serials } from './serials.js';
import { AssociatedIdentities } from './associated-identities.js';
import { ServedUsers } from './served-users.js';
import { DueTimers } from './timers.js';
import { createTrust } from './trust.js';
import { Survey } from './survey.js';
import { UploadSweeper } from './upload-sweeper.js';

export type { Actors, Withdrawal } from './actors.js';

export function createActors(options: ActorsOptions): Actors {
  return new Node(options);
}

class Node implements Actors {
  readonly sipHandler: SipHandler;
  readonly msrpHandler: MsrpHandler;
  readonly accounts: OperatorPort;
  readonly #options: ActorsOptions;
  readonly #profile: Profile;
  readonly #answers: ProvenAnswers;
  readonly #admission: Admission;
  readonly #bounds: Bounds;
  readonly #counters: Counters = createCounters();
  readonly #bridges: Budget;
  readonly #serials: Serials;
  readonly #provisioning: ProvisioningPort | undefined;
  readonly #associated: AssociatedIdentities;
  readonly #users: ServedUsers;
  readonly #product: Product;
  readonly #policy: Policy;
  readonly #local: LocalTransactions;
  readonly #media: MediaSessions;
  readonly #recordings: Recordings;
  readonly #registrations: RegistrationWatches | undefined;
  readonly #egress: Egress;
  readonly #courier: Courier;
  readonly #directory: Directory;
  readonly #timers: DueTimers;
  readonly #rounds: MetadataRounds;
  readonly #sweeper: UploadSweeper;
  readonly #survey: Survey;
  #open = false;
  #draining = false;

  constructor(options: ActorsOptions) {
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#bridges = new Budget(this.#bounds.bridges);
    this.#profile = options.profile ?? omaIm;
    this.#admission = new Admission(options.admission ?? admissionLimits, options.clock);
    this.#answers = new ProvenAnswers(options.sip, this.#bounds.proofs, (transaction) =>
      this.#admission.answered(transaction),
    );
    this.#options = {
      ...options,
      sip: this.#answers,
      limits: { ...options.limits, profile: this.#profile.delivery },
    };
    const { store, hostname, version } = options;
    const { nodeBlock, accountBlock, identities, identitiesMs } = this.#bounds;
    this.#serials = new Serials({ store, hostname, nodeBlock, accountBlock });
    this.#provisioning = options.provisioning ?? store.provisioning;
    const { clock, log } = options;
    this.#associated = new AssociatedIdentities({
      ...{ bound: identities, lastingMs: identitiesMs, clock, log, store: store.associations },
    });
    this.#users = new ServedUsers({
      ...{ ...options, associated: this.#associated, provisioning: this.#provisioning },
    });
    this.#product = product(version, this.#users.hostname);
    this.#policy = this.#createPolicy();
    this.#local = new LocalTransactions(options.clock, this.#bounds);
    this.#media = this.#createMedia();
    this.#recordings = this.#createRecordings();
    this.#egress = this.#createEgress();
    this.#courier = this.#createCourier();
    this.#directory = new Directory({
      world: this.#createWorld(),
      store,
      placement: options.placement,
    });
    this.#timers = this.#createTimers();
    this.#rounds = this.#createRounds();
    this.#sweeper = new UploadSweeper({ ...options, bounds: this.#bounds });
    this.#survey = new Survey({ ...options, bounds: this.#bounds });
    this.accounts = this.#createAccounts();
    this.#registrations = this.#createRegistrations();
    this.sipHandler = this.#createSipHandler();
    this.msrpHandler = new MsrpIngress({
      ...{ clock, limits: this.#options.limits },
      ...{ recordings: this.#recordings, media: this.#media },
      tell: (account, to, event) => this.#tell(account, to, event),
    });
  }

  async start(open?: () => Promise<void>): Promise<void> {
    assert(!this.#open);
    await this.#serials.ready();
    await this.#associated.load();
    this.#open = true;
    await open?.();
    this.#timers.start();
    if (this.#options.xdms) this.#rounds.start();
    this.#sweeper.start();
    this.#survey.start();
  }

  async stop(graceMs: number): Promise<void> {
    this.#open = false;
    this.#registrations?.stop();
    this.#timers.stop();
    this.#rounds.stop();
    this.#sweeper.stop();
    this.#survey.stop();
    let withdraw: (() => void) | undefined;
    const grace = new Promise<void>((resolve) => {
      withdraw = this.#options.clock.after(graceMs, resolve);
    });
    await Promise.race([this.#directory.settled(), grace]);
    withdraw?.();
    this.#directory.end();
  }

  setPolicy(rules: readonly PolicyRule[]): void {
    this.#policy.replace(rules);
  }

  drain(draining: boolean): void {
    this.#draining = draining;
  }

  isDraining(): boolean {
    return this.#draining;
  }

  rebuildMetadata(account: AccountId): Promise<boolean> {
    const taken = this.#open && this.#options.xdms !== undefined;
    return taken ? this.#directory.rebuild(account) : Promise.resolve(false);
  }

  async withdraw({ reason, retryAfter }: Withdrawal): Promise<void> {
    const { clock, limits } = this.#options;
    this.#directory.withdraw({
      type: 'subscription.withdrawn',
      at: clock.now(),
      reason,
      ...(reason === 'probation' && { retryAfter }),
      limits,
    });
    await this.#directory.settled();
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counters,
      ...this.#admission.counters(),
      ...this.#survey.counters(),
      'actors.accounts': this.#directory.size,
      'actors.sessions': this.#media.size,
      'actors.uploads': this.#recordings.uploads,
      'actors.bridged': this.#bridges.held,
      'actors.registrations': this.#registrations?.size ?? 0,
    };
  }

  // ---------------------------------------------------------------------------- submitting

  #submit(account: AccountId, input: Input): boolean {
    const submitted = this.#open ? this.#directory.submit(account, input) : 'busy';
    if (submitted === 'taken') return true;
    const transaction = transactionOf(input);
    if (transaction !== undefined) this.#egress.refuse(transaction, 503);
    return false;
  }

  /** What opens something new is taken while there is time and room for it. */
  #admit(account: AccountId, input: Input): boolean {
    const transaction = isInitial(input) ? transactionOf(input) : undefined;
    if (transaction === undefined) return this.#submit(account, input);
    const octets = input.kind === 'message' ? input.payload.length : 0;
    if (this.#admission.admit(account, transaction, octets)) return this.#submit(account, input);
    this.#counters['actors.overloads']++;
    this.#egress.refuse(transaction, 503);
    return false;
  }

  #tell(account: AccountId, to: Address, event: AccountEvent): void {
    this.#submit(account, { kind: 'event', to, event });
  }

  // ------------------------------------------------------------------------------ assembly

  get #honoursPrivacy(): boolean {
    return this.#options.privacy !== 'ignore';
  }

  #createAccounts(): Accounts {
    const { store, clock, limits } = this.#options;
    return new Accounts({
      ...{ store, clock, limits },
      users: this.#users,
      local: this.#local,
      limitsOf: (account) => limitsOf(this.#provisioning, account, limits),
      submit: (account, input) => this.#submit(account, input),
    });
  }

  #createWorld(): AccountWorld {
    const { clock, random, log, limits, xdms } = this.#options;
    return {
      ...{ clock, random, log, limits },
      bounds: this.#bounds,
      counters: this.#counters,
      serials: this.#serials,
      performer: this.#egress,
      admission: this.#admission,
      turns: this.#options.turns,
      pace: new Pace(this.#bounds.dueTurns),
      forwardOctets: new Budget(this.#bounds.forwardOctets),
      bridges: this.#bridges,
      externalXdms: xdms !== undefined,
      limitsOf: (account, base) => limitsOf(this.#provisioning, account, base),
      deliver: (account, row) => this.#courier.deliver(account, row),
      wakeAt: (at) => this.#timers.expect(at),
    };
  }

  #createPolicy(): Policy {
    const { clock, log, policyRules = [], policy } = this.#options;
    const parts = { clock, log, counters: this.#counters, bounds: this.#bounds };
    return new Policy(parts, policyRules, policy);
  }

  #createMedia(): MediaSessions {
    const { msrp, store, clock, log, hostname, cema = false } = this.#options;
    const { payloadHeadBytes, payloadOctets, pathMs } = this.#bounds;
    const { sentTypes } = this.#profile;
    const privacy = this.#honoursPrivacy;
    const common = { msrp, store, clock, log, hostname };
    return new MediaSessions({
      ...{ ...common, payloadHeadBytes, payloadOctets, pathMs, sentTypes, privacy, cema },
      unsent: (owner, status) => this.msrpHandler.sent(owner, '', status),
    });
  }

  #createRecordings(): Recordings {
    const { store, clock, random, log, limits } = this.#options;
    return new Recordings({
      ...{ store, clock, random, log, limits },
      counters: this.#counters,
      bounds: this.#bounds,
      submit: (account, input) => this.#submit(account, input),
      tell: (account, to, event) => this.#tell(account, to, event),
    });
  }

  #createEgress(): Egress {
    const { sip, log, clock, limits, random, store } = this.#options;
    const { payloadHeadBytes: headBytes } = this.#bounds;
    const privacy = this.#honoursPrivacy;
    const unsent = (owner: Owner, status: number): void => this.msrpHandler.sent(owner, '', status);
    return new Egress({
      ...{ sip, log, random },
      profile: this.#profile,
      openings: new PushOpenings({ store, log, headBytes, privacy, unsent }),
      counters: this.#counters,
      media: this.#media,
      recordings: this.#recordings,
      local: this.#local,
      product: this.#product,
      summary: this.#options.summary,
      deferredUri: this.#users.deferredUri,
      privacy: this.#honoursPrivacy,
      retryAfter: this.#bounds.retryAfter,
      tell: (account, to, event: EgressEvent) =>
        this.#tell(account, to, { ...event, at: clock.now(), limits }),
    });
  }

  #createCourier(): Courier {
    const { sip, xdms, log } = this.#options;
    return new Courier({
      ...{ sip, xdms, log },
      product: this.#product,
      perTarget: this.#bounds.reportsPerTarget,
      reportOctets: this.#bounds.reportOctets,
      counters: this.#counters,
      messageUri: (serial) => this.#users.messageUri(serial),
      histories: (account, range) => this.accounts.histories(account, range),
    });
  }

  #createRounds(): MetadataRounds {
    const { store, clock, log } = this.#options;
    const rebuild = (account: AccountId) => this.rebuildMetadata(account);
    return new MetadataRounds({ store, clock, log, bounds: this.#bounds, rebuild });
  }

  #createTimers(): DueTimers {
    const { store, clock, log, placement } = this.#options;
    return new DueTimers({
      ...{ store, clock, log },
      bounds: this.#bounds,
      wake: (account) =>
        placement && !placement.owns(account)
          ? Promise.resolve(false)
          : this.#directory.wake(account),
    });
  }

  #createRegistrations(): RegistrationWatches | undefined {
    const { regEvent } = this.#options;
    const submit = (account: AccountId, input: Input) => this.#submit(account, input);
    const parts = { bounds: this.#bounds, product: this.#product, users: this.#users, submit };
    return regEvent && new RegistrationWatches({ ...this.#options, ...parts, regEvent });
  }

  #createSipHandler(): SipHandler {
    const { sip, msrp, clock, random, log, limits, registrar, authentication } = this.#options;
    const { trustedPeers: peers = [], trustedNames: names = [], cema = false } = this.#options;
    return new SipIngress(
      {
        ...{ sip, clock, random, log, limits },
        bounds: this.#bounds,
        media: {
          get tls() {
            return msrp.fingerprint !== undefined;
          },
          cema,
        },
        counters: this.#counters,
        users: this.#users,
        product: this.#product,
        policy: this.#policy,
        settingsPackage: this.#options.settingsPackage ?? defaultSettingsPackage,
        registrar: registrar ?? true,
        privacy: this.#honoursPrivacy,
        authentication:
          authentication && new Authentication(authentication, { clock, random, log }),
        registrations: this.#registrations,
        isTrusted: createTrust({ peers, names }),
        isDraining: () => this.#draining,
        prove: (transaction, proof) => this.#answers.keep(transaction, proof),
        hasFocus: (account, focus) =>
          this.#media.has(formatOwner({ account, address: `focus/${focus}` })),
        cancel: (transaction) => this.#egress.cancel(transaction),
        submit: (account, input) => this.#admit(account, input),
      },
      this.#courier,
    );
  }
}
