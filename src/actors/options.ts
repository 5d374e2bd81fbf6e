/** What the actors of a node are told when they are made: ports, names, limits and bounds. */

import type {
  Clock,
  Log,
  MsrpPort,
  PlacementPort,
  PolicyPort,
  ProvisioningPort,
  Random,
  SipPort,
  StorePort,
  TurnTrace,
  XdmsPort,
} from '../ports.js';
import type { Limits } from '../machines/events.js';
import type { AdmissionLimits } from './admission.js';
import type { SummaryForm } from './notify.js';
import type { AuthenticationOptions } from './authentication.js';
import type { Profile } from './profile.js';
import type { SettingsPackage } from './ingress-publish.js';
import type { PolicyRule } from './policy-rules.js';
import type { RegEventOptions } from './registration-watches.js';
import type { Learnt } from './served-users.js';

export interface ActorsOptions {
  readonly store: StorePort;
  readonly sip: SipPort;
  readonly msrp: MsrpPort;
  /** An external XDMS. Absent: the embedded one, a view on the store. */
  readonly xdms?: XdmsPort;
  /** Absent: this node owns every account. */
  readonly placement?: PlacementPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  /** What the operator lets pass; a port is asked about what the rules let pass. */
  readonly policyRules?: readonly PolicyRule[];
  readonly policy?: PolicyPort;
  /** The partition of the store that names Message-IDs (D-04), such as `s07.poste.example.net`. */
  readonly hostname: string;
  /** Further host names under which `Deferred@` is answered (D-06). */
  readonly serviceHosts?: readonly string[];
  /** `Deferred` unless told otherwise. */
  readonly deferredUser?: string;
  /** Further user parts under which it is reached (D-06). */
  readonly deferredAliases?: readonly string[];
  /** User part of the URI that takes lists of messages to delete; `Delete` unless told otherwise. */
  readonly deleteUser?: string;
  /** Event and content type of settings that users publish. */
  readonly settingsPackage?: SettingsPackage;
  /** Served domains; `*` serves every domain. */
  readonly domains: readonly string[];
  /** Served users as `user@domain`; absent: every user of a served domain. */
  readonly users?: readonly string[];
  /** Further identities of served users, such as `tel:+12025550147` → `tomas@example.net`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The directory of accounts; absent: that of the store, if it has one. */
  readonly provisioning?: ProvisioningPort;
  /** Only `users` and provisioned accounts: nobody is served for being in a served domain. */
  readonly provisionedOnly?: boolean;
  /** Peers whose P-Asserted-Identity and third-party REGISTER count, as CIDR blocks. */
  readonly trustedPeers?: readonly string[];
  /** The same by the domains that the certificate of a peer proves; `*.example.net` matches too. */
  readonly trustedNames?: readonly string[];
  /** Digest authentication of everybody else; absent: what needs an identity is refused. */
  readonly authentication?: AuthenticationOptions;
  /** What Privacy: id of a sender is worth towards recipients; `honour` by default (PAI-03). */
  readonly privacy?: 'honour' | 'ignore';
  /** What the deployment expects beyond the standard; `oma-im` when absent. */
  readonly profile?: Profile;
  /** Whether MSRP connections may go to c= and m= instead of the path (RFC 6714). */
  readonly cema?: boolean;
  /** Whether users register here directly (standalone mode). */
  readonly registrar?: boolean;
  /** Whether S-CSCFs are asked to tell of registrations (RFC 3680); absent: they are not. */
  readonly regEvent?: RegEventOptions;
  readonly bounds?: Partial<Bounds>;
  /** What is taken of more than can be done in time. */
  readonly admission?: AdmissionLimits;
  /** Sees what the actors tell each other, turn by turn. */
  readonly turns?: TurnTrace;
  /** Hears of identities that a trusted S-CSCF has told of a user. */
  readonly learnt?: Learnt;
  /** How message waiting is told; as in RFC 3842 unless told otherwise. */
  readonly summary?: SummaryForm;
  /** Version of the product in Server and User-Agent. */
  readonly version: string;
}

