/** The computation of digest authentication (RFC 7616 3.4). */

/** What the algorithms of RFC 8760 hash with. */
export type DigestHash = 'SHA-256' | 'SHA-512-256' | 'MD5';

/** Gives lower-case hexadecimal digits; a text is hashed as UTF-8. */
export type Hash = (algorithm: DigestHash, data: string | Buffer) => string;

export interface DigestAlgorithm {
  readonly hash: DigestHash;
  /** `-sess`: HA1 is bound to nonce and cnonce. */
  readonly session: boolean;
}

/** What a request brings into the digest. */
export interface DigestInput extends DigestAlgorithm {
  /** H(username:realm:password) in hexadecimal digits. */
  readonly ha1: string;
  /** Empty for the `rspauth` of a response (3.5). */
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Undefined: the digest of RFC 2069. */
  readonly qop?: string | undefined;
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  /** Hashed with `auth-int`; an empty body has the hash of nothing (RFC 3261 22.4). */
  readonly body: Buffer;
}

const algorithms: ReadonlyMap<string, DigestAlgorithm> = new Map(
  (['SHA-512-256', 'SHA-256', 'MD5'] as const).flatMap(
    (hash): readonly (readonly [string, DigestAlgorithm])[] => [
      [hash, { hash, session: false }],
      [`${hash}-SESS`, { hash, session: true }],
    ],
  ),
);

/** Undefined for an algorithm that is not known. */
export function digestAlgorithm(name: string): DigestAlgorithm | undefined {
  return algorithms.get(name.toUpperCase());
}

/** H(username:realm:password): all that a server has to keep of a password. */
export function digestHa1(
  hash: Hash,
  algorithm: DigestHash,
  user: { readonly username: string; readonly realm: string; readonly password: string },
): string {
  return hash(algorithm, `${user.username}:${user.realm}:${user.password}`);
}

/** 3.4.4: what stands in place of a user name when the server asks for it. */
export function digestUserhash(
  hash: Hash,
  algorithm: DigestHash,
  user: { readonly username: string; readonly realm: string },
): string {
  return hash(algorithm, `${user.username}:${user.realm}`);
}

/** 3.4.1 to 3.4.3: the request-digest. */
export function digestResponse(hash: Hash, input: DigestInput): string {
  const { hash: algorithm, session, method, uri, nonce, qop } = input;
  const nc = input.nc ?? '';
  const cnonce = input.cnonce ?? '';
  const ha1 = session ? hash(algorithm, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  const entity = qop === 'auth-int' ? `:${hash(algorithm, input.body)}` : '';
  const ha2 = hash(algorithm, `${method}:${uri}${entity}`);
  const protection = qop === undefined ? '' : `${nc}:${cnonce}:${qop}:`;
  return hash(algorithm, `${ha1}:${nonce}:${protection}${ha2}`);
}
