/** A client of a relay: gets paths through it, and keeps them (RFC 4976 5.1, RLY-01). */

import { createHash } from 'node:crypto';
import type { Random } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { readChallenges, readGrant, readSeconds } from '../../wire/msrp/auth.js';
import type { MsrpGrant } from '../../wire/msrp/auth.js';
import type { MsrpResponseHead } from '../../wire/msrp/frame.js';
import { authRequest } from '../../wire/msrp/write.js';
import { formatCredentials } from '../../wire/sip/digest.js';
import type { DigestChallenge } from '../../wire/sip/digest.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../../wire/sip/digest-response.js';
import type { DigestAlgorithm, Hash } from '../../wire/sip/digest-response.js';
import type { Connection } from './connection.js';
import { MsrpError } from './options.js';
import type { MsrpRelayOptions } from './options.js';

/** The strongest first; RFC 4976 knows MD5 only. */
const preference = ['SHA-512-256', 'SHA-256', 'MD5'] as const;
const nodeHashes = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' };
const nothing = Buffer.alloc(0);
const idLength = 12;
const cnonceLength = 22;
/** The first, one for a challenge, one for a stale nonce, one for another time. */
const requestsMax = 4;

/** Asks for a path to `uri` while it is wanted. Rejects with MsrpError `MSRP_RELAY_…`. */
export async function allocate(
  connection: Connection,
  uri: string,
  relay: MsrpRelayOptions,
  random: Random,
  isWanted: () => boolean = () => true,
): Promise<MsrpGrant> {
  let { expires } = relay;
  let authorization: string | undefined;
  for (let count = 0; count < requestsMax; count++) {
    // A path that nobody takes would stay with the relay until its time is over.
    if (!isWanted()) throw new MsrpError('MSRP_SESSION', 'the session has ended');
    const transactionId = random.token(idLength);
    const frame = authRequest({
      ...{ transactionId, toPath: [relay.uri], fromPath: [uri] },
      ...(expires !== undefined && { expires }),
      ...(authorization !== undefined && { authorization }),
    });
    const answer = await connection.writer.request(transactionId, frame);
    if (!answer) throw new MsrpError('MSRP_RELAY_SILENT', 'the relay does not answer');
    try {
      if (answer.status === 200) return readGrant(answer);
      const isFirst = authorization === undefined;
      if (answer.status === 401) authorization = respond(answer, isFirst, relay, random);
      else if (answer.status === 423) expires = offeredExpires(answer, expires);
      else throw new MsrpError('MSRP_RELAY_REFUSED', `the relay answers ${answer.status}`);
    } catch (error) {
      if (error instanceof WireError) throw new MsrpError('MSRP_RELAY_FAULTY', error.message);
      throw error;
    }
  }
  throw new MsrpError('MSRP_RELAY_REFUSED', 'the relay asks again and again');
}

/** The Authorization that answers a 401. A second one counts only where the nonce was stale. */
function respond(
  answer: MsrpResponseHead,
  isFirst: boolean,
  relay: MsrpRelayOptions,
  random: Random,
): string {
  const challenges = readChallenges(answer).filter(({ qop }) => qop.includes('auth'));
  for (const hash of preference) {
    if (hash === 'MD5' && relay.md5 === false) continue;
    const challenge = challenges.find((one) => digestAlgorithm(one.algorithm)?.hash === hash);
    if (!challenge) continue;
    if (!isFirst && challenge.stale !== true) break;
    const algorithm = digestAlgorithm(challenge.algorithm)!;
    return credentials(challenge, algorithm, relay, random.token(cnonceLength));
  }
  throw new MsrpError('MSRP_RELAY_REFUSED', 'the relay does not take these credentials');
}

/** The digest-uri is the rightmost URI of the To-Path (RFC 4976 9.1). */
function credentials(
  challenge: DigestChallenge,
  algorithm: DigestAlgorithm,
  relay: MsrpRelayOptions,
  cnonce: string,
): string {
  const { uri, username, password } = relay;
  const { realm, nonce, opaque } = challenge;
  const ha1 = digestHa1(hashOf, algorithm.hash, { username, realm, password });
  const fixed = { uri, nonce, qop: 'auth', nc: '00000001', cnonce };
  const response = digestResponse(hashOf, {
    ...{ ...algorithm, ...fixed, ha1, method: 'AUTH', body: nothing },
  });
  return formatCredentials({
    ...{ ...fixed, username, realm, response, algorithm: challenge.algorithm },
    ...(opaque !== undefined && { opaque }),
  });
}

const hashOf: Hash = (algorithm, data) =>
  createHash(nodeHashes[algorithm]).update(data).digest('hex');

/** What a 423 permits; the same again would be answered the same again. */
function offeredExpires(answer: MsrpResponseHead, asked: number | undefined): number {
  const offered = readSeconds(answer, 'min-expires') ?? readSeconds(answer, 'max-expires');
  if (offered !== undefined && offered !== asked) return offered;
  throw new MsrpError('MSRP_RELAY_REFUSED', 'the relay permits no time');
}