/** Bounds of everything that could grow. */
export interface Bounds {
  /** Accounts held in memory at a time. */
  readonly accounts: number;
  /** Inputs that wait in one account. */
  readonly queue: number;
  /** Turns of one account that run ahead of their commits. */
  readonly ahead: number;
  /** Steps of one turn. */
  readonly steps: number;
  /** Reports on their way to one URI, the one in flight included. */
  readonly reportsPerTarget: number;
  /** Durable effects of one account in memory; the others wait in the store. */
  readonly outboxEntries: number;
  /** ms for which metadata of a deleted message waits until its report has been tried (D-29). */
  readonly reportFirstMs: number;
  /** Octets of a report on the wire (RFC 3428 8); more only where every link is congestion-safe. */
  readonly reportOctets: number;
  /** Attempts before a durable effect becomes a dead letter. */
  readonly outboxAttempts: number;
  /** ms before the second attempt; doubled up to `outboxRetryMaxMs`. */
  readonly outboxRetryMs: number;
  readonly outboxRetryMaxMs: number;
  /** ms after which an account is woken for an outbox that a crash has left behind. */
  readonly outboxWakeMs: number;
  /** Changes of metadata that wait in one account before one rebuild stands for them. */
  readonly histories: number;
  /** ms between two rebuilds of all metadata in an external XDMS; 0: only when asked for (D-83). */
  readonly rebuildMs: number;
  /** ms between two accounts of such a rebuild. */
  readonly rebuildPauseMs: number;
  /** ms for which a submission is recognised when it comes again (D-18). */
  readonly duplicateMs: number;
  /** Submissions remembered per account. */
  readonly digests: number;
  /** Verdicts of the policy port that are waited for, and ms for one of them. */
  readonly policyPending: number;
  readonly policyMs: number;
  /** Numbers that a node reserves at a time, and those that one mailbox takes. */
  readonly nodeBlock: number;
  readonly accountBlock: number;
  /** Accounts woken by one look at the due timers. */
  readonly due: number;
  /** Of these, those that are woken at a time, and timers that one account is told at a time. */
  readonly dueAtOnce: number;
  readonly dueTimers: number;
  /** Turns of such timers, of all accounts, before the event loop looks at what else has come. */
  readonly dueTurns: number;
  /** ms above which waking an account is slow, and as long a rest comes before the next one. */
  readonly dueSlowMs: number;
  /** Longest ms between two looks at the due timers. */
  readonly dueMs: number;
  /** Octets of a body that ingress reads (SDP, lists, embedded messages). */
  readonly bodyBytes: number;
  /** Large messages that are coming in at a time, in all sessions and in one. */
  readonly uploads: number;
  readonly uploadsPerSession: number;
  /** ms after which what came in and was not kept is removed, and between two looks for such. */
  readonly uploadMs: number;
  readonly sweepMs: number;
  /** Octets kept of the header fields of an INVITE, of its 200, and of all SENDs of a message. */
  readonly recordedHeaderBytes: number;
  /** Octets at the beginning of a large message in which its CPIM headers are looked for. */
  readonly cpimHeadBytes: number;
  /** Octets of a stored message among which its header section has to end. */
  readonly payloadHeadBytes: number;
  /** Octets of unanswered messages of one MSRP session in memory; others wait in the store. */
  readonly payloadOctets: number;
  /** Longest ms that an INVITE or its answer waits for a path through the MSRP relay. */
  readonly pathMs: number;
  /** Authenticated requests without an answer yet. */
  readonly proofs: number;
  /** Identities that S-CSCFs have told. */
  readonly identities: number;
  /** ms that they count behind the end of the registration. */
  readonly identitiesMs: number;
  /** Octets of messages that are held while they are passed on. */
  readonly forwardOctets: number;
  /** INVITEs that are passed on, and their sessions, at a time. */
  readonly bridges: number;
  /** ms between two counts of everything that is stored, 0: none; ms between two pages of it. */
  readonly surveyMs: number;
  readonly surveyPauseMs: number;
  /** Seconds in Retry-After of 503. */
  readonly retryAfter: number;
  /** Changes asked for over HTTP or by an embedder that wait for their commit. */
  readonly localTransactions: number;
  /** ms until one of them is given up. */
  readonly localMs: number;
}

export const defaultBounds: Bounds = {
  accounts: 10_000,
  queue: 256,
  ahead: 64,
  steps: 10_000,
  reportsPerTarget: 1_024,
  outboxEntries: 1_024,
  reportFirstMs: 2_000,
  reportOctets: 1_300,
  outboxAttempts: 12,
  outboxRetryMs: 1_000,
  outboxRetryMaxMs: 300_000,
  outboxWakeMs: 30_000,
  histories: 1_000,
  rebuildMs: 0,
  rebuildPauseMs: 20,
  duplicateMs: 40_000,
  digests: 4_096,
  policyPending: 1_024,
  policyMs: 1_000,
  nodeBlock: 65_536,
  accountBlock: 64,
  due: 64,
  dueAtOnce: 8,
  dueTimers: 16,
  dueTurns: 32,
  dueSlowMs: 50,
  dueMs: 60_000,
  bodyBytes: 65_536,
  uploads: 1_024,
  uploadsPerSession: 4,
  uploadMs: 86_400_000,
  sweepMs: 3_600_000,
  recordedHeaderBytes: 16_384,
  cpimHeadBytes: 16_384,
  payloadHeadBytes: 131_072,
  payloadOctets: 524_288,
  pathMs: 10_000,
  proofs: 100_000,
  identities: 100_000,
  identitiesMs: 7_776_000_000,
  forwardOctets: 67_108_864,
  bridges: 1_024,
  surveyMs: 60_000,
  surveyPauseMs: 200,
  retryAfter: 5,
  localTransactions: 1_024,
  localMs: 30_000,
};
